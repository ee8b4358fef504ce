// SPDX-License-Identifier: Apache-2.0
#ifndef itkDISAImageToImageMetricv4_hxx
#define itkDISAImageToImageMetricv4_hxx

#include <algorithm>
#include <cmath>
#include <exception>
#include <sstream>

namespace itk
{

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::DISAImageToImageMetricv4()
  : m_Threader(MultiThreaderBase::New())
{
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::SetModel(const std::string & model)
{
  if (m_Model != model)
  {
    m_Model = model;
    this->Modified();
  }
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::SetVoxelSpacing(double spacing)
{
  if (!(spacing > 0.0) || !std::isfinite(spacing))
  {
    throw DISAError("SetVoxelSpacing: expected a spacing in mm above 0, got " + std::to_string(spacing));
  }
  if (m_VoxelSpacing != spacing)
  {
    m_VoxelSpacing = spacing;
    this->Modified();
  }
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
double
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::GetVoxelSpacing() const
{
  constexpr double ofBodies = 2.0;
  if (m_VoxelSpacing)
  {
    return *m_VoxelSpacing;
  }
  return this->m_FixedImage && this->m_MovingImage
           ? disa::AutomaticVoxelSpacing(DISA::ToFrame(*this->m_FixedImage), DISA::ToFrame(*this->m_MovingImage))
           : ofBodies;
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::SetFixedStride(int stride)
{
  if (m_FixedStride != stride)
  {
    m_FixedStride = stride;
    this->Modified();
  }
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::SetMovingStride(int stride)
{
  if (m_MovingStride != stride)
  {
    m_MovingStride = stride;
    this->Modified();
  }
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::SetFeatureSmoothing(double mm)
{
  if (!(mm >= 0.0) || !std::isfinite(mm))
  {
    throw DISAError("SetFeatureSmoothing: expected 0 mm or more, got " + std::to_string(mm));
  }
  if (m_FeatureSmoothing != mm)
  {
    m_FeatureSmoothing = mm;
    m_Optimized = {};
    this->Modified();
  }
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
double
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::GetFeatureSmoothing() const
{
  constexpr double rigidSmoothing = 12.0; // voxels
  if (m_FeatureSmoothing)
  {
    return *m_FeatureSmoothing;
  }
  return DISA::IsRigid(DISA::ToStages(*this->m_MovingTransform)) ? rigidSmoothing * this->GetVoxelSpacing() : 0.0;
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::SetReorientationAngle(double degrees)
{
  if (!(degrees >= 0.0))
  {
    throw DISAError("SetReorientationAngle: expected degrees of 0 or more, got " + std::to_string(degrees));
  }
  if (m_ReorientationAngle != degrees)
  {
    m_ReorientationAngle = degrees;
    this->Modified();
  }
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::SetExecutionProviders(
  const ProviderList & providers)
{
  if (m_ExecutionProviders != providers)
  {
    m_ExecutionProviders = providers;
    this->Modified();
  }
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::SetFixedFeatures(FeatureVolumeConstPointer features)
{
  m_GivenFixedFeatures = std::move(features);
  this->Modified();
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
auto
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::GetFixedFeatures() const
  -> FeatureVolumeConstPointer
{
  return m_GivenFixedFeatures ? m_GivenFixedFeatures : m_FixedInUse.GetCurrent().features;
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::SetMovingFeatures(
  FeatureVolumeConstPointer features)
{
  m_GivenMovingFeatures = std::move(features);
  this->Modified();
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
auto
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::GetMovingFeatures() const
  -> FeatureVolumeConstPointer
{
  return m_GivenMovingFeatures ? m_GivenMovingFeatures : m_MovingInUse.GetCurrent().smoothed;
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::SetFeatureExtractor(
  FeatureExtractorConstPointer extractor)
{
  m_FeatureExtractor = std::move(extractor);
  this->Modified();
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::SetMaximumNumberOfWorkUnits(
  const ThreadIdType number)
{
  m_Threader->SetNumberOfWorkUnits(number);
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
ThreadIdType
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::GetMaximumNumberOfWorkUnits() const
{
  return m_Threader->GetNumberOfWorkUnits();
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
ThreadIdType
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::GetNumberOfWorkUnitsUsed() const
{
  return m_NumberOfWorkUnitsUsed;
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::CheckTransforms() const
{
  DISA::ToStages(*this->m_FixedTransform);
  const DISA::TransformStages moving = DISA::ToStages(*this->m_MovingTransform);
  if (moving.numberOfParameters != this->GetNumberOfParameters())
  {
    throw DISAError("the moving transform has " + std::to_string(this->GetNumberOfParameters()) +
                    " parameters, its optimised parts have " + std::to_string(moving.numberOfParameters));
  }
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
disa::FeatureRequest
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::MakeRequest(int stride, double voxelSpacing) const
{
  disa::FeatureRequest request;
  request.model = m_Model;
  request.voxelSpacing = voxelSpacing;
  request.stride = stride;
  request.providers = m_ExecutionProviders;
  return request;
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::RequestFieldsOfView(disa::FeatureRequest & fixed,
                                                                                        disa::FeatureRequest & moving)
{
  const bool fixedEnds =
    !m_GivenFixedFeatures && m_FixedFieldOfView.EndsAt(*this->m_FixedImage, this->m_FixedImageMask.GetPointer());
  const bool movingEnds =
    !m_GivenMovingFeatures && m_MovingFieldOfView.EndsAt(*this->m_MovingImage, this->m_MovingImageMask.GetPointer());
  if (fixedEnds && !movingEnds)
  {
    fixed.fieldOfView = m_FixedFieldOfView.GetInside();
  }
  if (movingEnds && !fixedEnds)
  {
    moving.fieldOfView = m_MovingFieldOfView.GetInside();
  }
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
template <typename TImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::Extract(DISA::FeaturesInUse<TImage> & cache,
                                                                            const TImage *                image,
                                                                            const char *                  name,
                                                                            const disa::FeatureRequest &  request) const
{
  if (!m_FeatureExtractor)
  {
    throw DISAError("DISAImageToImageMetricv4 has nothing that runs the network: call SetFeatureExtractor, or give "
                    "features by SetFixedFeatures and SetMovingFeatures");
  }
  if (image->GetBufferPointer() == nullptr)
  {
    throw DISAError(std::string(name) + ": has no pixels; read it, or call Allocate and fill it");
  }
  const ModifiedTimeType modified = image->GetMTime();
  const auto             features = m_FeatureExtractor->Extract(DISA::ToView(*image, name), request);
  cache.Store({ image, modified, request, features, nullptr, 0.0 });
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::SetParameters(ParametersType & parameters)
{
  Superclass::SetParameters(parameters);
  m_Optimized = this->DescribeTransform();
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::UpdateTransformParameters(
  const DerivativeType & derivative,
  double                 factor)
{
  Superclass::UpdateTransformParameters(derivative, factor);
  m_Optimized = this->DescribeTransform();
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
auto
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::DescribeTransform() const -> OptimizedTransform
{
  const auto & parameters = this->GetParameters();
  std::size_t  hash = 0;
  for (const double parameter : parameters)
  {
    hash = (hash ^ std::hash<double>()(parameter)) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 32;
  }
  return { this->m_MovingTransform.GetPointer(), parameters.Size(), hash };
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
bool
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::IsWhereOptimizerStopped() const
{
  const OptimizedTransform now = this->DescribeTransform();
  return m_Optimized.transform == now.transform &&
         (m_Optimized.numberOfParameters != now.numberOfParameters || m_Optimized.hash == now.hash);
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::UpdateFeatures()
{
  const TFixedImage *  fixed = this->m_FixedImage;
  const double         voxelSpacing = this->GetVoxelSpacing();
  disa::FeatureRequest fixedRequest = this->MakeRequest(m_FixedStride, voxelSpacing);
  disa::FeatureRequest movingRequest = this->MakeRequest(m_MovingStride, MovingSpacingRatio * voxelSpacing);
  this->RequestFieldsOfView(fixedRequest, movingRequest);
  const bool hasFixed = m_GivenFixedFeatures || m_FixedInUse.Select(fixed, fixedRequest);
  const bool hasMoving = m_GivenMovingFeatures || m_MovingInUse.Select(this->m_MovingImage.GetPointer(), movingRequest);
  const bool isFurtherLevel = hasFixed && hasMoving && this->IsWhereOptimizerStopped();
  m_CurrentFeatureSmoothing = isFurtherLevel ? 0.5 * m_CurrentFeatureSmoothing : this->GetFeatureSmoothing();
  m_Optimized = {};
  if (!hasFixed)
  {
    this->Extract(m_FixedInUse, fixed, "fixed image", fixedRequest);
  }
  this->UpdateSamples();
  if (!m_GivenMovingFeatures)
  {
    this->UpdateMovingFeatures(movingRequest, hasMoving);
  }
  m_Objective.SetMoving(*this->GetMovingFeatures());
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::UpdateMovingFeatures(
  const disa::FeatureRequest & request,
  bool                         isCurrent)
{
  const disa::Matrix3 direction = this->GetParallelDirection();
  if (!isCurrent || (m_ReorientationAngle > 0.0 && disa::AngleBetween(*m_MovingInUse.GetCurrent().request.direction,
                                                                      direction) > m_ReorientationAngle))
  {
    disa::FeatureRequest parallel = request;
    parallel.direction = direction;
    this->Extract(m_MovingInUse, this->m_MovingImage.GetPointer(), "moving image", parallel);
  }
  this->SmoothMovingFeatures();
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
disa::Matrix3
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::GetParallelDirection() const
{
  disa::Matrix3 matrix;
  if (this->m_MovingTransform->IsLinear() && this->m_FixedTransform->IsLinear())
  {
    matrix = disa::Multiply(DISA::ToAffineMap(*this->m_MovingTransform).matrix,
                            disa::Inverse(DISA::ToAffineMap(*this->m_FixedTransform).matrix));
  }
  else
  {
    const disa::TransformChain toFixed(DISA::ToStages(*this->m_FixedTransform).stages);
    const disa::TransformChain toMoving(DISA::ToStages(*this->m_MovingTransform).stages);
    std::vector<disa::Vector3> fixedPoints, movingPoints;
    for (std::size_t i = 0; i < m_Objective.GetNumberOfSamples(); ++i)
    {
      fixedPoints.push_back(toFixed(m_Objective.GetPoint(i)));
      movingPoints.push_back(toMoving(m_Objective.GetPoint(i)));
    }
    matrix = disa::FitMatrix(fixedPoints, movingPoints);
  }
  return disa::Multiply(disa::NearestRotation(matrix), this->GetFixedFeatures()->GetFrame().direction);
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::SmoothMovingFeatures()
{
  auto &       moving = m_MovingInUse.GetCurrent();
  const double sigma = m_CurrentFeatureSmoothing;
  if (!moving.smoothed || moving.sigma != sigma)
  {
    moving.smoothed =
      sigma > 0.0
        ? std::make_shared<disa::FeatureVolume>(disa::Widen(*moving.features, DISA::ToFrame(*moving.image), sigma))
        : moving.features;
    moving.sigma = sigma;
  }
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::UpdateSamples()
{
  using VirtualPointType = typename Superclass::VirtualPointType;
  using FixedPointType = typename Superclass::FixedImagePointType;
  const auto isInsideMask = [this](const disa::Vector3 & point)
  {
    return !this->m_FixedImageMask ||
           this->m_FixedImageMask->IsInsideInWorldSpace(DISA::ToPoint<FixedPointType>(point));
  };
  const disa::FeatureVolume & features = *this->GetFixedFeatures();
  const disa::TransformChain  virtualToFixed(DISA::ToStages(*this->m_FixedTransform).stages);
  if (this->m_UseSampledPointSet)
  {
    std::vector<disa::Objective::Sample> samples;
    for (SizeValueType i = 0; i < this->GetNumberOfDomainPoints(); ++i)
    {
      const disa::Vector3 point = DISA::ToVector(this->m_VirtualSampledPointSet->GetPoint(i));
      const disa::Vector3 fixedPoint = virtualToFixed(point);
      if (isInsideMask(fixedPoint))
      {
        samples.push_back({ point, fixedPoint });
      }
    }
    m_Objective.SetFixedSamples(features, samples);
  }
  else
  {
    const disa::AffineMap toFixed = features.GetFrame().IndexToPhysical();
    const bool            isLinear = this->m_FixedTransform->IsLinear();
    const disa::AffineMap inverse =
      isLinear ? disa::Invert(DISA::ToAffineMap(*this->m_FixedTransform)) : disa::AffineMap();
    const auto &               size = features.GetFrame().size;
    std::vector<std::size_t>   cells;
    std::vector<disa::Vector3> points;
    for (std::size_t cell = 0; cell < features.GetFrame().NumberOfCells(); ++cell)
    {
      const disa::Vector3 index{ double(cell % size[0]),
                                 double(cell / size[0] % size[1]),
                                 double(cell / (size[0] * size[1])) };
      const disa::Vector3 fixedPoint = toFixed(index);
      if (!(features.GetWeights()[cell] > 0.0f) || !isInsideMask(fixedPoint))
      {
        continue;
      }
      const std::optional<disa::Vector3> point = isLinear ? inverse(fixedPoint) : virtualToFixed.Invert(fixedPoint);
      if (point && this->IsInsideVirtualDomain(DISA::ToPoint<VirtualPointType>(*point)))
      {
        cells.push_back(cell);
        if (!isLinear)
        {
          points.push_back(*point);
        }
      }
    }
    if (isLinear)
    {
      m_Objective.SetFixedCells(features, cells, disa::Compose(inverse, toFixed));
    }
    else
    {
      m_Objective.SetFixedCells(features, cells, points);
    }
  }
  if (!(m_Objective.GetTotalWeight() > 0.0))
  {
    throw DISAError("no fixed descriptor of any weight lies inside the virtual domain and the fixed mask; check the "
                    "mask, the sampled points and that they share the fixed image's physical space");
  }
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::CheckOverlap() const
{
  this->GetValue();
  if (this->m_NumberOfValidPoints == 0)
  {
    throw DISAError(
      "fixed and moving image do not overlap under the initial transform; start from one that brings them "
      "together, such as CenteredTransformInitializer's");
  }
  constexpr double littleOverlap = 0.1;
  const double     overlap = this->ComputeOverlap();
  if (overlap < littleOverlap)
  {
    itkWarningMacro("fixed and moving image overlap by " << std::round(1000.0 * overlap) / 10.0
                                                         << " % of the fixed samples' weight under the initial "
                                                            "transform; start nearer, or expect a local optimum");
  }
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
double
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::ComputeOverlap() const
{
  const disa::TransformChain toMoving(DISA::ToStages(*this->m_MovingTransform).stages);
  const disa::Frame          image = DISA::ToFrame(*this->m_MovingImage);
  const disa::AffineMap      toVoxel = image.PhysicalToIndex();
  double                     inside = 0.0;
  for (std::size_t i = 0; i < m_Objective.GetNumberOfSamples(); ++i)
  {
    const disa::Vector3 moved = toMoving(m_Objective.GetPoint(i));
    if (image.Contains(toVoxel(moved), 0.0) && (!this->m_MovingImageMask || this->IsInsideMovingMask(moved)))
    {
      inside += m_Objective.GetWeight(i);
    }
  }
  return inside / m_Objective.GetTotalWeight();
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
bool
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::IsInsideMovingMask(
  const disa::Vector3 & point) const
{
  return this->m_MovingImageMask->IsInsideInWorldSpace(DISA::ToPoint<typename Superclass::MovingImagePointType>(point));
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::InitializeSuperclass()
{
  try
  {
    Superclass::Initialize();
  }
  catch (const ExceptionObject & error)
  {
    std::istringstream lines(error.GetDescription());
    std::string        all, line;
    while (std::getline(lines, line))
    {
      all += all.empty() || line.empty() ? line : "; " + line;
    }
    throw DISAError(all);
  }
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::Initialize()
{
  if (this->m_FixedTransform && this->m_MovingTransform)
  {
    this->CheckTransforms(); // before ITK reads the field of a transform that has none
  }
  this->InitializeSuperclass();
  try
  {
    this->UpdateFeatures();
  }
  catch (const disa::Error & error)
  {
    std::throw_with_nested(DISAError(error.what()));
  }
  this->CheckOverlap();
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::RunInParallel(
  std::size_t                              count,
  const std::function<void(std::size_t)> & function) const
{
  m_NumberOfWorkUnitsUsed = std::min<ThreadIdType>(m_Threader->GetNumberOfWorkUnits(), count);
  if (m_NumberOfWorkUnitsUsed > 1)
  {
    disa::FirstException exception;
    m_Threader->ParallelizeArray(0, count, [&](SizeValueType i) { exception.Guard([&] { function(i); }); }, nullptr);
    exception.Rethrow();
    return;
  }
  for (std::size_t i = 0; i < count; ++i)
  {
    function(i);
  }
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
disa::Sums
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::EvaluateLinear(DerivativeType * derivative) const
{
  const disa::AffineMap map = DISA::ToAffineMap(*this->m_MovingTransform);
  const auto            isInsideMask = [this](const disa::Vector3 & point) { return this->IsInsideMovingMask(point); };
  const auto *          mask = this->m_MovingImageMask ? &isInsideMask : nullptr;
  std::vector<disa::Sums> chunks(m_Objective.GetNumberOfChunks());
  this->RunInParallel(chunks.size(),
                      [&](std::size_t chunk)
                      { chunks[chunk] = m_Objective.EvaluateChunk(chunk, map, derivative != nullptr, mask); });
  disa::Sums sums;
  for (const disa::Sums & chunk : chunks)
  {
    sums += chunk;
  }
  if (derivative != nullptr)
  {
    derivative->Fill(0.0);
    DISA::AddLinearDerivative(*this->m_MovingTransform, sums, m_Objective.GetCentre(), derivative->data_block());
  }
  return sums;
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
disa::Sums
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::EvaluateChain(DerivativeType * derivative) const
{
  const DISA::TransformStages                stages = DISA::ToStages(*this->m_MovingTransform);
  std::function<bool(const disa::Vector3 &)> isInsideMask;
  if (this->m_MovingImageMask)
  {
    isInsideMask = [this](const disa::Vector3 & point) { return this->IsInsideMovingMask(point); };
  }
  const disa::ChainSums sums =
    disa::EvaluateChain(m_Objective,
                        disa::TransformChain(stages.stages),
                        isInsideMask,
                        derivative != nullptr ? derivative->data_block() : nullptr,
                        { m_Threader->GetNumberOfWorkUnits(),
                          [this](std::size_t count, const auto & function) { this->RunInParallel(count, function); } });
  for (std::size_t s = 0; s < stages.stages.size() && derivative != nullptr; ++s)
  {
    const disa::Stage & stage = stages.stages[s];
    if (stage.isOptimized && std::holds_alternative<disa::ProbePush>(stage.map))
    {
      std::copy(sums.pushes[s].begin(), sums.pushes[s].end(), derivative->data_block() + stage.firstParameter);
    }
    else if (stage.isOptimized && std::holds_alternative<disa::AffineMap>(stage.map))
    {
      std::fill_n(derivative->data_block() + stage.firstParameter, stages.transforms[s]->GetNumberOfParameters(), 0.0);
      DISA::AddLinearDerivative(*stages.transforms[s],
                                sums.affine[s],
                                m_Objective.GetCentre(),
                                derivative->data_block() + stage.firstParameter);
    }
  }
  disa::Sums result;
  result.validPoints = sums.validPoints;
  result.value = sums.value;
  return result;
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::Evaluate(DerivativeType * derivative) const
{
  if (m_Objective.GetNumberOfSamples() == 0)
  {
    throw DISAError("DISAImageToImageMetricv4 has no samples yet; set the images and call Initialize first");
  }
  if (derivative != nullptr)
  {
    derivative->SetSize(this->GetNumberOfParameters());
  }
  const disa::Sums sums =
    this->m_MovingTransform->IsLinear() ? this->EvaluateLinear(derivative) : this->EvaluateChain(derivative);
  this->m_NumberOfValidPoints = sums.validPoints;
  this->m_Value = -sums.value;
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
auto
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::GetValue() const -> MeasureType
{
  this->Evaluate(nullptr);
  return this->m_Value;
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::GetDerivative(DerivativeType & derivative) const
{
  this->Evaluate(&derivative);
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::GetValueAndDerivative(
  MeasureType &    value,
  DerivativeType & derivative) const
{
  this->Evaluate(&derivative);
  value = this->m_Value;
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::PrintSelf(std::ostream & os, Indent indent) const
{
  Superclass::PrintSelf(os, indent);
  os << indent << "Model: " << m_Model << std::endl;
  os << indent << "VoxelSpacing: " << this->GetVoxelSpacing() << " mm" << std::endl;
  os << indent << "FixedStride: " << m_FixedStride << std::endl;
  os << indent << "MovingStride: " << m_MovingStride << std::endl;
  os << indent
     << "FeatureSmoothing: " << (m_FeatureSmoothing ? std::to_string(*m_FeatureSmoothing) + " mm" : "by the transform")
     << std::endl;
  os << indent << "CurrentFeatureSmoothing: " << m_CurrentFeatureSmoothing << " mm" << std::endl;
  os << indent << "ReorientationAngle: " << m_ReorientationAngle << " degrees" << std::endl;
  os << indent << "ExecutionProviders:";
  for (const std::string & provider : m_ExecutionProviders)
  {
    os << ' ' << provider;
  }
  os << std::endl;
  os << indent << "NumberOfSamples: " << m_Objective.GetNumberOfSamples() << std::endl;
}

} // namespace itk

#endif
