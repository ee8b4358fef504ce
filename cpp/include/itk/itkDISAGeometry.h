// SPDX-License-Identifier: Apache-2.0
#ifndef itkDISAGeometry_h
#define itkDISAGeometry_h

#include "disa/core/Geometry.h"
#include "disa/features/FeatureExtractor.h"

#include <type_traits>

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

/** Where the buffered voxels of an image lie. */
template <typename TImage>
disa::Frame
ToFrame(const TImage & image)
{
  const auto &               region = image.GetBufferedRegion();
  typename TImage::PointType origin;
  image.TransformIndexToPhysicalPoint(region.GetIndex(), origin);
  disa::Frame frame;
  frame.origin = ToVector(origin);
  for (unsigned int i = 0; i < 3; ++i)
  {
    frame.size[i] = region.GetSize(i);
    frame.spacing[i] = image.GetSpacing()[i];
    for (unsigned int j = 0; j < 3; ++j)
    {
      frame.direction[3 * i + j] = image.GetDirection()(i, j);
    }
  }
  return frame;
}

template <typename TImage>
disa::ImageView
ToView(const TImage & image, const char * name)
{
  return { name, image.GetBufferPointer(), std::is_same<typename TImage::PixelType, double>::value, ToFrame(image) };
}

} // namespace DISA

} // namespace itk

#endif
