// SPDX-License-Identifier: Apache-2.0
#include "bindings.h"
#include "grid_caster.h"

#include "disa/core/Distinct.h"
#include "disa/core/Geometry.h"
#include "disa/features/VoxelSpacing.h"

#include <limits>

namespace py = pybind11;

namespace
{

using Array = py::array_t<double, py::array::c_style | py::array::forcecast>;

py::array_t<bool>
cells_inside(const disa::Frame & cells, const disa::Frame & image)
{
  py::array_t<bool> result({ cells.size[2], cells.size[1], cells.size[0] });
  const auto        inside = disa::CellsInside(cells, image);
  std::copy(inside.begin(), inside.end(), result.mutable_data());
  return result;
}

disa::Matrix3
to_matrix(const Array & array)
{
  if (array.size() != 9)
  {
    throw py::value_error("expected a (3, 3) matrix");
  }
  disa::Matrix3 matrix;
  std::copy_n(array.data(), 9, matrix.begin());
  return matrix;
}

py::array_t<double>
nearest_rotation(const Array & matrix)
{
  const disa::Matrix3 nearest = disa::NearestRotation(to_matrix(matrix));
  return py::array_t<double>({ 3, 3 }, nearest.data());
}

std::vector<std::size_t>
distinct(const std::vector<std::vector<disa::Vector3>> & places,
         const std::vector<double> &                     values,
         double                                          distance,
         std::size_t                                     keep)
{
  if (places.size() != values.size())
  {
    throw py::value_error("expected a value for each of the places");
  }
  return disa::Distinct(places, values, distance, keep);
}

} // namespace

void
bind_geometry(py::module_ & module)
{
  module.def("cells_inside", &cells_inside, py::arg("cells"), py::arg("image"));
  module.def("nearest_rotation", &nearest_rotation, py::arg("matrix"));
  module.def(
    "angle_between",
    [](const Array & one, const Array & other) { return disa::AngleBetween(to_matrix(one), to_matrix(other)); },
    py::arg("one"),
    py::arg("other"));
  module.def("automatic_voxel_spacing",
             &disa::AutomaticVoxelSpacing,
             py::arg("fixed"),
             py::arg("moving"),
             py::arg("shown") = std::numeric_limits<double>::infinity());
  module.def("lattice", &disa::Lattice, py::arg("image"));
  module.def("mask_volume", &disa::MaskVolume, py::arg("image"), py::arg("inside"));
  module.def("mean_distance", &disa::MeanDistance, py::arg("one"), py::arg("other"));
  module.def("distinct", &distinct, py::arg("places"), py::arg("values"), py::arg("distance"), py::arg("keep"));
}
