// SPDX-License-Identifier: Apache-2.0
#include "itkDISATransformAdaptors.h"

#include "itkBSplineTransform.h"
#include "itkBSplineTransformParametersAdaptor.h"
#include "itkDisplacementFieldTransform.h"
#include "itkDisplacementFieldTransformParametersAdaptor.h"
#include "itkShrinkImageFilter.h"

namespace itk
{
namespace DISA
{
namespace
{

using FieldTransformType = DisplacementFieldTransform<double, 3>;
using SplineTransformType = BSplineTransform<double, 3, 3>;

/** Where an image's voxels lie once it is shrunk; it has none. */
template <typename TImage>
typename TImage::Pointer
ShrunkInformation(const TImage & image, const FixedArray<unsigned int, 3> & factors)
{
  const auto filter = ShrinkImageFilter<TImage, TImage>::New();
  filter->SetShrinkFactors(factors);
  filter->SetInput(&image);
  filter->UpdateOutputInformation();
  return filter->GetOutput();
}

TransformAdaptorType::Pointer
MakeFieldAdaptor(const FieldTransformType & transform, const FixedArray<unsigned int, 3> & factors)
{
  const auto shrunk = ShrunkInformation(*transform.GetDisplacementField(), factors);
  const auto adaptor = DisplacementFieldTransformParametersAdaptor<FieldTransformType>::New();
  adaptor->SetRequiredSpacing(shrunk->GetSpacing());
  adaptor->SetRequiredSize(shrunk->GetLargestPossibleRegion().GetSize());
  adaptor->SetRequiredDirection(shrunk->GetDirection());
  adaptor->SetRequiredOrigin(shrunk->GetOrigin());
  return adaptor.GetPointer();
}

TransformAdaptorType::Pointer
MakeSplineAdaptor(SplineTransformType &               transform,
                  const RegistrationImageType &       fixedImage,
                  const FixedArray<unsigned int, 3> & factors,
                  unsigned int                        scale)
{
  auto                                        mesh = transform.GetTransformDomainMeshSize();
  SplineTransformType::PhysicalDimensionsType extent;
  for (unsigned int i = 0; i < 3; ++i)
  {
    mesh[i] *= scale;
    extent[i] =
      fixedImage.GetSpacing()[i] * static_cast<double>(fixedImage.GetLargestPossibleRegion().GetSize()[i] - 1);
  }
  const auto shrunk = ShrunkInformation(fixedImage, factors);
  const auto adaptor = BSplineTransformParametersAdaptor<SplineTransformType>::New();
  adaptor->SetTransform(&transform);
  adaptor->SetRequiredTransformDomainMeshSize(mesh);
  adaptor->SetRequiredTransformDomainOrigin(shrunk->GetOrigin());
  adaptor->SetRequiredTransformDomainDirection(shrunk->GetDirection());
  adaptor->SetRequiredTransformDomainPhysicalDimensions(extent);
  return adaptor.GetPointer();
}

} // namespace

TransformAdaptorType::Pointer
MakeTransformAdaptor(Transform<double, 3, 3> &           transform,
                     const RegistrationImageType &       fixedImage,
                     const FixedArray<unsigned int, 3> & shrinkFactors,
                     unsigned int                        splineScale)
{
  if (const auto * field = dynamic_cast<const FieldTransformType *>(&transform))
  {
    return MakeFieldAdaptor(*field, shrinkFactors);
  }
  auto * spline = dynamic_cast<SplineTransformType *>(&transform);
  return spline != nullptr && splineScale > 0 ? MakeSplineAdaptor(*spline, fixedImage, shrinkFactors, splineScale)
                                              : nullptr;
}

} // namespace DISA
} // namespace itk
