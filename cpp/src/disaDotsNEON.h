#ifndef disaDotsNEON_h
#define disaDotsNEON_h

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

namespace disa
{

/** \brief 8 dots on aarch64, \sa EvaluateLoop.
 *
 * `TPartial::Run` dots 16 channels into 4 partial int32 sums, in any order; a template on it, so that no code compiled
 * with the dotprod extension is linked where processors lack it. */
template <typename TPartial>
struct DotsNEON
{
  using Channel = std::int8_t;
  using Sum = std::int32_t;

  /** y0x0, y0x1, y1x0, y1x1. */
  static inline int32x4_t
  Slice(int8x16_t fixed, const std::int8_t * cell, std::size_t row)
  {
    const int32x4_t y0 = vpaddq_s32(Partial(fixed, cell), Partial(fixed, cell + 16));
    const int32x4_t y1 = vpaddq_s32(Partial(fixed, cell + row), Partial(fixed, cell + row + 16));
    return vpaddq_s32(y0, y1);
  }

  static inline int32x4_t
  Partial(int8x16_t fixed, const std::int8_t * cell)
  {
    return TPartial::Run(fixed, vld1q_s8(cell));
  }

  static inline void
  Run(const std::int8_t * fixed, const std::int8_t * cell, std::size_t row, std::size_t slice, std::int32_t * dots)
  {
    const int8x16_t f = vld1q_s8(fixed);
    vst1q_s32(dots, Slice(f, cell, row));
    vst1q_s32(dots + 4, Slice(f, cell + slice, row));
  }
};

} // namespace disa

#endif
