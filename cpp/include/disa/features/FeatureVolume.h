// SPDX-License-Identifier: Apache-2.0
#ifndef disa_features_FeatureVolume_h
#define disa_features_FeatureVolume_h

#include "disa/core/Geometry.h"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace disa
{

/** \brief What two volumes must have in common for their descriptors to be compared. */
struct FeatureKind
{
  bool          isQuantized = true; ///< int8, or float
  std::uint32_t network = 0;        ///< fingerprint of the weights of the network that made them; 0: unknown
};

/** \brief Throws RegistrationError if descriptors of two kinds cannot be compared; an unknown network passes. */
void CheckComparable(const FeatureKind & fixed, const FeatureKind & moving);

/** \brief A volume of 16-channel descriptors, its sampling weights and its place in physical space.
 *
 * Descriptors lie in memory as (z, y, x, channel), the channel fastest. A quantised descriptor is its int8 times
 * `GetScale()`; a float volume (scale 1) is the reference that quantisation is measured against. */
class FeatureVolume
{
public:
  static constexpr std::size_t Channels = 16;

  using Descriptors = std::variant<std::vector<std::int8_t>, std::vector<float>>;

  /** \param frame       place of the cells.
   *  \param descriptors 16 values a cell; int8 ones within -127 .. 127.
   *  \param scale       what one int8 step stands for; 1 for float descriptors.
   *  \param weights     w(p) of Eq. 1, one a cell, 0 or more.
   *  \param network     first 32 bits of the SHA-256 of the weights of the network that made them; 0 if unknown.
   *  Throws ImageError if sizes do not fit or a number is not finite. */
  FeatureVolume(Frame              frame,
                Descriptors        descriptors,
                float              scale,
                std::vector<float> weights,
                std::uint32_t      network = 0);

  const Frame &
  GetFrame() const
  {
    return m_Frame;
  }
  const Descriptors &
  GetDescriptors() const
  {
    return m_Descriptors;
  }
  float
  GetScale() const
  {
    return m_Scale;
  }
  const std::vector<float> &
  GetWeights() const
  {
    return m_Weights;
  }
  bool
  IsQuantized() const
  {
    return std::holds_alternative<std::vector<std::int8_t>>(m_Descriptors);
  }
  std::uint32_t
  GetNetwork() const
  {
    return m_Network;
  }
  FeatureKind
  GetKind() const
  {
    return { IsQuantized(), m_Network };
  }

  /** \brief The same in int8, the greatest channel of all at 127, halves rounded to even; itself if it is int8. */
  FeatureVolume Quantized() const;

  /** \brief Write to a file, whole or not at all, with a checksum. Throws ImageError naming the file. */
  void Save(const std::string & fileName) const;

  /** \brief Read what Save wrote. Throws ImageError naming the file, also where a bit of it has changed. */
  static FeatureVolume Load(const std::string & fileName);

private:
  Frame              m_Frame;
  Descriptors        m_Descriptors;
  float              m_Scale;
  std::vector<float> m_Weights;
  std::uint32_t      m_Network;
};

} // namespace disa

#endif
