#include "search/DisplacementRows.h"

#include <algorithm>
#include <cstring>

// Also in code for 8 floats at a time; without fused operations, so the results are the same.
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__)
#  define DISA_WIDER_TOO __attribute__((target_clones("avx2", "default")))
#else
#  define DISA_WIDER_TOO
#endif
#define DISA_INLINE inline __attribute__((always_inline))

namespace disa
{
namespace
{

constexpr std::size_t Channels = FeatureVolume::Channels;

/** As many floats as there are lanes, in code for any instruction set (an extension of GCC's and Clang's). */
using Floats __attribute__((vector_size(Lanes * sizeof(float)))) = float;

/** out[k][x] = -factor * sum over channels of fixed[x] * moving[x + k] for k < N. */
template <std::size_t N>
DISA_INLINE void
DotRowsOf(const float * fixed,
          const float * moving,
          std::size_t   movingStride,
          std::size_t   count,
          float         factor,
          float *       out)
{
  for (std::size_t x = 0; x < count; x += Lanes)
  {
    Floats sums[N] = {};
    for (std::size_t c = 0; c < Channels; ++c)
    {
      Floats f, m;
      std::memcpy(&f, fixed + c * count + x, sizeof(Floats));
      for (std::size_t k = 0; k < N; ++k)
      {
        std::memcpy(&m, moving + c * movingStride + x + k, sizeof(Floats));
        sums[k] += f * m;
      }
    }
    for (std::size_t k = 0; k < N; ++k)
    {
      const Floats result = -factor * sums[k];
      std::memcpy(out + k * count + x, &result, sizeof(Floats));
    }
  }
}

inline void
AddRow(const float * from, std::size_t count, float * to)
{
  for (std::size_t i = 0; i < count; ++i)
  {
    to[i] += from[i];
  }
}

} // namespace

DISA_WIDER_TOO void
DotRows(const float * fixed,
        const float * moving,
        std::size_t   movingStride,
        std::size_t   count,
        std::size_t   shifts,
        float         factor,
        float *       out)
{
  switch (shifts)
  {
    case 1:
      return DotRowsOf<1>(fixed, moving, movingStride, count, factor, out);
    case 2:
      return DotRowsOf<2>(fixed, moving, movingStride, count, factor, out);
    case 3:
      return DotRowsOf<3>(fixed, moving, movingStride, count, factor, out);
    default:
      return DotRowsOf<4>(fixed, moving, movingStride, count, factor, out);
  }
}

DISA_WIDER_TOO void
SumNeighbours(const float * from, std::size_t count, std::size_t length, std::size_t radius, float * to)
{
  std::copy_n(from, count * length, to);
  for (std::size_t k = 1; k <= std::min(radius, count - 1); ++k)
  {
    AddRow(from, (count - k) * length, to + k * length);
    AddRow(from + k * length, (count - k) * length, to);
  }
}

DISA_WIDER_TOO void
SumAbout(const float * from,
         std::size_t   at,
         std::size_t   count,
         std::size_t   stride,
         std::size_t   length,
         std::size_t   radius,
         float *       to)
{
  std::copy_n(from + at * stride, length, to);
  for (std::size_t k = 1; k <= radius; ++k)
  {
    if (at >= k)
    {
      AddRow(from + (at - k) * stride, length, to);
    }
    if (at + k < count)
    {
      AddRow(from + (at + k) * stride, length, to);
    }
  }
}

DISA_WIDER_TOO void
KeepCheaper(const float *                near, // x, y, z planes of `planeStride` floats
            std::size_t                  planeStride,
            const std::array<float, 3> & displacement,
            float                        coupling,
            std::int32_t                 label,
            const float *                costs,
            std::size_t                  count,
            float *                      least,
            float *                      best,
            std::int32_t *               bestLabel)
{
  for (std::size_t i = 0; i < count; ++i)
  {
    const float x = displacement[0] - near[i];
    const float y = displacement[1] - near[planeStride + i];
    const float z = displacement[2] - near[2 * planeStride + i];
    const float total = costs[i] + coupling * (x * x + y * y + z * z);
    const bool  isCheaper = (total < best[i]) | ((total == best[i]) & (label < bestLabel[i]));
    least[i] = costs[i] < least[i] ? costs[i] : least[i];
    best[i] = isCheaper ? total : best[i];
    bestLabel[i] = isCheaper ? label : bestLabel[i];
  }
}

} // namespace disa
