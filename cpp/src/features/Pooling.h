// SPDX-License-Identifier: Apache-2.0
#ifndef disa_features_Pooling_h
#define disa_features_Pooling_h

#include "disa/features/FeatureVolume.h"

#include <vector>

namespace disa
{

/** \brief Positions of an integer lattice of cells: first, first + step, ... along each axis; they may lie outside. */
struct PoolingGrid
{
  std::array<std::ptrdiff_t, 3> first{};
  std::array<std::size_t, 3>    size{};
  std::size_t                   step = 1;
};

/** \brief Descriptors times cell weights, averaged over a box of so many cells' side about each position.
 *
 * Of an even side the cells on the box's faces count half; beyond the volume lie zeros. Returns (z, y, x, channel), in
 * order of the positions; scale included.
 * \param weights one for each cell.
 * \param threads at most; 0: as many as the processor runs. */
std::vector<float> Pool(const FeatureVolume &      features,
                        const std::vector<float> & weights,
                        const PoolingGrid &        grid,
                        std::size_t                side,
                        unsigned                   threads);

} // namespace disa

#endif
