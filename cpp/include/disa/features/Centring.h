// SPDX-License-Identifier: Apache-2.0
#ifndef disa_features_Centring_h
#define disa_features_Centring_h

#include "disa/features/FeatureVolume.h"

#include <array>

namespace disa
{

/** \brief What the descriptors of an image have in common. */
using MeanDescriptor = std::array<double, FeatureVolume::Channels>;

/** \brief Weighted mean of the descriptors; 0 where no cell has a weight. */
MeanDescriptor MeanOf(const FeatureVolume & features);

/** \brief The descriptors less a mean; those that are 0, outside of an image, stay 0.
 *
 * Any two patches are a little alike, so the mean product of unrelated descriptors is above 0, and every bit of overlap
 * pays, right or wrong. Without what all have in common, overlap pays only where images agree.
 *
 * \param features int8 or float; the result is of the same kind, with the same weights and frame. */
FeatureVolume Centred(const FeatureVolume & features, const MeanDescriptor & mean);

} // namespace disa

#endif
