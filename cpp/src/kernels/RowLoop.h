// SPDX-License-Identifier: Apache-2.0
#ifndef disa_kernels_RowLoop_h
#define disa_kernels_RowLoop_h

#include "kernels/Rows.h"

#include <cstring>

namespace disa
{

/** \brief The RowFunctions of all kernels, as PointLoop is their PointFunctions. */
template <typename TSet>
class RowLoop
{
public:
  static void
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

  static void
  SumNeighbours(const float * from, std::size_t count, std::size_t length, std::size_t radius, float * to)
  {
    std::memcpy(to, from, count * length * sizeof(float));
    for (std::size_t k = 1; k <= radius && k < count; ++k)
    {
      AddRow(from, (count - k) * length, to + k * length);
      AddRow(from + k * length, (count - k) * length, to);
    }
  }

  static void
  SumAbout(const float * from,
           std::size_t   at,
           std::size_t   count,
           std::size_t   stride,
           std::size_t   length,
           std::size_t   radius,
           float *       to)
  {
    std::memcpy(to, from + at * stride, length * sizeof(float));
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

  static void
  KeepCheaper(const RowState & state,
              const float (&displacement)[3],
              float         coupling,
              std::int32_t  label,
              const float * costs,
              std::size_t   count)
  {
    const float * const  near = state.near;
    const std::size_t    planeStride = state.planeStride;
    float * const        least = state.least;
    float * const        best = state.best;
    std::int32_t * const bestLabel = state.label;
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

  static constexpr RowFunctions Functions{ &DotRows, &SumNeighbours, &SumAbout, &KeepCheaper };

private:
  static constexpr std::size_t Channels = 16;

  /** As many floats as there are lanes, in code for any instruction set (an extension of GCC's and Clang's). */
  using Floats __attribute__((vector_size(Lanes * sizeof(float)))) = float;

  template <std::size_t N>
  static void
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

  static void
  AddRow(const float * from, std::size_t count, float * to)
  {
    for (std::size_t i = 0; i < count; ++i)
    {
      to[i] += from[i];
    }
  }
};

} // namespace disa

#endif
