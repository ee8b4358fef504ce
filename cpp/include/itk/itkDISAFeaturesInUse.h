// SPDX-License-Identifier: Apache-2.0
#ifndef itkDISAFeaturesInUse_h
#define itkDISAFeaturesInUse_h

#include "disa/features/FeatureExtractor.h"

#include "itkSmartPointer.h"
#include "itkTimeStamp.h"

#include <array>
#include <memory>
#include <utility>

namespace itk
{
namespace DISA
{

/** \brief Features of one image, as extracted and as smoothed, and what they were made from. */
template <typename TImage>
struct ExtractedFeatures
{
  using FeaturesPointer = std::shared_ptr<const disa::FeatureVolume>;

  SmartPointer<const TImage> image{};
  ModifiedTimeType           modified = 0;
  disa::FeatureRequest       request{};
  FeaturesPointer            features{};
  FeaturesPointer            smoothed{};
  double                     sigma = 0.0; ///< of `smoothed`, mm

  /** True if the features are of this image, unmodified, and of this request, directions aside. */
  bool
  IsOf(const TImage * other, const disa::FeatureRequest & wanted) const
  {
    return features && image == other && modified == other->GetMTime() && request.IsLike(wanted);
  }
};

/** \brief The features that a metric uses: those of the last two images, for a symmetric registration (SyN) gives it two
 * in turn. */
template <typename TImage>
class FeaturesInUse
{
public:
  using EntryType = ExtractedFeatures<TImage>;

  /** The features in use. */
  EntryType &
  GetCurrent()
  {
    return m_Entries[0];
  }
  const EntryType &
  GetCurrent() const
  {
    return m_Entries[0];
  }

  /** Make the features of an image the current ones. False if there are none, and then nothing changes. */
  bool
  Select(const TImage * image, const disa::FeatureRequest & request)
  {
    if (!m_Entries[0].IsOf(image, request) && m_Entries[1].IsOf(image, request))
    {
      std::swap(m_Entries[0], m_Entries[1]);
    }
    return m_Entries[0].IsOf(image, request);
  }

  /** Make new features the current ones, in place of others of the same image or of the oldest. */
  void
  Store(EntryType entry)
  {
    if (m_Entries[0].image != entry.image)
    {
      std::swap(m_Entries[0], m_Entries[1]);
    }
    m_Entries[0] = std::move(entry);
  }

private:
  std::array<EntryType, 2> m_Entries;
};

} // namespace DISA
} // namespace itk

#endif
