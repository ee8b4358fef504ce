// SPDX-License-Identifier: Apache-2.0
#include "itkDISARegistrationMetric.h"

#include "disa/core/Choice.h"
#include "itkDISAImageToImageMetricv4.h"
#include "itkDISANamedValues.h"

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

using DISAMetricType = DISAImageToImageMetricv4<RegistrationImageType, RegistrationImageType>;

RegistrationMetricType::Pointer
MakeDISA(const MetricSettings & settings)
{
  const auto metric = DISAMetricType::New();
  metric->SetModel(settings.model);
  if (settings.voxelSpacing)
  {
    metric->SetVoxelSpacing(*settings.voxelSpacing);
  }
  metric->SetFixedStride(settings.fixedStride);
  metric->SetMovingStride(settings.movingStride);
  metric->SetReorientationAngle(settings.reorientationAngle);
  metric->SetExecutionProviders(settings.providers);
  metric->SetFeatureExtractor(settings.extractor);
  metric->SetFixedFeatures(settings.fixedFeatures);
  metric->SetMovingFeatures(settings.movingFeatures);
  return metric.GetPointer();
}

RegistrationMetricType::Pointer
MakeMattes(NamedNumbers & numbers)
{
  const auto metric = MetricOf<MattesMutualInformationImageToImageMetricv4>::New();
  metric->SetNumberOfHistogramBins(static_cast<SizeValueType>(numbers.at("numberOfHistogramBins")));
  return metric.GetPointer();
}

RegistrationMetricType::Pointer
MakeJointHistogram(NamedNumbers & numbers)
{
  const auto metric = MetricOf<JointHistogramMutualInformationImageToImageMetricv4>::New();
  metric->SetNumberOfHistogramBins(static_cast<SizeValueType>(numbers.at("numberOfHistogramBins")));
  metric->SetVarianceForJointPDFSmoothing(numbers.at("varianceForJointPDFSmoothing"));
  return metric.GetPointer();
}

RegistrationMetricType::Pointer
MakeANTSCorrelation(NamedNumbers & numbers)
{
  using MetricType = MetricOf<ANTSNeighborhoodCorrelationImageToImageMetricv4>;
  const auto metric = MetricType::New();
  metric->SetRadius(MetricType::RadiusType::Filled(static_cast<SizeValueType>(numbers.at("radius"))));
  return metric.GetPointer();
}

RegistrationMetricType::Pointer
MakeDemons(NamedNumbers & numbers)
{
  const auto metric = MetricOf<DemonsImageToImageMetricv4>::New();
  metric->SetIntensityDifferenceThreshold(numbers.at("intensityDifferenceThreshold"));
  return metric.GetPointer();
}

template <template <typename, typename, typename, typename, typename> class TMetric>
RegistrationMetricType::Pointer
MakePlain(NamedNumbers &)
{
  return MetricOf<TMetric>::New().GetPointer();
}

} // namespace

RegistrationMetricType::Pointer
MakeMetric(const MetricSettings & settings)
{
  if (settings.name.empty())
  {
    return MakeDISA(settings);
  }
  using Maker = RegistrationMetricType::Pointer (*)(NamedNumbers &);
  static const std::map<std::string, Maker> makers{
    { "MeanSquares", MakePlain<MeanSquaresImageToImageMetricv4> },
    { "Correlation", MakePlain<CorrelationImageToImageMetricv4> },
    { "MattesMutualInformation", MakeMattes },
    { "JointHistogramMutualInformation", MakeJointHistogram },
    { "ANTSNeighborhoodCorrelation", MakeANTSCorrelation },
    { "Demons", MakeDemons },
  };
  const Maker                           make = disa::Choose("metric", makers, settings.name);
  NamedNumbers                          numbers(settings.numbers, "metric " + settings.name);
  const RegistrationMetricType::Pointer metric = make(numbers);
  numbers.CheckAllRead();
  return metric;
}

void
SetLevel(RegistrationMetricType & metric, const MetricSettings & settings, std::size_t level, std::size_t levels)
{
  auto * disaMetric = dynamic_cast<DISAMetricType *>(&metric);
  if (disaMetric == nullptr)
  {
    return;
  }
  disaMetric->SetRemainingLevels(static_cast<unsigned int>(levels - 1 - level));
  const auto & smoothing = settings.smoothing;
  if (smoothing.size() > 1 && smoothing.size() != levels)
  {
    throw DISAError("SetMetricAsDISA: smoothing has " + std::to_string(smoothing.size()) + " numbers for " +
                    std::to_string(levels) + " levels; give one for each level, or one for all");
  }
  if (!smoothing.empty())
  {
    disaMetric->SetFeatureSmoothing(smoothing[smoothing.size() > 1 ? level : 0]);
  }
}

bool
SmoothsDescriptors(RegistrationMetricType & metric, RegistrationTransformType & transform)
{
  auto * disaMetric = dynamic_cast<DISAMetricType *>(&metric);
  if (disaMetric == nullptr)
  {
    return false;
  }
  disaMetric->SetMovingTransform(&transform);
  return disaMetric->GetFeatureSmoothing() > 0.0;
}

} // namespace DISA
} // namespace itk
