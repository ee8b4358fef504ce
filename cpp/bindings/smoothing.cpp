// SPDX-License-Identifier: Apache-2.0
#include "bindings.h"

#include "disa/features/Smoothing.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

namespace py = pybind11;

namespace
{

disa::Frame
make_frame(const std::array<std::size_t, 3> & size,
           const disa::Vector3 &              origin,
           const disa::Vector3 &              spacing,
           const disa::Matrix3 &              direction)
{
  disa::Frame frame;
  frame.size = size;
  frame.origin = origin;
  frame.spacing = spacing;
  frame.direction = direction;
  return frame;
}

py::array_t<bool>
cells_inside(const disa::Frame & cells, const disa::Frame & image)
{
  py::array_t<bool> result({ cells.size[2], cells.size[1], cells.size[0] });
  const auto        inside = disa::CellsInside(cells, image);
  std::copy(inside.begin(), inside.end(), result.mutable_data());
  return result;
}

} // namespace

void
bind_smoothing(py::module_ & module)
{
  py::class_<disa::Frame>(module, "Frame")
    .def(py::init(&make_frame), py::arg("size"), py::arg("origin"), py::arg("spacing"), py::arg("direction"));
  module.def("cells_inside", &cells_inside, py::arg("cells"), py::arg("image"));
  module.def("widen",
             &disa::Widen,
             py::arg("features"),
             py::arg("image"),
             py::arg("sigma"),
             py::call_guard<py::gil_scoped_release>());
}
