// SPDX-License-Identifier: Apache-2.0
#ifndef disa_features_VoxelSpacing_h
#define disa_features_VoxelSpacing_h

#include "disa/core/Geometry.h"

namespace disa
{

/** \brief Millimetres between the voxels that the network sees, where nobody says: 2, or 1 if there is less than a
 * litre to compare.
 *
 * The network sees some 25 voxels about a descriptor, 50 mm at 2 mm, so nearly all descriptors of a block or a slab
 * would see its border, and few are left under a small mask. Finer voxels make for enough descriptors that do not. They
 * are as fine as the coarser image's are along their shortest side; finer ones would show nothing new.
 * \param fixed, moving the images' grids.
 * \param shown mm^3 that the images show where that is less than their grids hold: within masks, without padding. */
double AutomaticVoxelSpacing(const Frame & fixed, const Frame & moving, double shown);

/** \brief mm^3 that a grid holds. */
double VolumeOf(const Frame & image);

/** \brief Every so many voxels of a grid, at most 64 along each axis: enough to tell how much of it a mask leaves. */
Frame Lattice(const Frame & image);

/** \brief mm^3 of a grid within a mask.
 *  \param inside number of the lattice's points that the mask holds. */
double MaskVolume(const Frame & image, std::size_t inside);

} // namespace disa

#endif
