#include "disaEvaluate.h"
#include "disaEvaluateLoop.h"

#include <immintrin.h>

namespace disa
{
namespace
{

struct AVX2Blend
{
  /** Pair sums of two neighbouring cells along x with the fixed descriptor: 8 partial int32 each. */
  static inline void
  Pair(__m256i fixed, const std::int8_t * cell, __m256i & first, __m256i & second)
  {
    const __m256i both = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(cell));
    first = _mm256_madd_epi16(fixed, _mm256_cvtepi8_epi16(_mm256_castsi256_si128(both)));
    second = _mm256_madd_epi16(fixed, _mm256_cvtepi8_epi16(_mm256_extracti128_si256(both, 1)));
  }

  /** Four inner products (y0x0, y0x1, y1x0, y1x1) of one slice of cells; int32 holds them, as 16 * 128 * 128 = 2^18. */
  static inline __m256d
  Slice(__m256i fixed, const std::int8_t * cell, std::size_t row)
  {
    __m256i a, b, c, d;
    Pair(fixed, cell, a, b);
    Pair(fixed, cell + row, c, d);
    const __m256i sums = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
    return _mm256_cvtepi32_pd(_mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1)));
  }

  static inline double
  Run(const std::int8_t * fixed,
      const std::int8_t * cell,
      std::size_t         row,
      std::size_t         slice,
      double              fx,
      double              fy,
      double              fz,
      double *            gradient)
  {
    const __m256i f = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i *>(fixed)));
    const __m256d near = Slice(f, cell, row);
    const __m256d alongZ = _mm256_sub_pd(Slice(f, cell + slice, row), near);
    const __m256d value = _mm256_fmadd_pd(_mm256_set1_pd(fz), alongZ, near);

    // One row y0 or y1 a register, x in its two lanes.
    const __m128d y0 = _mm256_castpd256_pd128(value);
    const __m128d y1 = _mm256_extractf128_pd(value, 1);
    const __m128d z0 = _mm256_castpd256_pd128(alongZ);
    const __m128d z1 = _mm256_extractf128_pd(alongZ, 1);
    const __m128d weightY = _mm_set1_pd(fy);
    const __m128d alongY = _mm_sub_pd(y1, y0);
    const __m128d blendY = _mm_fmadd_pd(weightY, alongY, y0);
    const __m128d blendZ = _mm_fmadd_pd(weightY, _mm_sub_pd(z1, z0), z0);

    const double v0 = _mm_cvtsd_f64(blendY);
    const double v1 = _mm_cvtsd_f64(_mm_unpackhi_pd(blendY, blendY));
    const double gy0 = _mm_cvtsd_f64(alongY);
    const double gy1 = _mm_cvtsd_f64(_mm_unpackhi_pd(alongY, alongY));
    const double gz0 = _mm_cvtsd_f64(blendZ);
    const double gz1 = _mm_cvtsd_f64(_mm_unpackhi_pd(blendZ, blendZ));
    gradient[0] = v1 - v0;
    gradient[1] = gy0 + fx * (gy1 - gy0);
    gradient[2] = gz0 + fx * (gz1 - gz0);
    return v0 + fx * (v1 - v0);
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
  return EvaluateLoop<AVX2Blend>(cells, descriptors, index, count, value, gradient);
}

} // namespace disa
