#include "bindings.h"

#include "disaError.h"
#include "disaFeatureVolume.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <memory>
#include <sstream>

namespace py = pybind11;
using disa::FeatureVolume;

namespace
{

/** A C-ordered copy of an array's values. */
template <typename T>
std::vector<T>
to_vector(const py::array & array)
{
  const auto values = py::array_t<T, py::array::c_style | py::array::forcecast>::ensure(array);
  return std::vector<T>(values.data(), values.data() + values.size());
}

FeatureVolume
make(const py::array &     data,
     float                 scale,
     const py::array &     weights,
     const disa::Vector3 & origin,
     const disa::Vector3 & spacing,
     const disa::Matrix3 & direction)
{
  if (data.ndim() != 4 || data.shape(3) != py::ssize_t(FeatureVolume::Channels))
  {
    throw disa::ImageError("feature volume: data must have shape (z, y, x, 16)");
  }
  if (weights.ndim() != 3 || weights.shape(0) != data.shape(0) || weights.shape(1) != data.shape(1) ||
      weights.shape(2) != data.shape(2))
  {
    throw disa::ImageError("feature volume: weights must have data's shape (z, y, x)");
  }
  disa::Frame frame;
  for (int axis = 0; axis < 3; ++axis)
  {
    frame.size[axis] = static_cast<std::size_t>(data.shape(2 - axis));
  }
  frame.origin = origin;
  frame.spacing = spacing;
  frame.direction = direction;
  FeatureVolume::Descriptors descriptors;
  if (py::isinstance<py::array_t<std::int8_t>>(data))
  {
    descriptors = to_vector<std::int8_t>(data);
  }
  else if (py::isinstance<py::array_t<float>>(data))
  {
    descriptors = to_vector<float>(data);
  }
  else
  {
    throw disa::ImageError("feature volume: data must be int8 or float32");
  }
  return FeatureVolume(frame, std::move(descriptors), scale, to_vector<float>(weights));
}

/** A read-only array over memory that `owner` keeps alive. */
template <typename T>
py::array
view(const std::vector<T> & values, std::vector<std::size_t> shape, const py::object & owner)
{
  py::array_t<T> array(shape, values.data(), owner);
  array.attr("flags").attr("writeable") = false;
  return std::move(array);
}

std::vector<std::size_t>
shape_of(const FeatureVolume & self)
{
  const auto & size = self.GetFrame().size;
  return { size[2], size[1], size[0] };
}

} // namespace

void
bind_feature_volume(py::module_ & module)
{
  py::class_<FeatureVolume, std::shared_ptr<FeatureVolume>>(
    module,
    "FeatureVolume",
    "Descriptors of a volume, their sampling weights and their place in physical space.\n\n"
    "Made by `disa.extract_features`. Immutable. Axis order of arrays is (z, y, x), of points and frames (x, y, z), "
    "mm.")
    .def(py::init(&make),
         py::kw_only(),
         py::arg("data"),
         py::arg("scale"),
         py::arg("weights"),
         py::arg("origin"),
         py::arg("spacing"),
         py::arg("direction"))
    .def_property_readonly(
      "data",
      [](const py::object & owner)
      {
        const auto & self = owner.cast<const FeatureVolume &>();
        auto         shape = shape_of(self);
        shape.push_back(FeatureVolume::Channels);
        return std::visit([&](const auto & values) { return view(values, shape, owner); }, self.GetDescriptors());
      },
      "Descriptors, shape (z, y, x, 16), int8 (times `scale`) or float32.")
    .def_property_readonly(
      "weights",
      [](const py::object & owner)
      {
        const auto & self = owner.cast<const FeatureVolume &>();
        return view(self.GetWeights(), shape_of(self), owner);
      },
      "Sampling weights w(p), shape (z, y, x), float32, 0 outside the image.")
    .def_property_readonly("scale", &FeatureVolume::GetScale, "What one int8 step stands for; 1 for float32.")
    .def_property_readonly(
      "origin",
      [](const FeatureVolume & self)
      {
        const auto & o = self.GetFrame().origin;
        return py::make_tuple(o[0], o[1], o[2]);
      },
      "Physical point (x, y, z) of the first descriptor, mm.")
    .def_property_readonly(
      "spacing",
      [](const FeatureVolume & self)
      {
        const auto & s = self.GetFrame().spacing;
        return py::make_tuple(s[0], s[1], s[2]);
      },
      "Distance (x, y, z) between descriptors, mm.")
    .def_property_readonly(
      "direction",
      [](const FeatureVolume & self) { return py::tuple(py::cast(self.GetFrame().direction)); },
      "Direction cosines as 9 numbers, row by row, as in SimpleITK.")
    .def("quantized", &FeatureVolume::Quantized, "The same in int8, the greatest channel of all at 127.")
    .def(
      "save",
      [](const FeatureVolume & self, const py::object & path) { self.Save(py::str(path)); },
      py::arg("path"),
      "Write to a file, whole or not at all. Raises ImageError naming the file.")
    .def_static(
      "load",
      [](const py::object & path) { return FeatureVolume::Load(py::str(path)); },
      py::arg("path"),
      "Read what `save` wrote. Raises ImageError naming the file.")
    .def("__repr__",
         [](const FeatureVolume & self)
         {
           const auto &       frame = self.GetFrame();
           std::ostringstream text;
           text << "FeatureVolume(" << frame.size[2] << " x " << frame.size[1] << " x " << frame.size[0]
                << " descriptors (z, y, x) of 16 " << (self.IsQuantized() ? "int8" : "float32") << ", every "
                << frame.spacing[0] << " mm)";
           return text.str();
         });
}
