// SPDX-License-Identifier: Apache-2.0
#ifndef disa_features_Field_h
#define disa_features_Field_h

#include "disa/features/Centring.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace disa
{

/** \brief What descriptors of an image become before others are read in them. */
struct FieldSettings
{
  std::optional<MeanDescriptor> mean;        ///< is taken off; none: they are not centred
  double                        sigma = 0.0; ///< of the wide part of the kernel over them, mm, see Widen; 0: none
};

/** \brief Descriptors that samples of another image are read in: cut, centred, smoothed and cut again.
 *
 * \param features int8 or float.
 * \param image    where the image lies that they were extracted from.
 * \param inside   0 for each cell that nothing may be read from, in memory order; empty: all may be read. */
FeatureVolume MakeField(const FeatureVolume &             features,
                        const Frame &                     image,
                        const std::vector<std::uint8_t> & inside,
                        const FieldSettings &             settings);

} // namespace disa

#endif
