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
  if (this->m_FixedImage.IsNull() || this->m_MovingImage.IsNull())
  {
    return ofBodies;
  }
  const auto   extractor = m_FeatureExtractor.get();
  const double fixed = m_FixedFieldOfView.Shown(*this->m_FixedImage, this->m_FixedImageMask.GetPointer(), extractor);
  const double moving =
    m_MovingFieldOfView.Shown(*this->m_MovingImage, this->m_MovingImageMask.GetPointer(), extractor);
  return disa::AutomaticVoxelSpacing(
    DISA::ToFrame(*this->m_FixedImage), DISA::ToFrame(*this->m_MovingImage), std::min(fixed, moving));
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::CheckStride(const char * setter, int stride)
{
  if (stride != 4 && stride != 2 && stride != 1)
  {
    throw DISAError(std::string(setter) + ": expected 4, 2 or 1 voxels, got " + std::to_string(stride));
  }
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::SetFixedStride(int stride)
{
  CheckStride("SetFixedStride", stride);
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
  CheckStride("SetMovingStride", stride);
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
    this->Modified();
  }
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
double
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::GetFeatureSmoothing() const
{
  if (m_FeatureSmoothing)
  {
    return *m_FeatureSmoothing;
  }
  const unsigned int levels = this->GetRemainingLevels();
  const double       voxels = levels == 0 ? 0.0 : levels == 1 ? 0.5 * WidestSmoothing : WidestSmoothing;
  return DISA::IsRigid(DISA::ToStages(*this->m_MovingTransform)) ? voxels * this->GetVoxelSpacing() : 0.0;
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::SetRemainingLevels(unsigned int levels)
{
  if (m_RemainingLevels != levels)
  {
    m_RemainingLevels = levels;
    this->Modified();
  }
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
unsigned int
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::GetRemainingLevels() const
{
  if (m_RemainingLevels)
  {
    return *m_RemainingLevels;
  }
  if (!this->m_FixedImage || !this->m_VirtualImage)
  {
    return 0;
  }
  double shrink = 1.0;
  for (unsigned int i = 0; i < 3; ++i)
  {
    shrink = std::max(shrink, this->GetVirtualSpacing()[i] / this->m_FixedImage->GetSpacing()[i]);
  }
  const bool isWhole = std::abs(shrink - std::round(shrink)) < 1e-3;
  return isWhole ? static_cast<unsigned int>(std::lround(std::log2(shrink))) : 0;
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
  return m_GivenFixedFeatures ? m_GivenFixedFeatures : m_FixedSamples;
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
  return m_GivenMovingFeatures ? m_GivenMovingFeatures : m_MovingInUse.GetCurrent().compared.field;
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
  DISA::CheckDisplacements(DISA::ToStages(*this->m_FixedTransform));
  const DISA::TransformStages moving = DISA::ToStages(*this->m_MovingTransform);
  DISA::CheckDisplacements(moving);
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
  cache.Store({ image, modified, request, features, {} });
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
bool
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::ComparesBothWays() const
{
  return !m_GivenFixedFeatures && !m_GivenMovingFeatures && !this->m_UseSampledPointSet &&
         this->m_FixedTransform->IsLinear() && this->m_MovingTransform->IsLinear();
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
bool
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::IsCentred() const
{
  return !m_GivenFixedFeatures && !m_GivenMovingFeatures &&
         m_CurrentFeatureSmoothing < WidestSmoothing * this->GetVoxelSpacing();
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::UpdateFeatures()
{
  const TFixedImage *  fixed = this->m_FixedImage;
  const double         voxelSpacing = this->GetVoxelSpacing();
  const bool           bothWays = this->ComparesBothWays();
  disa::FeatureRequest fixedRequest =
    this->MakeRequest(bothWays ? std::min(m_FixedStride, m_MovingStride) : m_FixedStride, voxelSpacing);
  disa::FeatureRequest movingRequest = this->MakeRequest(m_MovingStride, MovingSpacingRatio * voxelSpacing);
  this->RequestFieldsOfView(fixedRequest, movingRequest);
  const bool hasFixed = m_GivenFixedFeatures || m_FixedInUse.Select(fixed, fixedRequest);
  const bool hasMoving = m_GivenMovingFeatures || m_MovingInUse.Select(this->m_MovingImage.GetPointer(), movingRequest);
  m_CurrentFeatureSmoothing = this->GetFeatureSmoothing();
  if (!hasFixed)
  {
    this->Extract(m_FixedInUse, fixed, "fixed image", fixedRequest);
  }
  this->UpdateFixedSamples();
  if (!m_GivenMovingFeatures)
  {
    this->UpdateMovingFeatures(movingRequest, hasMoving);
  }
  this->CompareMovingFeatures();
  m_Forward.SetMoving(*this->GetComparedMovingFeatures().field);
  m_Backward = disa::Objective();
  if (bothWays)
  {
    this->UpdateMovingCells();
  }
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
    for (std::size_t i = 0; i < m_Forward.GetNumberOfSamples(); ++i)
    {
      fixedPoints.push_back(toFixed(m_Forward.GetPoint(i)));
      movingPoints.push_back(toMoving(m_Forward.GetPoint(i)));
    }
    matrix = disa::FitMatrix(fixedPoints, movingPoints);
  }
  return disa::Multiply(disa::NearestRotation(matrix), this->GetFixedFeatures()->GetFrame().direction);
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
auto
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::GetDenseFixedFeatures() const
  -> FeatureVolumeConstPointer
{
  return m_GivenFixedFeatures ? m_GivenFixedFeatures : m_FixedInUse.GetCurrent().features;
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
DISA::ComparedFeatures &
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::GetComparedMovingFeatures()
{
  return m_GivenMovingFeatures ? m_GivenCompared : m_MovingInUse.GetCurrent().compared;
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::CompareMovingFeatures()
{
  DISA::ComparedFeatures wanted;
  wanted.features = m_GivenMovingFeatures ? m_GivenMovingFeatures : m_MovingInUse.GetCurrent().features;
  wanted.sigma = m_GivenMovingFeatures ? 0.0 : m_CurrentFeatureSmoothing;
  wanted.isCentred = this->IsCentred();
  wanted.mask = this->m_MovingImageMask.GetPointer();
  wanted.maskModified = this->m_MovingImageMask ? this->m_MovingImageMask->GetMTime() : 0;
  DISA::ComparedFeatures & compared = this->GetComparedMovingFeatures();
  if (compared.IsLike(wanted))
  {
    return;
  }
  const disa::FeatureVolume & features = *wanted.features;
  std::vector<std::uint8_t>   inside;
  if (this->m_MovingImageMask)
  {
    const disa::AffineMap toPoint = features.GetFrame().IndexToPhysical();
    for (std::size_t cell = 0; cell < features.GetFrame().NumberOfCells(); ++cell)
    {
      inside.push_back(this->IsInsideMovingMask(toPoint(features.GetFrame().IndexOf(cell))) ? 1 : 0);
    }
  }
  disa::FieldSettings settings;
  if (wanted.isCentred)
  {
    settings.mean = disa::MeanOf(features);
  }
  const disa::Frame image = DISA::ToFrame(*this->m_MovingImage);
  wanted.sharp = wanted.features;
  if (wanted.isCentred || this->m_MovingImageMask)
  {
    wanted.sharp = std::make_shared<disa::FeatureVolume>(disa::MakeField(features, image, inside, settings));
  }
  settings.sigma = wanted.sigma;
  wanted.field = wanted.sharp;
  if (settings.sigma > 0.0)
  {
    wanted.field = std::make_shared<disa::FeatureVolume>(disa::MakeField(features, image, inside, settings));
  }
  compared = std::move(wanted);
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
bool
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::IsInsideFixedMask(const disa::Vector3 & point) const
{
  return !this->m_FixedImageMask ||
         this->m_FixedImageMask->IsInsideInWorldSpace(DISA::ToPoint<typename Superclass::FixedImagePointType>(point));
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
bool
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::IsInsideVirtual(const disa::Vector3 & point) const
{
  return this->IsInsideVirtualDomain(DISA::ToPoint<typename Superclass::VirtualPointType>(point));
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
std::vector<std::uint8_t>
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::FindFixedInside(
  const disa::FeatureVolume & features) const
{
  const disa::Frame &       frame = features.GetFrame();
  const disa::AffineMap     toFixed = frame.IndexToPhysical();
  const disa::AffineMap     toVirtual = disa::Invert(DISA::ToAffineMap(*this->m_FixedTransform));
  std::vector<std::uint8_t> inside(frame.NumberOfCells());
  for (std::size_t cell = 0; cell < inside.size(); ++cell)
  {
    const disa::Vector3 point = toFixed(frame.IndexOf(cell));
    inside[cell] = this->IsInsideFixedMask(point) && this->IsInsideVirtual(toVirtual(point)) ? 1 : 0;
  }
  return inside;
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::UpdateFixedSamples()
{
  const FeatureVolumeConstPointer dense = this->GetDenseFixedFeatures();
  m_FixedSamples = dense;
  if (!m_GivenFixedFeatures && m_FixedInUse.GetCurrent().request.stride < m_FixedStride)
  {
    const auto step = static_cast<std::size_t>(m_FixedStride / m_FixedInUse.GetCurrent().request.stride);
    m_FixedSamples = std::make_shared<disa::FeatureVolume>(disa::Thinned(*dense, step));
  }
  if (this->IsCentred())
  {
    m_FixedSamples = std::make_shared<disa::FeatureVolume>(disa::Centred(*m_FixedSamples, disa::MeanOf(*dense)));
  }
  if (this->m_UseSampledPointSet)
  {
    this->UpdateSampledPoints();
  }
  else
  {
    this->UpdateFixedCells();
  }
  if (!(m_Forward.GetTotalWeight() > 0.0))
  {
    throw DISAError("no fixed descriptor of any weight lies inside the virtual domain and the fixed mask; check the "
                    "mask, the sampled points and that they share the fixed image's physical space");
  }
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::UpdateSampledPoints()
{
  const disa::TransformChain           virtualToFixed(DISA::ToStages(*this->m_FixedTransform).stages);
  std::vector<disa::Objective::Sample> samples;
  for (SizeValueType i = 0; i < this->GetNumberOfDomainPoints(); ++i)
  {
    const disa::Vector3 point = DISA::ToVector(this->m_VirtualSampledPointSet->GetPoint(i));
    const disa::Vector3 fixedPoint = virtualToFixed(point);
    if (this->IsInsideFixedMask(fixedPoint))
    {
      samples.push_back({ point, fixedPoint });
    }
  }
  m_Forward.SetFixedSamples(*m_FixedSamples, samples);
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::UpdateFixedCells()
{
  const disa::FeatureVolume & features = *m_FixedSamples;
  const disa::Frame &         frame = features.GetFrame();
  if (this->m_FixedTransform->IsLinear())
  {
    const std::vector<std::uint8_t> inside = this->FindFixedInside(features);
    std::vector<float>              weights = features.GetWeights();
    for (std::size_t cell = 0; cell < weights.size(); ++cell)
    {
      weights[cell] = inside[cell] != 0 ? weights[cell] : 0.0f;
    }
    const disa::AffineMap toVirtual = disa::Invert(DISA::ToAffineMap(*this->m_FixedTransform));
    disa::WeightedSample  all = disa::SampleCells(weights, weights.size(), Seed);
    m_SamplesEachWay = (all.cells.size() + 1) / 2;
    m_Forward.SetFixedCells(features,
                            this->ComparesBothWays() ? disa::SampleCells(weights, m_SamplesEachWay, Seed) : all,
                            disa::Compose(toVirtual, frame.IndexToPhysical()));
    return;
  }
  const disa::TransformChain virtualToFixed(DISA::ToStages(*this->m_FixedTransform).stages);
  const disa::AffineMap      toFixed = frame.IndexToPhysical();
  disa::WeightedSample       sample;
  std::vector<disa::Vector3> points;
  for (std::size_t cell = 0; cell < frame.NumberOfCells(); ++cell)
  {
    const float         weight = features.GetWeights()[cell];
    const disa::Vector3 fixedPoint = toFixed(frame.IndexOf(cell));
    if (weight > 0.0f && this->IsInsideFixedMask(fixedPoint))
    {
      const std::optional<disa::Vector3> point = virtualToFixed.Invert(fixedPoint);
      if (point && this->IsInsideVirtual(*point))
      {
        sample.cells.push_back(cell);
        sample.weights.push_back(weight);
        points.push_back(*point);
      }
    }
  }
  m_Forward.SetFixedCells(features, sample, points);
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::UpdateMovingCells()
{
  const disa::FeatureVolume & sharp = *this->GetComparedMovingFeatures().sharp;
  const auto                  step = static_cast<std::size_t>(std::max(1, m_FixedStride / m_MovingStride));
  const disa::FeatureVolume   samples = disa::Thinned(sharp, step);
  m_Backward.SetFixedCells(
    samples, disa::SampleCells(samples.GetWeights(), m_SamplesEachWay, Seed), samples.GetFrame().IndexToPhysical());
  if (!(m_Backward.GetTotalWeight() > 0.0))
  {
    throw DISAError("no moving descriptor of any weight lies inside the moving mask; check that it shares the moving "
                    "image's physical space");
  }
  const disa::FeatureVolume & fixed = *this->GetDenseFixedFeatures();
  disa::FieldSettings         settings;
  settings.sigma = m_CurrentFeatureSmoothing;
  if (this->IsCentred())
  {
    settings.mean = disa::MeanOf(fixed);
  }
  m_Backward.SetMoving(
    disa::MakeField(fixed, DISA::ToFrame(*this->m_FixedImage), this->FindFixedInside(fixed), settings));
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::CheckOverlap() const
{
  const double overlap = this->ComputeOverlap();
  if (!(overlap > 0.0))
  {
    throw DISAError(
      "fixed and moving image do not overlap under the initial transform; start from one that brings them "
      "together, such as CenteredTransformInitializer's");
  }
  constexpr double littleOverlap = 0.1;
  if (overlap < littleOverlap)
  {
    itkWarningMacro("fixed and moving image overlap by " << std::round(1000.0 * overlap) / 10.0
                                                         << " % of the samples' weight under the initial transform; "
                                                            "start nearer, or expect a local optimum");
  }
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
double
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::ComputeOverlap() const
{
  const auto share = [](const disa::Objective & samples, const auto & isInside)
  {
    double inside = 0.0;
    for (std::size_t i = 0; i < samples.GetNumberOfSamples(); ++i)
    {
      inside += isInside(samples.GetPoint(i)) ? samples.GetWeight(i) : 0.0;
    }
    return samples.GetNumberOfSamples() > 0 ? inside / samples.GetTotalWeight() : 0.0;
  };
  const disa::TransformChain toMoving(DISA::ToStages(*this->m_MovingTransform).stages);
  const disa::Frame          moving = DISA::ToFrame(*this->m_MovingImage);
  const disa::AffineMap      toMovingVoxel = moving.PhysicalToIndex();
  const double               ofFixed = share(m_Forward,
                                             [&](const disa::Vector3 & point)
                                             {
                                 const disa::Vector3 moved = toMoving(point);
                                 return moving.Contains(toMovingVoxel(moved), 0.0) &&
                                        (!this->m_MovingImageMask || this->IsInsideMovingMask(moved));
                                             });
  if (m_Backward.GetNumberOfSamples() == 0)
  {
    return ofFixed;
  }
  const disa::AffineMap toVirtual = disa::Invert(DISA::ToAffineMap(*this->m_MovingTransform));
  const disa::AffineMap toFixed = DISA::ToAffineMap(*this->m_FixedTransform);
  const disa::Frame     fixed = DISA::ToFrame(*this->m_FixedImage);
  const disa::AffineMap toFixedVoxel = fixed.PhysicalToIndex();
  const double          ofMoving = share(m_Backward,
                                         [&](const disa::Vector3 & point)
                                         {
                                  const disa::Vector3 place = toVirtual(point);
                                  const disa::Vector3 read = toFixed(place);
                                  return fixed.Contains(toFixedVoxel(read), 0.0) && this->IsInsideFixedMask(read) &&
                                         this->IsInsideVirtual(place);
                                         });
  return std::max(ofFixed, ofMoving);
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
  const bool            wantGradient = derivative != nullptr;
  const disa::AffineMap map = DISA::ToAffineMap(*this->m_MovingTransform);
  const bool            hasInverse = disa::IsInvertible(map);
  const disa::AffineMap inverse = hasInverse ? disa::Invert(map) : map;
  const disa::AffineMap toFixed = disa::Compose(DISA::ToAffineMap(*this->m_FixedTransform), inverse);
  const std::size_t     forwardChunks = m_Forward.GetNumberOfChunks();
  const std::size_t     backwardChunks = hasInverse ? m_Backward.GetNumberOfChunks() : 0;

  std::vector<disa::Sums> chunks(forwardChunks + backwardChunks);
  this->RunInParallel(chunks.size(),
                      [&](std::size_t chunk)
                      {
                        chunks[chunk] = chunk < forwardChunks
                                          ? m_Forward.EvaluateChunk(chunk, map, wantGradient)
                                          : m_Backward.EvaluateChunk(chunk - forwardChunks, toFixed, wantGradient);
                      });
  disa::Sums forward, backward;
  for (std::size_t chunk = 0; chunk < chunks.size(); ++chunk)
  {
    (chunk < forwardChunks ? forward : backward) += chunks[chunk];
  }
  backward = disa::ThroughInverse(backward, toFixed, inverse);
  if (wantGradient)
  {
    derivative->Fill(0.0);
    DISA::AddLinearDerivative(*this->m_MovingTransform, forward, m_Forward.GetCentre(), derivative->data_block());
  }
  if (m_Backward.GetNumberOfSamples() == 0)
  {
    return forward;
  }
  if (wantGradient)
  {
    const disa::Vector3 centre = inverse(m_Backward.GetCentre());
    DISA::AddLinearDerivative(*this->m_MovingTransform, backward, centre, derivative->data_block());
    *derivative *= 0.5;
  }
  forward += backward;
  forward.value *= 0.5;
  return forward;
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
disa::Sums
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::EvaluateChain(DerivativeType * derivative) const
{
  const DISA::TransformStages stages = DISA::ToStages(*this->m_MovingTransform);
  const disa::ChainSums       sums =
    disa::EvaluateChain(m_Forward,
                        disa::TransformChain(stages.stages),
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
      DISA::AddLinearDerivative(
        *stages.transforms[s], sums.affine[s], m_Forward.GetCentre(), derivative->data_block() + stage.firstParameter);
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
  if (m_Forward.GetNumberOfSamples() == 0)
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
     << "FeatureSmoothing: " << (m_FeatureSmoothing ? std::to_string(*m_FeatureSmoothing) + " mm" : "by the level")
     << std::endl;
  os << indent << "RemainingLevels: " << this->GetRemainingLevels() << std::endl;
  os << indent << "CurrentFeatureSmoothing: " << m_CurrentFeatureSmoothing << " mm" << std::endl;
  os << indent << "ReorientationAngle: " << m_ReorientationAngle << " degrees" << std::endl;
  os << indent << "ExecutionProviders:";
  for (const std::string & provider : m_ExecutionProviders)
  {
    os << ' ' << provider;
  }
  os << std::endl;
  os << indent << "NumberOfFixedSamples: " << m_Forward.GetNumberOfSamples() << std::endl;
  os << indent << "NumberOfMovingSamples: " << m_Backward.GetNumberOfSamples() << std::endl;
}

} // namespace itk

#endif
