// SPDX-License-Identifier: Apache-2.0
#include "features/Pooling.h"

#include "disa/core/Parallel.h"

#include <algorithm>

namespace disa
{
namespace
{

constexpr std::size_t Channels = FeatureVolume::Channels;

/** Shares of the cells of a box, sum 1; the middle one is that of the position. */
std::vector<float>
BoxShares(std::size_t side)
{
  const bool         isEven = side % 2 == 0;
  std::vector<float> shares(isEven ? side + 1 : side, 1.0f / float(side));
  if (isEven)
  {
    shares.front() = shares.back() = 0.5f / float(side);
  }
  return shares;
}

/** Call function(cell, share) for the cells of a box about a position that lie within 0 .. size - 1. */
template <typename TFunction>
void
ForEachInBox(const std::vector<float> & shares, std::ptrdiff_t position, std::size_t size, const TFunction & function)
{
  const std::ptrdiff_t begin = position - std::ptrdiff_t(shares.size() / 2);
  for (std::size_t i = 0; i < shares.size(); ++i)
  {
    const std::ptrdiff_t cell = begin + std::ptrdiff_t(i);
    if (cell >= 0 && cell < std::ptrdiff_t(size))
    {
      function(std::size_t(cell), shares[i]);
    }
  }
}

void
AddScaled(float * to, const float * from, std::size_t count, float factor)
{
  for (std::size_t i = 0; i < count; ++i)
  {
    to[i] += factor * from[i];
  }
}

/** One plane of positions. */
template <typename T>
void
PoolPlane(const std::vector<T> &     descriptors,
          const std::vector<float> & weights,
          const Frame &              frame,
          const PoolingGrid &        grid,
          const std::vector<float> & shares,
          float                      scale,
          std::size_t                index,
          float *                    out)
{
  const auto &       size = frame.size;
  const std::size_t  rowLength = size[0] * Channels;
  std::vector<float> plane(size[1] * rowLength, 0.0f);
  ForEachInBox(shares,
               grid.first[2] + std::ptrdiff_t(index * grid.step),
               size[2],
               [&](std::size_t z, float share)
               {
                 const T * from = descriptors.data() + z * plane.size();
                 for (std::size_t cell = 0; cell < size[0] * size[1]; ++cell)
                 {
                   const float factor = scale * share * weights[z * size[0] * size[1] + cell];
                   for (std::size_t c = 0; c < Channels; ++c)
                   {
                     plane[cell * Channels + c] += factor * float(from[cell * Channels + c]);
                   }
                 }
               });
  std::vector<float> row(rowLength);
  for (std::size_t j = 0; j < grid.size[1]; ++j)
  {
    std::fill(row.begin(), row.end(), 0.0f);
    ForEachInBox(shares,
                 grid.first[1] + std::ptrdiff_t(j * grid.step),
                 size[1],
                 [&](std::size_t y, float share) { AddScaled(row.data(), &plane[y * rowLength], rowLength, share); });
    for (std::size_t i = 0; i < grid.size[0]; ++i, out += Channels)
    {
      ForEachInBox(shares,
                   grid.first[0] + std::ptrdiff_t(i * grid.step),
                   size[0],
                   [&](std::size_t x, float share) { AddScaled(out, &row[x * Channels], Channels, share); });
    }
  }
}

} // namespace

std::vector<float>
Pool(const FeatureVolume &      features,
     const std::vector<float> & weights,
     const PoolingGrid &        grid,
     std::size_t                side,
     unsigned                   threads)
{
  const std::vector<float> shares = BoxShares(side);
  const std::size_t        planeLength = grid.size[0] * grid.size[1] * Channels;
  std::vector<float>       pooled(grid.size[2] * planeLength, 0.0f);
  ParallelFor(grid.size[2],
              threads,
              [&](std::size_t z)
              {
                std::visit(
                  [&](const auto & descriptors)
                  {
                    PoolPlane(descriptors,
                              weights,
                              features.GetFrame(),
                              grid,
                              shares,
                              features.GetScale(),
                              z,
                              pooled.data() + z * planeLength);
                  },
                  features.GetDescriptors());
              });
  return pooled;
}

} // namespace disa
