// SPDX-License-Identifier: Apache-2.0
#include "disa/features/VoxelSpacing.h"

#include <algorithm>
#include <cmath>

namespace disa
{
namespace
{

/** Side in mm of the cube that is as large as a voxel. */
double
VoxelSide(const Frame & frame)
{
  return std::cbrt(frame.spacing[0] * frame.spacing[1] * frame.spacing[2]);
}

/** Side in mm of the cube that is as large as the field of view. */
double
FieldSide(const Frame & frame)
{
  return VoxelSide(frame) * std::cbrt(static_cast<double>(frame.NumberOfCells()));
}

} // namespace

double
AutomaticVoxelSpacing(const Frame & fixed, const Frame & moving)
{
  constexpr double body = 2.0;
  constexpr double block = 1.0;
  constexpr double blockSide = 85.0;
  if (std::min(FieldSide(fixed), FieldSide(moving)) >= blockSide)
  {
    return body;
  }
  return std::clamp(std::max(VoxelSide(fixed), VoxelSide(moving)), block, body);
}

} // namespace disa
