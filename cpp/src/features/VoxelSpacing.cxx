// SPDX-License-Identifier: Apache-2.0
#include "disa/features/VoxelSpacing.h"

#include <algorithm>

namespace disa
{
namespace
{

/** The shortest side of a voxel, mm. */
double
FinestSide(const Frame & frame)
{
  return *std::min_element(frame.spacing.begin(), frame.spacing.end());
}

} // namespace

double
VolumeOf(const Frame & image)
{
  return image.spacing[0] * image.spacing[1] * image.spacing[2] * double(image.NumberOfCells());
}

double
AutomaticVoxelSpacing(const Frame & fixed, const Frame & moving, double shown)
{
  constexpr double body = 2.0;
  constexpr double block = 1.0;
  constexpr double litre = 1e6;
  if (std::min({ shown, VolumeOf(fixed), VolumeOf(moving) }) >= litre)
  {
    return body;
  }
  return std::clamp(std::max(FinestSide(fixed), FinestSide(moving)), block, body);
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
  return double(inside) / double(Lattice(image).NumberOfCells()) * VolumeOf(image);
}

} // namespace disa
