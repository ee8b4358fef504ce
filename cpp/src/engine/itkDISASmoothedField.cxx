// SPDX-License-Identifier: Apache-2.0
#include "itkDISASmoothedField.h"

#include "itkGaussianOperator.h"
#include "itkMultiThreaderBase.h"

#include <algorithm>
#include <vector>

namespace itk
{
namespace DISA
{
namespace
{

using FieldType = SmoothedField::DisplacementFieldType;
using Numbers = std::vector<double>;

/** Lines of voxels along an axis. Each is `length` rows of `row` numbers that lie one behind the other. */
struct Lines
{
  std::size_t row, length, count;

  std::size_t
  Numbers() const
  {
    return row * length;
  }
};

/** The coefficients that ITK takes. */
Numbers
KernelOf(unsigned int axis, double variance, std::size_t size)
{
  GaussianOperator<double, 3> kernel;
  kernel.SetDirection(axis);
  kernel.SetVariance(variance);
  kernel.SetMaximumError(0.001);
  kernel.SetMaximumKernelWidth(static_cast<unsigned int>(size));
  kernel.CreateDirectional();
  return { kernel.Begin(), kernel.End() };
}

/** Write lines whose outermost rows go on so many times beyond their ends. */
void
Pad(const Numbers & from, const Lines & lines, std::size_t radius, Numbers & padded)
{
  padded.resize(lines.count * (lines.Numbers() + 2 * radius * lines.row));
  double * to = padded.data();
  for (std::size_t line = 0; line < lines.count; ++line)
  {
    const double * const first = from.data() + line * lines.Numbers();
    const double * const end = first + lines.Numbers();
    for (std::size_t i = 0; i < radius; ++i)
    {
      to = std::copy_n(first, lines.row, to);
    }
    to = std::copy(first, end, to);
    for (std::size_t i = 0; i < radius; ++i)
    {
      to = std::copy_n(end - lines.row, lines.row, to);
    }
  }
}

/** Smooth a field along one axis; taps are added in ITK's order. */
void
SmoothAlong(Numbers & field, const Lines & lines, const Numbers & kernel, Numbers & padded)
{
  constexpr std::size_t blockLength = 1024;
  const std::size_t     radius = kernel.size() / 2;
  const std::size_t     blocks = (lines.Numbers() + blockLength - 1) / blockLength;
  Pad(field, lines, radius, padded);
  const auto smoothBlock = [&](SizeValueType task)
  {
    const std::size_t    line = task / blocks;
    const std::size_t    begin = task % blocks * blockLength;
    const std::size_t    length = std::min(blockLength, lines.Numbers() - begin);
    const double * const read = padded.data() + line * (lines.Numbers() + 2 * radius * lines.row) + begin;
    double * const       sums = field.data() + line * lines.Numbers() + begin;
    std::fill_n(sums, length, 0.0);
    for (std::size_t tap = 0; tap < kernel.size(); ++tap)
    {
      for (std::size_t i = 0; i < length; ++i)
      {
        sums[i] += kernel[tap] * read[tap * lines.row + i];
      }
    }
  };
  MultiThreaderBase::New()->ParallelizeArray(0, lines.count * blocks, smoothBlock, nullptr);
}

} // namespace

auto
SmoothedField::GaussianSmoothDisplacementField(DisplacementFieldType * field, ScalarType variance)
  -> DisplacementFieldPointer
{
  if (variance <= 0.0)
  {
    return field;
  }
  const auto        size = field->GetLargestPossibleRegion().GetSize();
  const std::size_t count = 3 * size[0] * size[1] * size[2];
  double * const    numbers = field->GetBufferPointer()->GetDataPointer();
  Numbers           smooth(numbers, numbers + count), padded;
  std::size_t       row = 3;
  for (unsigned int axis = 0; axis < 3; ++axis)
  {
    const Lines lines{ row, size[axis], count / (row * size[axis]) };
    SmoothAlong(smooth, lines, KernelOf(axis, variance, size[axis]), padded);
    row *= size[axis];
  }
  const double ofSmooth = variance < 0.5 ? 1.0 - 1.0 * (variance / 0.5) : 1.0;
  const double ofGiven = 1.0 - ofSmooth;
  const auto   isEnd = [&](std::size_t place, unsigned int axis) { return place == 0 || place == size[axis] - 1; };
  for (std::size_t voxel = 0; voxel < count / 3; ++voxel)
  {
    const bool isOnBorder =
      isEnd(voxel % size[0], 0) || isEnd(voxel / size[0] % size[1], 1) || isEnd(voxel / (size[0] * size[1]), 2);
    for (std::size_t i = 3 * voxel; i < 3 * voxel + 3; ++i)
    {
      numbers[i] = isOnBorder ? 0.0 : smooth[i] * ofSmooth + numbers[i] * ofGiven;
    }
  }
  return field;
}

} // namespace DISA
} // namespace itk
