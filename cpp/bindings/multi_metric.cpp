// SPDX-License-Identifier: Apache-2.0
#include "bindings.h"
#include "swig_objects.h"

#include "itkImage.h"
#include "itkObjectToObjectMultiMetricv4.h"
#include "itkRegistrationParameterScalesFromJacobian.h"
#include "itkRegistrationParameterScalesFromPhysicalShift.h"

#include <pybind11/stl.h>

namespace py = pybind11;

namespace
{

template <typename TPixel>
using MultiMetric = itk::ObjectToObjectMultiMetricv4<3, 3, itk::Image<TPixel, 3>, double>;

/** What the itk package calls a multi-metric's base class, which all image metrics of that pixel type share. */
template <typename TPixel>
constexpr const char * BaseType = std::is_same<TPixel, float>::value ? "itkImageToImageMetricv4F3F3_Superclass *"
                                                                     : "itkImageToImageMetricv4D3D3_Superclass *";

constexpr char EstimatorBase[] = "itkOptimizerParameterScalesEstimatorTemplateD *";

template <typename TPixel>
typename MultiMetric<TPixel>::Superclass *
to_metric(const py::handle & proxy)
{
  void * pointer = from_swig(proxy, BaseType<TPixel>);
  if (pointer == nullptr)
  {
    throw py::type_error("expected a metric of two 3-D images of the multi-metric's pixel type");
  }
  return static_cast<typename MultiMetric<TPixel>::Superclass *>(pointer);
}

template <typename TPixel>
MultiMetric<TPixel> &
to_multi(const py::handle & proxy)
{
  return *static_cast<MultiMetric<TPixel> *>(to_metric<TPixel>(proxy));
}

template <typename T>
std::vector<double>
to_list(const T & array)
{
  return std::vector<double>(array.begin(), array.end());
}

template <typename TPixel, template <typename> class TEstimator>
py::object
make_estimator(const py::handle & metric, bool transformForward)
{
  const auto estimator = TEstimator<MultiMetric<TPixel>>::New();
  estimator->SetMetric(&to_multi<TPixel>(metric));
  estimator->SetTransformForward(transformForward);
  return hand_over<itk::OptimizerParameterScalesEstimatorTemplate<double>>(estimator, EstimatorBase);
}

/** A submodule with everything for one pixel type. */
template <typename TPixel>
void
bind(py::module_ && module)
{
  using MetricType = MultiMetric<TPixel>;
  module.def("make", [] { return hand_over<typename MetricType::Superclass>(MetricType::New(), BaseType<TPixel>); });
  module.def("AddMetric",
             [](const py::object & multi, const py::object & metric)
             { to_multi<TPixel>(multi).AddMetric(to_metric<TPixel>(metric)); });
  module.def("ClearMetricQueue", [](const py::object & multi) { to_multi<TPixel>(multi).ClearMetricQueue(); });
  module.def("GetNumberOfMetrics",
             [](const py::object & multi) { return to_multi<TPixel>(multi).GetNumberOfMetrics(); });
  module.def("SetMetricWeights",
             [](const py::object & multi, const std::vector<double> & weights)
             {
               typename MetricType::WeightsArrayType array(weights.size());
               std::copy(weights.begin(), weights.end(), array.begin());
               to_multi<TPixel>(multi).SetMetricWeights(array);
             });
  module.def("GetMetricWeights",
             [](const py::object & multi) { return to_list(to_multi<TPixel>(multi).GetMetricWeights()); });
  module.def("GetValueArray",
             [](const py::object & multi) { return to_list(to_multi<TPixel>(multi).GetValueArray()); });
  module.def("GetWeightedValue", [](const py::object & multi) { return to_multi<TPixel>(multi).GetWeightedValue(); });
  module.def("make_physical_shift", &make_estimator<TPixel, itk::RegistrationParameterScalesFromPhysicalShift>);
  module.def("make_jacobian", &make_estimator<TPixel, itk::RegistrationParameterScalesFromJacobian>);
}

} // namespace

void
bind_multi_metric(py::module_ & module)
{
  bind<float>(module.def_submodule("multi_metric_float"));
  bind<double>(module.def_submodule("multi_metric_double"));
}
