#include "disaEvaluate.h"
#include "disaEvaluateLoop.h"

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
  static inline __m512i
  Slice(const std::int8_t * cell, std::size_t row)
  {
    const __m256i y0 = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(cell));
    const __m256i y1 = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(cell + row));
    return _mm512_inserti64x4(_mm512_castsi256_si512(y0), y1, 1);
  }

  /** VNNI multiplies unsigned with signed bytes. Flipping a cell's sign bits adds 128 to each channel, so the sums come
   * out greater by 128 times the sum of the fixed channels, the same for all 8 cells; they start at minus that. No step
   * saturates: with 16 channels a biased sum is at most 16 * 255 * 128, less than 2^19. */
  static inline void
  Run(const std::int8_t * fixed, const std::int8_t * cell, std::size_t row, std::size_t slice, std::int32_t * dots)
  {
    const __m512i bias = _mm512_set1_epi8(-128);
    const __m512i f = _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i *>(fixed)));
    const __m512i excess = _mm512_dpbusd_epi32(_mm512_setzero_si512(), bias, f);
    const __m512i start = _mm512_sub_epi32(_mm512_setzero_si512(), excess);
    const __m512i z0 = _mm512_dpbusd_epi32(start, _mm512_xor_si512(Slice(cell, row), bias), f);
    const __m512i z1 = _mm512_dpbusd_epi32(start, _mm512_xor_si512(Slice(cell + slice, row), bias), f);
    // A lane of 4 partial sums a cell. Halves of z0 and z1 added side by side, then their halves: z0, z1, z0, z1.
    const __m512i pairs = _mm512_add_epi32(_mm512_unpacklo_epi32(z0, z1), _mm512_unpackhi_epi32(z0, z1));
    const __m512i sums = _mm512_add_epi32(pairs, _mm512_shuffle_epi32(pairs, _MM_PERM_BADC));
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 0, 0, 0, 0, 0, 0, 0, 0);
    const __m512i sorted = _mm512_permutexvar_epi32(order, sums);
    _mm256_storeu_si256(reinterpret_cast<__m256i *>(dots), _mm512_castsi512_si256(sorted));
  }
};

} // namespace

std::size_t
EvaluateAVX512(const Cells<std::int8_t> & cells,
               const std::int8_t *        descriptors,
               const double *             index,
               std::size_t                count,
               double *                   value,
               double *                   gradient)
{
  return EvaluateLoop<AVX512Dots>::Run(cells, descriptors, index, count, value, gradient);
}

} // namespace disa
