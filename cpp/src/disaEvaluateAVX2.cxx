#include "disaEvaluate.h"
#include "disaEvaluateLoop.h"

#include <immintrin.h>

namespace disa
{
namespace
{

struct AVX2Dots
{
  using Channel = std::int8_t;
  using Sum = std::int32_t;

  /** Pair sums of two neighbouring cells along x with the fixed descriptor: 8 partial int32 each, 2^15 at most. */
  static inline void
  Pair(__m256i fixed, const std::int8_t * cell, __m256i & first, __m256i & second)
  {
    const __m256i both = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(cell));
    first = _mm256_madd_epi16(fixed, _mm256_cvtepi8_epi16(_mm256_castsi256_si128(both)));
    second = _mm256_madd_epi16(fixed, _mm256_cvtepi8_epi16(_mm256_extracti128_si256(both, 1)));
  }

  /** Four inner products (y0x0, y0x1, y1x0, y1x1) of one slice of cells, 8 partial sums each: 2^18 at most. */
  static inline __m128i
  Slice(__m256i fixed, const std::int8_t * cell, std::size_t row)
  {
    __m256i a, b, c, d;
    Pair(fixed, cell, a, b);
    Pair(fixed, cell + row, c, d);
    const __m256i sums = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
    return _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
  }

  static inline void
  Run(const std::int8_t * fixed, const std::int8_t * cell, std::size_t row, std::size_t slice, std::int32_t * dots)
  {
    const __m256i f = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i *>(fixed)));
    _mm_storeu_si128(reinterpret_cast<__m128i *>(dots), Slice(f, cell, row));
    _mm_storeu_si128(reinterpret_cast<__m128i *>(dots + 4), Slice(f, cell + slice, row));
  }
};

} // namespace

std::size_t
EvaluateAVX2(const Cells<std::int8_t> & cells,
             const std::int8_t *        descriptors,
             const double *             index,
             std::size_t                count,
             double *                   value,
             double *                   gradient)
{
  return EvaluateLoop<AVX2Dots>::Run(cells, descriptors, index, count, value, gradient);
}

} // namespace disa
