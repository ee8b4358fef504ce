#ifndef itkDISAImageToImageMetricv4_hxx
#define itkDISAImageToImageMetricv4_hxx

#include <algorithm>
#include <cmath>

namespace itk
{
namespace DISA
{

template <typename TPoint>
TPoint
ToPoint(const disa::Vector3 & from)
{
  TPoint point;
  for (unsigned int i = 0; i < 3; ++i)
  {
    point[i] = from[i];
  }
  return point;
}

template <typename TPoint>
disa::Vector3
ToVector(const TPoint & from)
{
  return { from[0], from[1], from[2] };
}

/** The affine map that a linear transform is. */
template <typename TTransform>
disa::AffineMap
ToAffineMap(const TTransform & transform)
{
  constexpr double arm = 100.0; // mm; long against rounding in the offset
  using PointType = typename TTransform::InputPointType;
  disa::AffineMap map;
  map.offset = ToVector(transform.TransformPoint(ToPoint<PointType>({ 0.0, 0.0, 0.0 })));
  for (unsigned int axis = 0; axis < 3; ++axis)
  {
    disa::Vector3 end{};
    end[axis] = arm;
    const disa::Vector3 mapped = ToVector(transform.TransformPoint(ToPoint<PointType>(end)));
    for (unsigned int i = 0; i < 3; ++i)
    {
      map.matrix[3 * i + axis] = (mapped[i] - map.offset[i]) / arm;
    }
  }
  return map;
}

inline disa::AffineMap
Invert(const disa::AffineMap & map)
{
  disa::AffineMap     inverse{ disa::Inverse(map.matrix), {} };
  const disa::Vector3 shift = inverse(map.offset);
  for (unsigned int i = 0; i < 3; ++i)
  {
    inverse.offset[i] = -shift[i];
  }
  return inverse;
}

template <typename TImage>
disa::ImageView
ToView(const TImage & image, const char * name)
{
  const auto &    region = image.GetBufferedRegion();
  disa::ImageView view;
  view.name = name;
  view.pixels = image.GetBufferPointer();
  view.isDouble = std::is_same<typename TImage::PixelType, double>::value;
  typename TImage::PointType origin;
  image.TransformIndexToPhysicalPoint(region.GetIndex(), origin);
  view.frame.origin = ToVector(origin);
  for (unsigned int i = 0; i < 3; ++i)
  {
    view.frame.size[i] = region.GetSize(i);
    view.frame.spacing[i] = image.GetSpacing()[i];
    for (unsigned int j = 0; j < 3; ++j)
    {
      view.frame.direction[3 * i + j] = image.GetDirection()(i, j);
    }
  }
  return view;
}

} // namespace DISA

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
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::SetFeatureSpacing(double spacing)
{
  if (!(spacing > 0.0) || !std::isfinite(spacing))
  {
    throw DISAError("SetFeatureSpacing: expected a spacing in mm above 0, got " + std::to_string(spacing));
  }
  if (m_FeatureSpacing != spacing)
  {
    m_FeatureSpacing = spacing;
    this->Modified();
  }
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
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::SetFeatureSmoothing(double voxels)
{
  if (!(voxels >= 0.0) || !std::isfinite(voxels))
  {
    throw DISAError("SetFeatureSmoothing: expected 0 or more voxels, got " + std::to_string(voxels));
  }
  if (m_FeatureSmoothing != voxels)
  {
    m_FeatureSmoothing = voxels;
    m_SetParameters.clear();
    this->Modified();
  }
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
  return m_GivenFixedFeatures ? m_GivenFixedFeatures : m_ExtractedFixed.features;
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
  return m_GivenMovingFeatures ? m_GivenMovingFeatures : m_SmoothedMoving.features;
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
disa::AffineMap
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::GetVirtualToFixedMap() const
{
  return DISA::ToAffineMap(*this->m_FixedTransform);
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
disa::AffineMap
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::GetVirtualToMovingMap() const
{
  return DISA::ToAffineMap(*this->m_MovingTransform);
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::CheckTransforms() const
{
  if (!this->m_MovingTransform->IsLinear() || !this->m_FixedTransform->IsLinear())
  {
    const auto & culprit = this->m_MovingTransform->IsLinear() ? *this->m_FixedTransform : *this->m_MovingTransform;
    throw DISAError("DISAImageToImageMetricv4 takes linear transforms (translation, rigid, similarity, affine and "
                    "composites of them), got a " +
                    culprit.GetTransformTypeAsString());
  }
  for (const auto & map : { this->GetVirtualToFixedMap(), this->GetVirtualToMovingMap() })
  {
    if (!(std::abs(disa::Determinant(map.matrix)) > 1e-9))
    {
      throw DISAError("DISAImageToImageMetricv4 needs an invertible transform; its matrix has determinant " +
                      std::to_string(disa::Determinant(map.matrix)));
    }
  }
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
disa::FeatureRequest
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::MakeRequest(int stride, double spacing) const
{
  disa::FeatureRequest request;
  request.model = m_Model;
  request.spacing = spacing;
  request.stride = stride;
  request.providers = m_ExecutionProviders;
  return request;
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
template <typename TImage>
bool
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::IsCurrent(
  const ExtractedFeatures<TImage> & extracted,
  const TImage *                    image,
  const disa::FeatureRequest &      request)
{
  return extracted.features && extracted.image == image && extracted.modified == image->GetMTime() &&
         extracted.request.model == request.model && extracted.request.spacing == request.spacing &&
         extracted.request.stride == request.stride && extracted.request.providers == request.providers;
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
template <typename TImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::Extract(ExtractedFeatures<TImage> &  extracted,
                                                                            const TImage *               image,
                                                                            const disa::FeatureRequest & request) const
{
  if (!m_FeatureExtractor)
  {
    throw DISAError("DISAImageToImageMetricv4 has nothing that runs the network: call SetFeatureExtractor, or give "
                    "features by SetFixedFeatures and SetMovingFeatures");
  }
  const ModifiedTimeType modified = image->GetMTime();
  const auto             features = m_FeatureExtractor->Extract(DISA::ToView(*image, extracted.name), request);
  extracted = { extracted.name, image, modified, request, features };
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::SetParameters(ParametersType & parameters)
{
  Superclass::SetParameters(parameters);
  m_SetParameters.assign(parameters.begin(), parameters.end());
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::UpdateTransformParameters(
  const DerivativeType & derivative,
  double                 factor)
{
  Superclass::UpdateTransformParameters(derivative, factor);
  const auto & parameters = this->GetParameters();
  m_SetParameters.assign(parameters.begin(), parameters.end());
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
bool
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::IsWhereOptimizerStopped() const
{
  const auto & parameters = this->GetParameters();
  return std::equal(m_SetParameters.begin(), m_SetParameters.end(), parameters.begin(), parameters.end());
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::UpdateFeatures()
{
  const TFixedImage *        fixed = this->m_FixedImage;
  const TMovingImage *       moving = this->m_MovingImage;
  const disa::FeatureRequest fixedRequest = this->MakeRequest(m_FixedStride, m_FeatureSpacing);
  disa::FeatureRequest       movingRequest = this->MakeRequest(m_MovingStride, MovingSpacingRatio * m_FeatureSpacing);
  const bool                 hasFixed = m_GivenFixedFeatures || IsCurrent(m_ExtractedFixed, fixed, fixedRequest);
  const bool                 hasMoving = m_GivenMovingFeatures || IsCurrent(m_ExtractedMoving, moving, movingRequest);
  const bool                 isFurtherLevel = hasFixed && hasMoving && this->IsWhereOptimizerStopped();
  m_CurrentFeatureSmoothing = isFurtherLevel ? 0.5 * m_CurrentFeatureSmoothing : m_FeatureSmoothing;
  m_SetParameters.clear();
  if (!hasFixed)
  {
    this->Extract(m_ExtractedFixed, fixed, fixedRequest);
  }
  if (!m_GivenMovingFeatures)
  {
    const disa::Matrix3 direction = this->GetParallelDirection();
    if (!hasMoving || (m_ReorientationAngle > 0.0 &&
                       disa::AngleBetween(*m_ExtractedMoving.request.direction, direction) > m_ReorientationAngle))
    {
      movingRequest.direction = direction;
      this->Extract(m_ExtractedMoving, moving, movingRequest);
    }
    this->SmoothMovingFeatures();
  }
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
disa::Matrix3
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::GetParallelDirection() const
{
  const disa::AffineMap fixedToMoving =
    disa::Compose(this->GetVirtualToMovingMap(), DISA::Invert(this->GetVirtualToFixedMap()));
  return disa::Multiply(disa::NearestRotation(fixedToMoving.matrix), this->GetFixedFeatures()->GetFrame().direction);
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::SmoothMovingFeatures()
{
  const FeatureVolumeConstPointer from = m_ExtractedMoving.features;
  const double                    sigma = m_CurrentFeatureSmoothing * m_FeatureSpacing;
  if (m_SmoothedMoving.from != from || m_SmoothedMoving.sigma != sigma)
  {
    const disa::Frame image = DISA::ToView(*m_ExtractedMoving.image, m_ExtractedMoving.name).frame;
    m_SmoothedMoving = { from,
                         sigma,
                         sigma > 0.0 ? std::make_shared<disa::FeatureVolume>(disa::Widen(*from, image, sigma)) : from };
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
  const disa::AffineMap       virtualToFixed = this->GetVirtualToFixedMap();
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
    const disa::AffineMap      toFixed = features.GetFrame().IndexToPhysical();
    const disa::AffineMap      fixedToVirtual = DISA::Invert(virtualToFixed);
    const auto &               size = features.GetFrame().size;
    std::vector<std::size_t>   cells;
    std::vector<disa::Vector3> points;
    for (std::size_t cell = 0; cell < features.GetFrame().NumberOfCells(); ++cell)
    {
      const disa::Vector3 index{ double(cell % size[0]),
                                 double(cell / size[0] % size[1]),
                                 double(cell / (size[0] * size[1])) };
      const disa::Vector3 fixedPoint = toFixed(index);
      const disa::Vector3 point = fixedToVirtual(fixedPoint);
      if (features.GetWeights()[cell] > 0.0f && isInsideMask(fixedPoint) &&
          this->IsInsideVirtualDomain(DISA::ToPoint<VirtualPointType>(point)))
      {
        cells.push_back(cell);
        points.push_back(point);
      }
    }
    m_Objective.SetFixedCells(features, cells, std::move(points));
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
  if (this->Evaluate(false).validPoints == 0)
  {
    throw DISAError(
      "fixed and moving image do not overlap under the initial transform; start from one that brings them "
      "together, such as CenteredTransformInitializer's");
  }
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::Initialize()
{
  Superclass::Initialize();
  this->CheckTransforms();
  try
  {
    this->UpdateFeatures();
    this->UpdateSamples();
    m_Objective.SetMoving(*this->GetMovingFeatures());
  }
  catch (const disa::Error & error)
  {
    throw DISAError(error.what());
  }
  this->CheckOverlap();
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
disa::Sums
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::Evaluate(bool wantDerivative) const
{
  const disa::AffineMap map = this->GetVirtualToMovingMap();
  const auto            isInsideMask = [this](const disa::Vector3 & point)
  {
    return this->m_MovingImageMask->IsInsideInWorldSpace(
      DISA::ToPoint<typename Superclass::MovingImagePointType>(point));
  };
  const auto *            mask = this->m_MovingImageMask ? &isInsideMask : nullptr;
  std::vector<disa::Sums> chunks(m_Objective.GetNumberOfChunks());
  const auto              evaluate = [&](SizeValueType chunk)
  { chunks[chunk] = m_Objective.EvaluateChunk(chunk, map, wantDerivative, mask); };
  m_NumberOfWorkUnitsUsed = std::min<ThreadIdType>(m_Threader->GetNumberOfWorkUnits(), chunks.size());
  if (m_NumberOfWorkUnitsUsed <= 1)
  {
    for (SizeValueType chunk = 0; chunk < chunks.size(); ++chunk)
    {
      evaluate(chunk);
    }
  }
  else
  {
    m_Threader->ParallelizeArray(0, chunks.size(), evaluate, nullptr);
  }
  disa::Sums sums;
  for (const disa::Sums & chunk : chunks)
  {
    sums += chunk;
  }
  return sums;
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
auto
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::GetValue() const -> MeasureType
{
  const disa::Sums sums = this->Evaluate(false);
  this->m_NumberOfValidPoints = sums.validPoints;
  this->m_Value = -sums.value / m_Objective.GetTotalWeight();
  return this->m_Value;
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::GetDerivative(DerivativeType & derivative) const
{
  MeasureType value;
  this->GetValueAndDerivative(value, derivative);
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::GetValueAndDerivative(
  MeasureType &    value,
  DerivativeType & derivative) const
{
  using PointType = typename Superclass::MovingTransformType::InputPointType;
  const disa::Sums sums = this->Evaluate(true);
  const double     weight = m_Objective.GetTotalWeight();
  this->m_NumberOfValidPoints = sums.validPoints;
  this->m_Value = value = -sums.value / weight;

  // The Jacobian of a linear transform is affine in the point: J(q) = J(c) + sum_a (q_a - c_a) (J(c + e_a) - J(c)).
  const disa::Vector3 & centre = m_Objective.GetCentre();
  JacobianType          atCentre, atEnd;
  this->m_MovingTransform->ComputeJacobianWithRespectToParameters(DISA::ToPoint<PointType>(centre), atCentre);
  derivative.SetSize(this->GetNumberOfParameters());
  derivative.Fill(0.0);
  for (unsigned int i = 0; i < 3; ++i)
  {
    for (unsigned int k = 0; k < derivative.GetSize(); ++k)
    {
      derivative[k] += sums.gradient[i] * atCentre(i, k) / weight;
    }
  }
  for (unsigned int axis = 0; axis < 3; ++axis)
  {
    disa::Vector3 end = centre;
    end[axis] += 1.0;
    this->m_MovingTransform->ComputeJacobianWithRespectToParameters(DISA::ToPoint<PointType>(end), atEnd);
    for (unsigned int i = 0; i < 3; ++i)
    {
      for (unsigned int k = 0; k < derivative.GetSize(); ++k)
      {
        derivative[k] += sums.moment[3 * i + axis] * (atEnd(i, k) - atCentre(i, k)) / weight;
      }
    }
  }
}

template <typename TFixedImage, typename TMovingImage, typename TVirtualImage>
void
DISAImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage>::PrintSelf(std::ostream & os, Indent indent) const
{
  Superclass::PrintSelf(os, indent);
  os << indent << "Model: " << m_Model << std::endl;
  os << indent << "FeatureSpacing: " << m_FeatureSpacing << " mm" << std::endl;
  os << indent << "FixedStride: " << m_FixedStride << std::endl;
  os << indent << "MovingStride: " << m_MovingStride << std::endl;
  os << indent << "FeatureSmoothing: " << m_FeatureSmoothing << " voxels" << std::endl;
  os << indent << "CurrentFeatureSmoothing: " << m_CurrentFeatureSmoothing << " voxels" << std::endl;
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
