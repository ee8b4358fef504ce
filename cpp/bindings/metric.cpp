// SPDX-License-Identifier: Apache-2.0
#include "bindings.h"
#include "python_extractor.h"
#include "swig_objects.h"

#include "itkDISAImageToImageMetricv4.h"
#include "itkImage.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

namespace py = pybind11;

namespace
{

using FloatMetric = itk::DISAImageToImageMetricv4<itk::Image<float, 3>, itk::Image<float, 3>>;
using DoubleMetric = itk::DISAImageToImageMetricv4<itk::Image<double, 3>, itk::Image<double, 3>>;

constexpr char FloatBase[] = "itkImageToImageMetricv4F3F3 *";
constexpr char DoubleBase[] = "itkImageToImageMetricv4D3D3 *";

/** A new metric as the pointer that a proxy of the itk package keeps in `this`. */
template <typename TMetric>
py::object
make_metric(const char * baseType, py::function extractor)
{
  const auto metric = TMetric::New();
  metric->SetFeatureExtractor(std::make_shared<PythonExtractor>(std::move(extractor), true));
  return hand_over<typename TMetric::Superclass>(metric, baseType);
}

/** Calls a function with the metric behind a proxy, whichever pixel type it has. */
template <typename TFunction>
auto
with_metric(const py::object & proxy, TFunction function)
{
  try
  {
    if (void * pointer = from_swig(proxy, FloatBase))
    {
      return function(static_cast<FloatMetric &>(*static_cast<FloatMetric::Superclass *>(pointer)));
    }
    if (void * pointer = from_swig(proxy, DoubleBase))
    {
      return function(static_cast<DoubleMetric &>(*static_cast<DoubleMetric::Superclass *>(pointer)));
    }
  }
  catch (const itk::DISAError & error)
  {
    throw py::value_error(error.what());
  }
  throw py::type_error("expected a DISAImageToImageMetricv4");
}

using Features = std::shared_ptr<disa::FeatureVolume>;

template <typename TMetric>
py::tuple
get_value_and_derivative(const TMetric & metric)
{
  typename TMetric::MeasureType    value{};
  typename TMetric::DerivativeType derivative;
  try
  {
    metric.GetValueAndDerivative(value, derivative);
  }
  catch (const itk::DISAError & error)
  {
    throw disa::RegistrationError(error.what());
  }
  return py::make_tuple(value,
                        py::array_t<double>(static_cast<py::ssize_t>(derivative.size()), derivative.data_block()));
}

} // namespace

#define DISA_BIND_SETTING(name, type)                                                                                  \
  module.def("Set" #name,                                                                                              \
             [](const py::object & proxy, const type & value)                                                          \
             { with_metric(proxy, [&](auto & metric) { metric.Set##name(value); }); });                                \
  module.def("Get" #name,                                                                                              \
             [](const py::object & proxy)                                                                              \
             { return with_metric(proxy, [](auto & metric) -> type { return metric.Get##name(); }); })

#define DISA_BIND_FEATURES(name)                                                                                       \
  module.def("Set" #name,                                                                                              \
             [](const py::object & proxy, const Features & features)                                                   \
             { with_metric(proxy, [&](auto & metric) { metric.Set##name(features); }); });                             \
  module.def("Get" #name,                                                                                              \
             [](const py::object & proxy)                                                                              \
             {                                                                                                         \
               return with_metric(proxy,                                                                               \
                                  [](auto & metric)                                                                    \
                                  { return std::const_pointer_cast<disa::FeatureVolume>(metric.Get##name()); });       \
             })

void
bind_metric(py::module_ & module)
{
  module.def("make_float_metric", [](py::function f) { return make_metric<FloatMetric>(FloatBase, std::move(f)); });
  module.def("make_double_metric", [](py::function f) { return make_metric<DoubleMetric>(DoubleBase, std::move(f)); });
  DISA_BIND_SETTING(Model, std::string);
  DISA_BIND_SETTING(VoxelSpacing, double);
  DISA_BIND_SETTING(FixedStride, int);
  DISA_BIND_SETTING(MovingStride, int);
  DISA_BIND_SETTING(FeatureSmoothing, double);
  DISA_BIND_SETTING(RemainingLevels, unsigned int);
  module.def("GetCurrentFeatureSmoothing",
             [](const py::object & proxy)
             { return with_metric(proxy, [](auto & metric) { return metric.GetCurrentFeatureSmoothing(); }); });
  DISA_BIND_SETTING(ReorientationAngle, double);
  DISA_BIND_SETTING(ExecutionProviders, std::vector<std::string>);
  DISA_BIND_FEATURES(FixedFeatures);
  DISA_BIND_FEATURES(MovingFeatures);
  module.def("GetValueAndDerivative",
             [](const py::object & proxy)
             { return with_metric(proxy, [](auto & metric) { return get_value_and_derivative(metric); }); });
}
