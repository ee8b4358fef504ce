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

/** \brief What moving features are compared as, and what that was made from. */
struct ComparedFeatures
{
  using FeaturesPointer = std::shared_ptr<const disa::FeatureVolume>;

  FeaturesPointer  features{};  ///< as extracted or given
  double           sigma = 0.0; ///< mm
  bool             isCentred = false;
  const void *     mask = nullptr;
  ModifiedTimeType maskModified = 0;
  FeaturesPointer  sharp{}; ///< cut by the mask and centred
  FeaturesPointer  field{}; ///< the same and smoothed

  /** True if they are the same, made in the same way. */
  bool
  IsLike(const ComparedFeatures & other) const
  {
    return features == other.features && sigma == other.sigma && isCentred == other.isCentred && mask == other.mask &&
           maskModified == other.maskModified;
  }
};

/** \brief Features of one image, as extracted and as compared, and what they were made from. */
template <typename TImage>
struct ExtractedFeatures
{
  using FeaturesPointer = std::shared_ptr<const disa::FeatureVolume>;

  SmartPointer<const TImage> image{};
  ModifiedTimeType           modified = 0;
  disa::FeatureRequest       request{};
  FeaturesPointer            features{};
  ComparedFeatures           compared{};

  /** True if the features are of this image, unmodified, and of this request, directions aside. */
  bool
  IsOf(const TImage * other, const disa::FeatureRequest & wanted) const
  {
    return features && image == other && modified == other->GetMTime() && request.IsLike(wanted);
  }
};

/** \brief The features that a metric uses: those of the last two images, for a symmetric registration (SyN) gives it
 * two in turn. */
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
