// SPDX-License-Identifier: Apache-2.0
#include "kernels/CellLoop.h"
#include "kernels/Kernels.h"
#include "kernels/PointLoop.h"
#include "kernels/RowLoop.h"

#include <immintrin.h>

namespace disa
{
namespace
{

struct AVX2Dots
{
  using Channel = std::int8_t;
  using Sum = std::int32_t;

  /** 4 partial sums of each of two neighbouring cells along x.
   *
   * Bytes are multiplied unsigned with signed: the fixed ones lose their sign and the moving ones take it over, for
   * which -128 would have no room. Two products add up to 2 * 127 * 127 = 32258 at most, which int16 holds. */
  static __m256i
  Partial(__m256i fixed, __m256i magnitude, const std::int8_t * cell)
  {
    const __m256i moving = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(cell));
    const __m256i pairs = _mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(moving, fixed));
    return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
  }

  static void
  Run(const std::int8_t *       fixed,
      const std::int8_t * const cell[4],
      std::size_t               row,
      std::size_t               slice,
      std::int32_t *            dots,
      std::size_t               step)
  {
    __m256i f[4], magnitude[4];
    for (int i = 0; i < 4; ++i)
    {
      f[i] = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i *>(fixed + 16 * i)));
      magnitude[i] = _mm256_abs_epi8(f[i]);
    }
    for (std::size_t zy = 0; zy < 4; ++zy)
    {
      const std::size_t offset = (zy >> 1) * slice + (zy & 1) * row;
      __m256i           p[4];
      for (int i = 0; i < 4; ++i)
      {
        p[i] = Partial(f[i], magnitude[i], cell[i] + offset);
      }
      const __m256i  sums = _mm256_hadd_epi32(_mm256_hadd_epi32(p[0], p[1]), _mm256_hadd_epi32(p[2], p[3]));
      std::int32_t * to = dots + 2 * zy * step;
      _mm_storeu_si128(reinterpret_cast<__m128i *>(to), _mm256_castsi256_si128(sums));
      _mm_storeu_si128(reinterpret_cast<__m128i *>(to + step), _mm256_extracti128_si256(sums, 1));
    }
  }
};

} // namespace

const KernelFunctions<std::int8_t> KernelAVX2{ &CellLoop<AVX2Dots>::Evaluate, &CellLoop<AVX2Dots>::Accumulate };

const PointFunctions PointsAVX2 = PointLoop<AVX2Dots>::Functions;

const RowFunctions RowsAVX2 = RowLoop<AVX2Dots>::Functions;

} // namespace disa
