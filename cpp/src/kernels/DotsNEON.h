// SPDX-License-Identifier: Apache-2.0
#ifndef disa_kernels_DotsNEON_h
#define disa_kernels_DotsNEON_h

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

namespace disa
{

/** \brief 8 dots at 4 points on aarch64, \sa CellLoop.
 *
 * `TPartial::Run` dots 16 channels into 4 partial int32 sums, in any order; a template on it, so that no code compiled
 * with the dotprod extension is linked where processors lack it. */
template <typename TPartial>
struct DotsNEON
{
  using Channel = std::int8_t;
  using Sum = std::int32_t;

  static void
  Run(const std::int8_t *       fixed,
      const std::int8_t * const cell[4],
      std::size_t               row,
      std::size_t               slice,
      std::int32_t *            dots,
      std::size_t               step)
  {
    const int8x16_t f[4] = { vld1q_s8(fixed), vld1q_s8(fixed + 16), vld1q_s8(fixed + 32), vld1q_s8(fixed + 48) };
    for (std::size_t corner = 0; corner < 8; ++corner)
    {
      const std::size_t offset = (corner >> 2) * slice + (corner >> 1 & 1) * row + (corner & 1) * 16;
      int32x4_t         p[4];
      for (int i = 0; i < 4; ++i)
      {
        p[i] = TPartial::Run(f[i], vld1q_s8(cell[i] + offset));
      }
      vst1q_s32(dots + corner * step, vpaddq_s32(vpaddq_s32(p[0], p[1]), vpaddq_s32(p[2], p[3])));
    }
  }
};

} // namespace disa

#endif
