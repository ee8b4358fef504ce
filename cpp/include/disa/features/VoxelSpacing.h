// SPDX-License-Identifier: Apache-2.0
#ifndef disa_features_VoxelSpacing_h
#define disa_features_VoxelSpacing_h

#include "disa/core/Geometry.h"

namespace disa
{

/** \brief Millimetres between the voxels that the network sees, where nobody says: 2, or 1 if the smaller field of view
 * is a block.
 *
 * The network sees some 25 voxels about a descriptor, 50 mm at 2 mm, so nearly all of a block's descriptors would see
 * its border. A block is as large as a cube of less than 85 mm. Voxels are not made finer than those of the coarser
 * image are on average, which would show nothing new. */
double AutomaticVoxelSpacing(const Frame & fixed, const Frame & moving);

} // namespace disa

#endif
