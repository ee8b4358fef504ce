// SPDX-License-Identifier: Apache-2.0
#include "python_extractor.h"

#include "grid_caster.h"

#include "disa/core/Error.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <exception>

namespace py = pybind11;

namespace
{

/** A view of the image's pixels, without a copy. */
py::array
to_array(const disa::ImageView & image)
{
  const auto &      size = image.frame.size;
  const py::capsule notOwned(image.pixels, [](void *) {});
  const auto        type = image.isDouble ? py::dtype::of<double>() : py::dtype::of<float>();
  return py::array(type, { size[2], size[1], size[0] }, {}, image.pixels, notOwned);
}

/** A view of the field of view, of the image's shape; None if the image does not end at it. */
py::object
to_mask(const disa::FeatureRequest & request, const disa::Frame & frame)
{
  if (!request.fieldOfView)
  {
    return py::none();
  }
  const auto &      size = frame.size;
  const py::capsule notOwned(request.fieldOfView->data(), [](void *) {});
  return py::array(
    py::dtype::of<std::uint8_t>(), { size[2], size[1], size[0] }, {}, request.fieldOfView->data(), notOwned);
}

} // namespace

PythonExtractor::PythonExtractor(py::function function, bool repeatsInterrupts)
  : m_Function(std::move(function))
  , m_RepeatsInterrupts(repeatsInterrupts)
{
}

PythonExtractor::~PythonExtractor()
{
  const py::gil_scoped_acquire gil;
  m_Function = py::function();
}

std::shared_ptr<const disa::FeatureVolume>
PythonExtractor::Extract(const disa::ImageView & image, const disa::FeatureRequest & request) const
{
  const py::gil_scoped_acquire gil;
  try
  {
    const py::object features =
      m_Function(to_array(image), image.frame, image.name, request, to_mask(request, image.frame));
    return features.cast<std::shared_ptr<disa::FeatureVolume>>();
  }
  catch (const py::error_already_set & error)
  {
    Rethrow(error);
  }
}

double
PythonExtractor::ShownVolume(const disa::ImageView & image) const
{
  const py::gil_scoped_acquire gil;
  if (!py::hasattr(m_Function, "shown_volume"))
  {
    return FeatureExtractor::ShownVolume(image);
  }
  try
  {
    return m_Function.attr("shown_volume")(to_array(image), image.frame).cast<double>();
  }
  catch (const py::error_already_set & error)
  {
    Rethrow(error);
  }
}

void
PythonExtractor::Rethrow(const py::error_already_set & error) const
{
  const std::string message = py::str(error.value());
  const std::string type = py::str(error.type().attr("__name__"));
  if (m_RepeatsInterrupts && error.matches(PyExc_KeyboardInterrupt))
  {
    PyErr_SetInterrupt();
  }
  std::throw_with_nested(disa::Error(message.empty() ? type : message));
}
