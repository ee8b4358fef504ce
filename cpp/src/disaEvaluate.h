#ifndef disaEvaluate_h
#define disaEvaluate_h

#include "disaCells.h"

#include <cstdint>

namespace disa
{

/** \brief The specification: plain C++, for int8 and for float descriptors. */
std::size_t EvaluatePortable(const Cells<std::int8_t> &,
                             const std::int8_t *,
                             const double *,
                             std::size_t,
                             double *,
                             double *);
std::size_t EvaluatePortable(const Cells<float> &, const float *, const double *, std::size_t, double *, double *);

/** \brief The same for x86-64 processors with AVX2 and FMA; equal to the portable one up to the blend's rounding. */
std::size_t EvaluateAVX2(const Cells<std::int8_t> &,
                         const std::int8_t *,
                         const double *,
                         std::size_t,
                         double *,
                         double *);

/** \brief A kernel by its name: "portable" or "avx2". Null if this processor or build lacks it. */
EvaluateFunction<std::int8_t> FindKernel(const char * name);

/** \brief The fastest kernel that this processor runs, and its name. Chosen once. */
struct Kernel
{
  const char *                  name;
  EvaluateFunction<std::int8_t> evaluate;
};
const Kernel & BestKernel();

} // namespace disa

#endif
