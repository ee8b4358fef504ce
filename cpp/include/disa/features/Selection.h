// SPDX-License-Identifier: Apache-2.0
#ifndef disa_features_Selection_h
#define disa_features_Selection_h

#include "disa/features/FeatureVolume.h"

#include <cstdint>
#include <vector>

namespace disa
{

/** \brief Descriptors and weights of 0 outside.
 *  \param inside 0 for each cell outside, in memory order. */
FeatureVolume Cut(const FeatureVolume & features, const std::vector<std::uint8_t> & inside);

/** \brief Every step-th cell along each axis, from the first. */
FeatureVolume Thinned(const FeatureVolume & features, std::size_t step);

} // namespace disa

#endif
