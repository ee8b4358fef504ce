// SPDX-License-Identifier: Apache-2.0
#include "kernels/CellLoop.h"
#include "kernels/DotsNEON.h"
#include "kernels/Kernels.h"
#include "kernels/PointLoop.h"

namespace disa
{
namespace
{

struct PartialNEONDot
{
  /** 4 products of 2^14 at most a sum. */
  static int32x4_t
  Run(int8x16_t a, int8x16_t b)
  {
    return vdotq_s32(vdupq_n_s32(0), a, b);
  }
};

} // namespace

const KernelFunctions<std::int8_t> KernelNEONDot{ &CellLoop<DotsNEON<PartialNEONDot>>::Evaluate,
                                                  &CellLoop<DotsNEON<PartialNEONDot>>::Accumulate };

const PointFunctions PointsNEONDot = PointLoop<DotsNEON<PartialNEONDot>>::Functions;

} // namespace disa
