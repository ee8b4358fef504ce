// SPDX-License-Identifier: Apache-2.0
#ifndef disa_features_VoxelSpacing_h
#define disa_features_VoxelSpacing_h

#include "disa/core/Geometry.h"

namespace disa
{

/** \brief Millimetres between the voxels that the network sees, where nobody says: 2, or 1 if the smaller field of view
 * is a block or masks leave little.
 *
 * The network sees some 25 voxels about a descriptor, 50 mm at 2 mm, so nearly all of a block's descriptors would see
 * its border. A block is as large as a cube of less than 85 mm. Voxels are not made finer than those of the coarser
 * image are on average, which would show nothing new. Where masks leave less than a litre of tissue, finer voxels make
 * for enough descriptors to compare, so there they are as fine as the coarser image's are along their shortest side.
 * \param fixed, moving the images' grids.
 * \param leftByMasks mm^3 that the smaller of the masks leaves; infinity without one. */
double AutomaticVoxelSpacing(const Frame & fixed, const Frame & moving, double leftByMasks);

/** \brief Every so many voxels of a grid, at most 64 along each axis: enough to tell how much of it a mask leaves. */
Frame Lattice(const Frame & image);

/** \brief mm^3 of a grid within a mask.
 *  \param inside number of the lattice's points that the mask holds. */
double MaskVolume(const Frame & image, std::size_t inside);

} // namespace disa

#endif
