// SPDX-License-Identifier: Apache-2.0
#include "itkDISARegistrationMetric.h"

#include "itkDISAImageToImageMetricv4.h"

#include "itkANTSNeighborhoodCorrelationImageToImageMetricv4.h"
#include "itkCorrelationImageToImageMetricv4.h"
#include "itkDemonsImageToImageMetricv4.h"
#include "itkJointHistogramMutualInformationImageToImageMetricv4.h"
#include "itkMattesMutualInformationImageToImageMetricv4.h"
#include "itkMeanSquaresImageToImageMetricv4.h"

namespace itk
{
namespace DISA
{
namespace
{

template <template <typename, typename, typename, typename, typename> class TMetric>
using MetricOf = TMetric<
  RegistrationImageType,
  RegistrationImageType,
  RegistrationImageType,
  double,
  DefaultImageToImageMetricTraitsv4<RegistrationImageType, RegistrationImageType, RegistrationImageType, double>>;

RegistrationMetricType::Pointer
MakeDISA(const MetricSettings & settings)
{
  const auto metric = DISAImageToImageMetricv4<RegistrationImageType, RegistrationImageType>::New();
  metric->SetModel(settings.model);
  metric->SetVoxelSpacing(settings.voxelSpacing);
  metric->SetFixedStride(settings.fixedStride);
  metric->SetMovingStride(settings.movingStride);
  metric->SetReorientationAngle(settings.reorientationAngle);
  if (settings.smoothing)
  {
    metric->SetFeatureSmoothing(*settings.smoothing);
  }
  metric->SetExecutionProviders(settings.providers);
  metric->SetFeatureExtractor(settings.extractor);
  metric->SetFixedFeatures(settings.fixedFeatures);
  metric->SetMovingFeatures(settings.movingFeatures);
  return metric.GetPointer();
}

} // namespace

RegistrationMetricType::Pointer
MakeMetric(const MetricSettings & settings)
{
  const std::string & name = settings.name;
  const NumberMap &   numbers = settings.numbers;
  if (name.empty())
  {
    return MakeDISA(settings);
  }
  if (name == "MeanSquares")
  {
    return MetricOf<MeanSquaresImageToImageMetricv4>::New().GetPointer();
  }
  if (name == "Correlation")
  {
    return MetricOf<CorrelationImageToImageMetricv4>::New().GetPointer();
  }
  if (name == "MattesMutualInformation")
  {
    const auto metric = MetricOf<MattesMutualInformationImageToImageMetricv4>::New();
    metric->SetNumberOfHistogramBins(static_cast<SizeValueType>(numbers.at("numberOfHistogramBins")));
    return metric.GetPointer();
  }
  if (name == "JointHistogramMutualInformation")
  {
    const auto metric = MetricOf<JointHistogramMutualInformationImageToImageMetricv4>::New();
    metric->SetNumberOfHistogramBins(static_cast<SizeValueType>(numbers.at("numberOfHistogramBins")));
    metric->SetVarianceForJointPDFSmoothing(numbers.at("varianceForJointPDFSmoothing"));
    return metric.GetPointer();
  }
  if (name == "ANTSNeighborhoodCorrelation")
  {
    using MetricType = MetricOf<ANTSNeighborhoodCorrelationImageToImageMetricv4>;
    const auto metric = MetricType::New();
    metric->SetRadius(MetricType::RadiusType::Filled(static_cast<SizeValueType>(numbers.at("radius"))));
    return metric.GetPointer();
  }
  if (name == "Demons")
  {
    const auto metric = MetricOf<DemonsImageToImageMetricv4>::New();
    metric->SetIntensityDifferenceThreshold(numbers.at("intensityDifferenceThreshold"));
    return metric.GetPointer();
  }
  throw DISAError("the registration engine has no metric " + name);
}

} // namespace DISA
} // namespace itk
