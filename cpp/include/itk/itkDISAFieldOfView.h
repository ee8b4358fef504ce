// SPDX-License-Identifier: Apache-2.0
#ifndef itkDISAFieldOfView_h
#define itkDISAFieldOfView_h

#include "disa/features/FeatureExtractor.h"
#include "disa/features/VoxelSpacing.h"
#include "itkDISAGeometry.h"
#include "itkImageRegionConstIteratorWithIndex.h"
#include "itkSmartPointer.h"
#include "itkSpatialObject.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

namespace itk
{
namespace DISA
{

/** \brief What a mask leaves of an image, and whether the image ends there, as an ultrasound sector does: all beyond
 * it, of which there is some, has one value. Looked at again only where the image or the mask has changed. */
template <typename TImage>
class FieldOfView
{
public:
  using MaskType = SpatialObject<TImage::ImageDimension>;

  /** \param mask may be null, and then no image ends at it. */
  bool
  EndsAt(const TImage & image, const MaskType * mask)
  {
    this->Update(image, mask);
    return m_Inside != nullptr;
  }

  /** \brief mm^3 of the image that are there to be compared: within a mask beyond which the image goes on, and without
   * padding. Infinity where the image ends at its mask, or has no pixels yet.
   * \param mask may be null.
   * \param extractor knows padding; may be null. */
  double
  Shown(const TImage & image, const MaskType * mask, const disa::FeatureExtractor * extractor)
  {
    this->Update(image, mask);
    if (m_Extractor != extractor || m_ShownModified != image.GetMTime() || m_ShownOf != &image)
    {
      const bool isKnown = extractor != nullptr && image.GetBufferPointer() != nullptr;
      m_Shown = isKnown ? extractor->ShownVolume(ToView(image, "image")) : std::numeric_limits<double>::infinity();
      m_Extractor = extractor;
      m_ShownOf = &image;
      m_ShownModified = image.GetMTime();
    }
    return m_Inside ? std::numeric_limits<double>::infinity() : std::min(m_Left, m_Shown);
  }

  /** \brief 1 for each voxel inside, x fastest; null if the image does not end at its mask. */
  std::shared_ptr<const std::vector<std::uint8_t>>
  GetInside() const
  {
    return m_Inside;
  }

private:
  void
  Update(const TImage & image, const MaskType * mask)
  {
    const ModifiedTimeType imageModified = image.GetMTime();
    const ModifiedTimeType maskModified = mask != nullptr ? mask->GetMTime() : 0;
    if (m_Image == &image && m_ImageModified == imageModified && m_Mask == mask && m_MaskModified == maskModified)
    {
      return;
    }
    const bool isMasked = mask != nullptr && image.GetBufferPointer() != nullptr;
    m_Inside = isMasked ? Look(image, *mask) : nullptr;
    m_Left = isMasked && m_Inside == nullptr ? Volume(image, *mask) : std::numeric_limits<double>::infinity();
    m_Image = &image;
    m_ImageModified = imageModified;
    m_Mask = mask;
    m_MaskModified = maskModified;
  }

  static double
  Volume(const TImage & image, const MaskType & mask)
  {
    const disa::Frame     frame = ToFrame(image);
    const disa::Frame     lattice = disa::Lattice(frame);
    const disa::AffineMap toPoint = lattice.IndexToPhysical();
    std::size_t           inside = 0;
    for (std::size_t cell = 0; cell < lattice.NumberOfCells(); ++cell)
    {
      inside += mask.IsInsideInWorldSpace(ToPoint<typename TImage::PointType>(toPoint(lattice.IndexOf(cell)))) ? 1 : 0;
    }
    return disa::MaskVolume(frame, inside);
  }

  static std::shared_ptr<const std::vector<std::uint8_t>>
  Look(const TImage & image, const MaskType & mask)
  {
    const auto &                              region = image.GetBufferedRegion();
    std::vector<std::uint8_t>                 inside;
    std::optional<typename TImage::PixelType> beyond;
    inside.reserve(region.GetNumberOfPixels());
    for (ImageRegionConstIteratorWithIndex<TImage> voxel(&image, region); !voxel.IsAtEnd(); ++voxel)
    {
      typename TImage::PointType point;
      image.TransformIndexToPhysicalPoint(voxel.GetIndex(), point);
      inside.push_back(mask.IsInsideInWorldSpace(point) ? 1 : 0);
      if (inside.back() == 0 && voxel.Get() != beyond.value_or(voxel.Get()))
      {
        return nullptr;
      }
      if (inside.back() == 0)
      {
        beyond = voxel.Get();
      }
    }
    return beyond ? std::make_shared<const std::vector<std::uint8_t>>(std::move(inside)) : nullptr;
  }

  SmartPointer<const TImage>                       m_Image{};
  SmartPointer<const MaskType>                     m_Mask{};
  ModifiedTimeType                                 m_ImageModified{ 0 };
  ModifiedTimeType                                 m_MaskModified{ 0 };
  std::shared_ptr<const std::vector<std::uint8_t>> m_Inside{};
  double                                           m_Left{ std::numeric_limits<double>::infinity() };
  const disa::FeatureExtractor *                   m_Extractor{ nullptr }; ///< that knew m_Shown, of m_ShownOf
  SmartPointer<const TImage>                       m_ShownOf{};
  ModifiedTimeType                                 m_ShownModified{ 0 };
  double                                           m_Shown{ std::numeric_limits<double>::infinity() };
};

} // namespace DISA
} // namespace itk

#endif
