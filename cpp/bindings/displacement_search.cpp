// SPDX-License-Identifier: Apache-2.0
#include "bindings.h"

#include "disa/core/Error.h"
#include "disa/search/DisplacementSearch.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

namespace py = pybind11;
using disa::DisplacementSearch;

namespace
{

/** Of (z, y, x) or (z, y, x, 3). */
std::vector<py::ssize_t>
shape_of(const DisplacementSearch & self, bool isVector)
{
  const auto &             size = self.GetFrame().size;
  std::vector<py::ssize_t> shape{ py::ssize_t(size[2]), py::ssize_t(size[1]), py::ssize_t(size[0]) };
  if (isVector)
  {
    shape.push_back(3);
  }
  return shape;
}

py::array_t<float>
to_array(const DisplacementSearch & self, const std::vector<float> & values, bool isVector)
{
  return py::array_t<float>(shape_of(self, isVector), values.data());
}

disa::Displacements
to_displacements(const DisplacementSearch &                                            self,
                 const py::array_t<float, py::array::c_style | py::array::forcecast> & array)
{
  if (std::vector<py::ssize_t>(array.shape(), array.shape() + array.ndim()) != shape_of(self, true))
  {
    throw disa::RegistrationError("displacements: expected shape (z, y, x, 3) of the control points");
  }
  return disa::Displacements(array.data(), array.data() + array.size());
}

} // namespace

void
bind_displacement_search(py::module_ & module)
{
  using Array = py::array_t<float, py::array::c_style | py::array::forcecast>;
  py::class_<DisplacementSearch>(module, "DisplacementSearch")
    .def(py::init(
           [](const disa::FeatureVolume & fixed,
              const disa::FeatureVolume & moving,
              std::size_t                 control_spacing,
              std::size_t                 step,
              std::size_t                 radius,
              std::size_t                 cost_radius,
              unsigned                    threads)
           {
             py::gil_scoped_release release;
             return std::make_unique<DisplacementSearch>(
               fixed, moving, disa::DisplacementSearchSettings{ control_spacing, step, radius, cost_radius }, threads);
           }),
         py::arg("fixed"),
         py::arg("moving"),
         py::kw_only(),
         py::arg("control_spacing"),
         py::arg("step"),
         py::arg("radius"),
         py::arg("cost_radius") = 1,
         py::arg("threads") = 0)
    .def_property_readonly("shape",
                           [](const DisplacementSearch & self) { return py::tuple(py::cast(shape_of(self, false))); })
    .def(
      "costs",
      [](const DisplacementSearch & self, const std::array<std::ptrdiff_t, 3> & displacement)
      { return to_array(self, self.Costs(displacement), false); },
      py::arg("displacement"))
    .def(
      "nearest",
      [](const DisplacementSearch & self, const Array & near, double coupling)
      {
        const disa::Displacements from = to_displacements(self, near);
        disa::Displacements       nearest;
        {
          py::gil_scoped_release release;
          nearest = self.Nearest(from, coupling);
        }
        return to_array(self, nearest, true);
      },
      py::arg("near"),
      py::arg("coupling"))
    .def(
      "smooth",
      [](const DisplacementSearch & self, const Array & displacements)
      { return to_array(self, self.Smooth(to_displacements(self, displacements)), true); },
      py::arg("displacements"))
    .def(
      "run",
      [](const DisplacementSearch & self, const std::vector<double> & couplings)
      {
        disa::Displacements field;
        {
          py::gil_scoped_release release;
          field = self.Run(couplings);
        }
        return to_array(self, field, true);
      },
      py::arg("couplings"));
}
