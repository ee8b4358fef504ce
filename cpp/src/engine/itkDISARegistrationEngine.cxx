// SPDX-License-Identifier: Apache-2.0
#include "itkDISARegistrationEngine.h"

#include "disa/core/Choice.h"
#include "itkDISAError.h"
#include "itkDISANamedValues.h"
#include "itkDISATransformAdaptors.h"
#include "itkDISATransformDescription.h"

#include "itkCommand.h"
#include "itkCompositeTransform.h"
#include "itkImageMaskSpatialObject.h"
#include "itkRegistrationParameterScalesFromIndexShift.h"
#include "itkRegistrationParameterScalesFromJacobian.h"
#include "itkRegistrationParameterScalesFromPhysicalShift.h"

#include <sstream>

namespace itk
{
namespace DISA
{
namespace
{

template <typename TImage>
void
SetFrame(TImage & image, const disa::Frame & frame)
{
  typename TImage::SizeType      size;
  typename TImage::PointType     origin;
  typename TImage::SpacingType   spacing;
  typename TImage::DirectionType direction;
  for (unsigned int i = 0; i < 3; ++i)
  {
    size[i] = frame.size[i];
    origin[i] = frame.origin[i];
    spacing[i] = frame.spacing[i];
    for (unsigned int j = 0; j < 3; ++j)
    {
      direction(i, j) = frame.direction[3 * i + j];
    }
  }
  image.SetRegions(size);
  image.SetOrigin(origin);
  image.SetSpacing(spacing);
  image.SetDirection(direction);
}

/** An image over pixels that it does not own. */
template <typename TPixel>
typename Image<TPixel, 3>::Pointer
MakeImage(const ImageDescription<TPixel> & description)
{
  const auto image = Image<TPixel, 3>::New();
  SetFrame(*image, description.frame);
  image->GetPixelContainer()->SetImportPointer(
    const_cast<TPixel *>(description.pixels.get()), description.frame.NumberOfCells(), false);
  return image;
}

ImageMaskSpatialObject<3>::Pointer
MakeMask(const ImageDescription<unsigned char> & description)
{
  const auto mask = ImageMaskSpatialObject<3>::New();
  mask->SetImage(MakeImage(description));
  mask->Update();
  return mask;
}

Transform<double, 3, 3>::Pointer
MakeOptional(const std::optional<TransformDescription> & description)
{
  return description ? MakeTransform(*description) : nullptr;
}

const EventObject &
FindEvent(const std::string & name)
{
  static const AnyEvent                                   any;
  static const AbortEvent                                 abort;
  static const DeleteEvent                                deletion;
  static const EndEvent                                   end;
  static const IterationEvent                             iteration;
  static const MultiResolutionIterationEvent              level;
  static const ProgressEvent                              progress;
  static const StartEvent                                 start;
  static const UserEvent                                  user;
  static const std::map<std::string, const EventObject *> events{
    { "Any", &any },           { "Abort", &abort },         { "Delete", &deletion },
    { "End", &end },           { "Iteration", &iteration }, { "MultiResolutionIteration", &level },
    { "Progress", &progress }, { "Start", &start },         { "User", &user },
  };
  return *disa::Choose("event", events, name);
}

template <typename TArray, typename TNumber>
TArray
ToArray(const std::vector<TNumber> & from)
{
  TArray array(from.size());
  std::copy(from.begin(), from.end(), array.begin());
  return array;
}

} // namespace

RegistrationEngine::RegistrationEngine(RegistrationSettings settings)
  : m_Settings(std::move(settings))
  , m_FixedImage(MakeImage(m_Settings.fixed))
  , m_MovingImage(MakeImage(m_Settings.moving))
  , m_Transform(MakeTransform(m_Settings.initial))
  , m_FixedInitialTransform(MakeOptional(m_Settings.fixedInitial))
  , m_MovingInitialTransform(MakeOptional(m_Settings.movingInitial))
  , m_Optimizer(
      MakeOptimizer(m_Settings.optimizer, m_Transform->GetNumberOfParameters(), m_Settings.metric.name.empty()))
  , m_Registration(RegistrationType::New())
  , m_Metric(MakeMetric(m_Settings.metric))
{
  if (m_Settings.shrinkFactors.size() != m_Settings.smoothingSigmas.size())
  {
    throw DISAError("SetShrinkFactorsPerLevel and SetSmoothingSigmasPerLevel give " +
                    std::to_string(m_Settings.shrinkFactors.size()) + " and " +
                    std::to_string(m_Settings.smoothingSigmas.size()) + " levels; give both as many");
  }
  m_Registration->SetInitialTransform(m_Transform);
  m_Registration->SetInPlace(true);
  m_Registration->SetNumberOfWorkUnits(m_Settings.numberOfWorkUnits);
}

void
RegistrationEngine::SetUpMetric()
{
  m_Metric->SetMaximumNumberOfWorkUnits(m_Settings.numberOfWorkUnits);
  m_Metric->SetUseFixedImageGradientFilter(m_Settings.useFixedGradientFilter);
  m_Metric->SetUseMovingImageGradientFilter(m_Settings.useMovingGradientFilter);
  if (m_Settings.virtualDomain)
  {
    const auto domain = RegistrationImageType::New();
    SetFrame(*domain, *m_Settings.virtualDomain);
    m_Metric->SetVirtualDomain(
      domain->GetSpacing(), domain->GetOrigin(), domain->GetDirection(), domain->GetLargestPossibleRegion());
  }
  if (m_Settings.fixedMask)
  {
    m_Metric->SetFixedImageMask(MakeMask(*m_Settings.fixedMask));
  }
  if (m_Settings.movingMask)
  {
    m_Metric->SetMovingImageMask(MakeMask(*m_Settings.movingMask));
  }
}

void
RegistrationEngine::SetUpLevels()
{
  const std::size_t levels = m_Settings.shrinkFactors.size();
  m_Registration->SetNumberOfLevels(levels);
  m_Registration->SetShrinkFactorsPerLevel(ToArray<RegistrationType::ShrinkFactorsArrayType>(m_Settings.shrinkFactors));
  std::vector<double> sigmas = m_Settings.smoothingSigmas;
  for (std::size_t level = 0; level < levels; ++level)
  {
    SetLevel(*m_Metric, m_Settings.metric, level, levels);
    sigmas[level] = SmoothsDescriptors(*m_Metric, *m_Transform) ? 0.0 : sigmas[level];
  }
  m_Registration->SetSmoothingSigmasPerLevel(ToArray<RegistrationType::SmoothingSigmasArrayType>(sigmas));
  m_Registration->SetSmoothingSigmasAreSpecifiedInPhysicalUnits(m_Settings.sigmasAreInPhysicalUnits);

  RegistrationType::TransformParametersAdaptorsContainerType adaptors;
  for (std::size_t level = 0; level < levels; ++level)
  {
    const auto & scales = m_Settings.splineScaleFactors;
    adaptors.push_back(MakeTransformAdaptor(*m_Transform,
                                            *m_FixedImage,
                                            m_Registration->GetShrinkFactorsPerDimension(level),
                                            level < scales.size() ? scales[level] : 0));
  }
  m_Registration->SetTransformParametersAdaptorsPerLevel(adaptors);

  const auto setLevel = FunctionCommand::New();
  setLevel->SetCallback([this, levels](const EventObject &)
                        { SetLevel(*m_Metric, m_Settings.metric, m_Registration->GetCurrentLevel(), levels); });
  m_Registration->AddObserver(MultiResolutionIterationEvent(), setLevel);
}

void
RegistrationEngine::SetUpSampling()
{
  if (m_Settings.samplingStrategy < 0 || m_Settings.samplingStrategy > 2)
  {
    throw disa::RegistrationError("sampling strategy: expected one of 0 (none), 1 (regular), 2 (random), got " +
                                  std::to_string(m_Settings.samplingStrategy));
  }
  m_Registration->SetMetricSamplingStrategy(
    static_cast<RegistrationType::MetricSamplingStrategyEnum>(m_Settings.samplingStrategy));
  const auto & percentages = m_Settings.samplingPercentages;
  if (percentages.size() == 1)
  {
    m_Registration->SetMetricSamplingPercentage(percentages[0]);
  }
  else
  {
    m_Registration->SetMetricSamplingPercentagePerLevel(
      ToArray<RegistrationType::MetricSamplingPercentageArrayType>(percentages));
  }
  if (m_Settings.samplingSeed == 0)
  {
    m_Registration->MetricSamplingReinitializeSeed();
  }
  else
  {
    m_Registration->MetricSamplingReinitializeSeed(static_cast<int>(m_Settings.samplingSeed));
  }
}

RegistrationEngine::ScalesEstimatorType::Pointer
RegistrationEngine::MakeScalesEstimator() const
{
  const ScalesSettings & settings = m_Settings.scales;
  if (settings.estimator.empty())
  {
    return nullptr;
  }
  NamedNumbers numbers(settings.numbers, "scales estimator " + settings.estimator);
  const auto   finish = [&](auto estimator) -> ScalesEstimatorType::Pointer
  {
    estimator->SetCentralRegionRadius(static_cast<IndexValueType>(numbers.at("centralRegionRadius")));
    estimator->SetMetric(m_Metric);
    estimator->SetTransformForward(true);
    return estimator.GetPointer();
  };
  const auto finishShift = [&](auto estimator)
  {
    estimator->SetSmallParameterVariation(numbers.at("smallParameterVariation"));
    return finish(estimator);
  };
  const std::map<std::string, std::function<ScalesEstimatorType::Pointer()>> makers{
    { "Jacobian", [&] { return finish(RegistrationParameterScalesFromJacobian<RegistrationMetricType>::New()); } },
    { "IndexShift",
      [&] { return finishShift(RegistrationParameterScalesFromIndexShift<RegistrationMetricType>::New()); } },
    { "PhysicalShift",
      [&] { return finishShift(RegistrationParameterScalesFromPhysicalShift<RegistrationMetricType>::New()); } },
  };
  const ScalesEstimatorType::Pointer estimator = disa::Choose("scales estimator", makers, settings.estimator)();
  numbers.CheckAllRead();
  return estimator;
}

void
RegistrationEngine::SetUpOptimizer()
{
  using ScalesType = ObjectToObjectOptimizerBaseTemplate<double>::ScalesType;
  m_Optimizer.optimizer->SetNumberOfWorkUnits(m_Settings.numberOfWorkUnits);
  m_Registration->SetOptimizer(m_Optimizer.optimizer);
  if (!m_Settings.weights.empty())
  {
    m_Optimizer.optimizer->SetWeights(ToArray<ScalesType>(m_Settings.weights));
  }
  if (const ScalesEstimatorType::Pointer estimator = this->MakeScalesEstimator())
  {
    m_Optimizer.optimizer->SetScalesEstimator(estimator);
  }
  else if (!m_Settings.scales.scales.empty() && m_Optimizer.optimizer->CanUseScales()) // LBFGSB crashes otherwise
  {
    m_Optimizer.optimizer->SetScales(ToArray<ScalesType>(m_Settings.scales.scales));
  }
}

void
RegistrationEngine::Run(const std::function<void()> & checkpoint)
{
  // The order is SimpleITK's, for observers of any event see it.
  this->SetUpMetric();
  m_Registration->SetMetric(m_Metric);
  m_Registration->SetFixedImage(m_FixedImage);
  m_Registration->SetMovingImage(m_MovingImage);
  if (m_MovingInitialTransform)
  {
    m_Registration->SetMovingInitialTransform(m_MovingInitialTransform);
  }
  if (m_FixedInitialTransform)
  {
    m_Registration->SetFixedInitialTransform(m_FixedInitialTransform);
  }
  this->SetUpLevels();
  this->SetUpSampling();
  this->SetUpOptimizer();
  const auto check = FunctionCommand::New();
  check->SetCallback(
    [&](const EventObject &)
    {
      checkpoint();
      if (m_Registration->GetAbortGenerateData())
      {
        throw ProcessAborted(__FILE__, __LINE__);
      }
    });
  m_Optimizer.optimizer->AddObserver(IterationEvent(), check);
  m_Registration->Update();
  if (m_Optimizer.moveToBest)
  {
    m_Optimizer.moveToBest(*m_Transform);
    m_Optimizer.value = m_Optimizer.bestValue;
  }
}

double
RegistrationEngine::Evaluate()
{
  this->SetUpMetric();
  m_Metric->SetFixedImage(m_FixedImage);
  m_Metric->SetMovingImage(m_MovingImage);
  if (m_FixedInitialTransform)
  {
    m_Metric->SetFixedTransform(m_FixedInitialTransform);
  }
  const auto moving = CompositeTransform<double, 3>::New();
  if (m_MovingInitialTransform)
  {
    moving->AddTransform(m_MovingInitialTransform);
  }
  moving->AddTransform(m_Transform);
  moving->SetOnlyMostRecentTransformToOptimizeOn();
  m_Metric->SetMovingTransform(moving);
  const std::size_t levels = m_Settings.shrinkFactors.size();
  SetLevel(*m_Metric, m_Settings.metric, levels - 1, levels);
  m_Metric->Initialize();
  return m_Metric->GetValue();
}

void
RegistrationEngine::AddObserver(const std::string & event, const std::function<void()> & function)
{
  const EventObject & observed = FindEvent(event);
  const bool          isOptimizers = observed.CheckEvent(&FindEvent("Iteration"));
  Object *            object = m_Registration;
  if (isOptimizers)
  {
    object = m_Optimizer.optimizer;
  }
  const auto command = FunctionCommand::New();
  command->SetCallback([function](const EventObject &) { function(); });
  m_Observers.emplace_back(object, object->AddObserver(observed, command));
}

void
RegistrationEngine::RemoveAllObservers()
{
  for (const auto & [object, tag] : m_Observers)
  {
    object->RemoveObserver(tag);
  }
  m_Observers.clear();
}

bool
RegistrationEngine::Stop()
{
  if (!m_Optimizer.stop)
  {
    return false;
  }
  m_Optimizer.stop();
  return true;
}

void
RegistrationEngine::Abort()
{
  m_Registration->AbortGenerateDataOn();
}

TransformDescription
RegistrationEngine::GetTransform() const
{
  return DescribeTransform(*m_Transform);
}

unsigned int
RegistrationEngine::GetCurrentLevel() const
{
  return static_cast<unsigned int>(m_Registration->GetCurrentLevel());
}

unsigned int
RegistrationEngine::GetIteration() const
{
  return static_cast<unsigned int>(m_Optimizer.optimizer->GetCurrentIteration());
}

std::vector<double>
RegistrationEngine::GetPosition() const
{
  if (m_Optimizer.optimizer->GetMetric() == nullptr)
  {
    return {};
  }
  const auto & position = m_Optimizer.optimizer->GetCurrentPosition();
  return { position.begin(), position.end() };
}

std::vector<double>
RegistrationEngine::GetScales() const
{
  const auto & scales = m_Optimizer.optimizer->GetScales();
  return { scales.begin(), scales.end() };
}

double
RegistrationEngine::GetMetricValue() const
{
  return m_Optimizer.value();
}

double
RegistrationEngine::GetLearningRate() const
{
  return m_Optimizer.learningRate();
}

double
RegistrationEngine::GetConvergenceValue() const
{
  return m_Optimizer.convergenceValue();
}

SizeValueType
RegistrationEngine::GetNumberOfValidPoints() const
{
  return m_Metric->GetNumberOfValidPoints();
}

float
RegistrationEngine::GetProgress() const
{
  return m_Registration->GetProgress();
}

std::string
RegistrationEngine::GetStopConditionDescription() const
{
  return m_Optimizer.optimizer->GetStopConditionDescription();
}

std::string
RegistrationEngine::Print() const
{
  std::ostringstream text;
  m_Optimizer.optimizer->Print(text, 1);
  return text.str();
}

} // namespace DISA
} // namespace itk
