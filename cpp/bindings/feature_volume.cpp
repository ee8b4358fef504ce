// SPDX-License-Identifier: Apache-2.0
#include "bindings.h"

#include "disa/core/Error.h"
#include "disa/features/FeatureVolume.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
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

/** Of arrays, (z, y, x). */
std::vector<std::size_t>
shape_of(const disa::Frame & frame)
{
  return { frame.size[2], frame.size[1], frame.size[0] };
}

FeatureVolume::Descriptors
to_descriptors(const py::array & data)
{
  if (data.ndim() != 4 || data.shape(3) != py::ssize_t(FeatureVolume::Channels))
  {
    throw disa::ImageError("feature volume: data must have shape (z, y, x, 16)");
  }
  if (py::isinstance<py::array_t<std::int8_t>>(data))
  {
    return to_vector<std::int8_t>(data);
  }
  if (py::isinstance<py::array_t<float>>(data))
  {
    return to_vector<float>(data);
  }
  throw disa::ImageError("feature volume: data must be int8 or float32");
}

std::vector<float>
to_weights(const py::array & weights, const std::vector<std::size_t> & shape)
{
  if (weights.ndim() != 3 || !std::equal(shape.begin(), shape.end(), weights.shape()))
  {
    throw disa::ImageError("feature volume: weights must have data's shape (z, y, x)");
  }
  return to_vector<float>(weights);
}

/** The number that 8 hexadecimal digits are; 0 for none. */
std::uint32_t
to_network(const std::optional<std::string> & digits)
{
  if (!digits)
  {
    return 0;
  }
  if (digits->size() != 8 || digits->find_first_not_of("0123456789abcdef") != std::string::npos)
  {
    throw disa::ImageError("feature volume: network must be 8 hexadecimal digits (0-9, a-f), got " + *digits);
  }
  return static_cast<std::uint32_t>(std::stoul(*digits, nullptr, 16));
}

std::optional<std::string>
to_digits(std::uint32_t network)
{
  char digits[9];
  std::snprintf(digits, sizeof(digits), "%08x", static_cast<unsigned int>(network));
  return network != 0 ? std::optional<std::string>(digits) : std::nullopt;
}

FeatureVolume
make(const py::array &                  data,
     float                              scale,
     const py::array &                  weights,
     const disa::Vector3 &              origin,
     const disa::Vector3 &              spacing,
     const disa::Matrix3 &              direction,
     const std::optional<std::string> & network)
{
  FeatureVolume::Descriptors descriptors = to_descriptors(data);
  disa::Frame                frame;
  for (int axis = 0; axis < 3; ++axis)
  {
    frame.size[axis] = static_cast<std::size_t>(data.shape(2 - axis));
  }
  frame.origin = origin;
  frame.spacing = spacing;
  frame.direction = direction;
  return FeatureVolume(frame, std::move(descriptors), scale, to_weights(weights, shape_of(frame)), to_network(network));
}

FeatureVolume
replace(const FeatureVolume &                self,
        const std::optional<py::array> &     data,
        const std::optional<py::array> &     weights,
        const std::optional<disa::Vector3> & origin)
{
  disa::Frame frame = self.GetFrame();
  frame.origin = origin.value_or(frame.origin);
  return FeatureVolume(frame,
                       data ? to_descriptors(*data) : self.GetDescriptors(),
                       self.GetScale(),
                       weights ? to_weights(*weights, shape_of(frame)) : self.GetWeights(),
                       self.GetNetwork());
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
         py::arg("direction"),
         py::arg("network") = py::none())
    .def_property_readonly(
      "data",
      [](const py::object & owner)
      {
        const auto & self = owner.cast<const FeatureVolume &>();
        auto         shape = shape_of(self.GetFrame());
        shape.push_back(FeatureVolume::Channels);
        return std::visit([&](const auto & values) { return view(values, shape, owner); }, self.GetDescriptors());
      },
      "Descriptors, shape (z, y, x, 16), int8 (times `scale`) or float32.")
    .def_property_readonly(
      "weights",
      [](const py::object & owner)
      {
        const auto & self = owner.cast<const FeatureVolume &>();
        return view(self.GetWeights(), shape_of(self.GetFrame()), owner);
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
      "Descriptor spacing (x, y, z), mm: the voxel spacing times the stride.")
    .def_property_readonly(
      "direction",
      [](const FeatureVolume & self) { return py::tuple(py::cast(self.GetFrame().direction)); },
      "Direction cosines as 9 numbers, row by row, as in SimpleITK.")
    .def_property_readonly(
      "network",
      [](const FeatureVolume & self) { return to_digits(self.GetNetwork()); },
      "First 8 hexadecimal digits of the SHA-256 of the weights of the network that made the descriptors; None if it "
      "is not known. Volumes of two networks are not compared.")
    .def("replaced",
         &replace,
         py::kw_only(),
         py::arg("data") = py::none(),
         py::arg("weights") = py::none(),
         py::arg("origin") = py::none(),
         "The same with other descriptors, weights or origin. Raises ImageError where they do not fit.")
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
  module.def("check_comparable",
             [](const FeatureVolume & fixed, const FeatureVolume & moving)
             { disa::CheckComparable(fixed.GetKind(), moving.GetKind()); });
}
