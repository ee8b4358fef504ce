#include "bindings.h"

#include "disaSmoothing.h"

#include <pybind11/numpy.h>

#include <algorithm>

namespace py = pybind11;

namespace
{

using FloatArray = py::array_t<float, py::array::c_style>;

FloatArray
smooth(const FloatArray & descriptors, double sigma)
{
  if (descriptors.ndim() != 4 || !(sigma > 0.0))
  {
    throw py::value_error("expected descriptors of shape (z, y, x, channels) and a sigma above 0");
  }
  FloatArray result({ descriptors.shape(0), descriptors.shape(1), descriptors.shape(2), descriptors.shape(3) });
  std::copy_n(descriptors.data(), descriptors.size(), result.mutable_data());
  const std::array<std::size_t, 3> size{ std::size_t(descriptors.shape(2)),
                                         std::size_t(descriptors.shape(1)),
                                         std::size_t(descriptors.shape(0)) };
  float * const                    data = result.mutable_data();
  const py::gil_scoped_release     release;
  disa::SmoothDescriptors(data, size, std::size_t(descriptors.shape(3)), sigma);
  return result;
}

} // namespace

void
bind_smoothing(py::module_ & module)
{
  module.def("smooth_descriptors", &smooth, py::arg("descriptors"), py::arg("sigma"));
}
