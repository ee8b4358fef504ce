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

/** The shortest side of a voxel, mm. */
double
FinestSide(const Frame & frame)
{
  return *std::min_element(frame.spacing.begin(), frame.spacing.end());
}

/** Side in mm of the cube that is as large as the field of view. */
double
FieldSide(const Frame & frame)
{
  return VoxelSide(frame) * std::cbrt(static_cast<double>(frame.NumberOfCells()));
}

} // namespace

double
AutomaticVoxelSpacing(const Frame & fixed, const Frame & moving, double leftByMasks)
{
  constexpr double body = 2.0;
  constexpr double block = 1.0;
  constexpr double blockSide = 85.0;
  constexpr double litre = 1e6;
  if (leftByMasks < litre)
  {
    return std::clamp(std::max(FinestSide(fixed), FinestSide(moving)), block, body);
  }
  if (std::min(FieldSide(fixed), FieldSide(moving)) >= blockSide)
  {
    return body;
  }
  return std::clamp(std::max(VoxelSide(fixed), VoxelSide(moving)), block, body);
}

Frame
Lattice(const Frame & image)
{
  constexpr std::size_t most = 64;
  Frame                 lattice = image;
  Vector3               first{};
  for (int axis = 0; axis < 3; ++axis)
  {
    const std::size_t step = std::max<std::size_t>(1, (image.size[axis] + most - 1) / most);
    lattice.size[axis] = (image.size[axis] + step - 1) / step;
    lattice.spacing[axis] = double(step) * image.spacing[axis];
    first[axis] = double((image.size[axis] - 1) % step) / 2;
  }
  lattice.origin = image.IndexToPhysical()(first);
  return lattice;
}

double
MaskVolume(const Frame & image, std::size_t inside)
{
  const double voxel = image.spacing[0] * image.spacing[1] * image.spacing[2];
  return double(inside) / double(Lattice(image).NumberOfCells()) * voxel * double(image.NumberOfCells());
}

} // namespace disa
