// SPDX-License-Identifier: Apache-2.0
#include "bindings.h"
#include "grid_caster.h"

#include "disa/features/Smoothing.h"

namespace py = pybind11;

void
bind_smoothing(py::module_ & module)
{
  module.def("widen",
             &disa::Widen,
             py::arg("features"),
             py::arg("image"),
             py::arg("sigma"),
             py::call_guard<py::gil_scoped_release>());
}
