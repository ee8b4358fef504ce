// SPDX-License-Identifier: Apache-2.0
#include "bindings.h"
#include "grid_caster.h"

#include "disa/features/Centring.h"
#include "disa/features/Smoothing.h"

#include <pybind11/stl.h>

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
  module.def("mean_of", &disa::MeanOf, py::arg("features"), py::call_guard<py::gil_scoped_release>());
  module.def("centred", &disa::Centred, py::arg("features"), py::arg("mean"), py::call_guard<py::gil_scoped_release>());
}
