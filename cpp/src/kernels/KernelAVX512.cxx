// SPDX-License-Identifier: Apache-2.0
#include "kernels/CellLoop.h"
#include "kernels/Kernels.h"
#include "kernels/PointLoop.h"

#include <immintrin.h>

namespace disa
{
namespace
{

struct AVX512Dots
{
  using Channel = std::int8_t;
  using Sum = std::int32_t;

  /** The 4 cells of one slice, 16 bytes each: y0x0, y0x1, y1x0, y1x1. */
  static __m512i
  Slice(const std::int8_t * cell, std::size_t row)
  {
    const __m256i y0 = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(cell));
    const __m256i y1 = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(cell + row));
    return _mm512_inserti64x4(_mm512_castsi256_si512(y0), y1, 1);
  }

  /** Of 4 vectors, each of 4 cells of 4 partial sums: in the lane of each cell, its sums of the 4 vectors. */
  static __m512i
  AddUp(__m512i a, __m512i b, __m512i c, __m512i d)
  {
    const __m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    const __m512i cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
    return _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
  }

  template <int VCell>
  static void
  Store(__m512i sums, std::int32_t * to)
  {
    _mm_storeu_si128(reinterpret_cast<__m128i *>(to), _mm512_extracti32x4_epi32(sums, VCell));
  }

  /** VNNI multiplies unsigned with signed bytes. Flipping a cell's sign bits adds 128 to each channel, so the sums come
   * out greater by 128 times the sum of the fixed channels, the same for all 8 cells; they start at minus that. No step
   * saturates: with 16 channels a biased sum is at most 16 * 255 * 128, less than 2^19. */
  static void
  Run(const std::int8_t *       fixed,
      const std::int8_t * const cell[4],
      std::size_t               row,
      std::size_t               slice,
      std::int32_t *            dots,
      std::size_t               step)
  {
    const __m512i bias = _mm512_set1_epi8(-128);
    __m512i       partial[2][4]; // [z][point]
    for (int i = 0; i < 4; ++i)
    {
      const __m512i f = _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i *>(fixed + 16 * i)));
      const __m512i excess = _mm512_dpbusd_epi32(_mm512_setzero_si512(), bias, f);
      const __m512i start = _mm512_sub_epi32(_mm512_setzero_si512(), excess);
      partial[0][i] = _mm512_dpbusd_epi32(start, _mm512_xor_si512(Slice(cell[i], row), bias), f);
      partial[1][i] = _mm512_dpbusd_epi32(start, _mm512_xor_si512(Slice(cell[i] + slice, row), bias), f);
    }
    for (std::size_t z = 0; z < 2; ++z)
    {
      const __m512i  sums = AddUp(partial[z][0], partial[z][1], partial[z][2], partial[z][3]);
      std::int32_t * to = dots + 4 * z * step;
      Store<0>(sums, to);
      Store<1>(sums, to + step);
      Store<2>(sums, to + 2 * step);
      Store<3>(sums, to + 3 * step);
    }
  }
};

} // namespace

const KernelFunctions<std::int8_t> KernelAVX512{ &CellLoop<AVX512Dots>::Evaluate, &CellLoop<AVX512Dots>::Accumulate };

const PointFunctions PointsAVX512 = PointLoop<AVX512Dots>::Functions;

} // namespace disa
