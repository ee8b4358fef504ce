// SPDX-License-Identifier: Apache-2.0
#include "kernels/CellLoop.h"
#include "kernels/DotsNEON.h"
#include "kernels/Kernels.h"
#include "kernels/PointLoop.h"
#include "kernels/RowLoop.h"

namespace disa
{
namespace
{

struct PartialNEON
{
  /** Products are 2^14 at most; any two of them are added as int32. */
  static int32x4_t
  Run(int8x16_t a, int8x16_t b)
  {
    const int32x4_t low = vpaddlq_s16(vmull_s8(vget_low_s8(a), vget_low_s8(b)));
    return vpadalq_s16(low, vmull_s8(vget_high_s8(a), vget_high_s8(b)));
  }
};

} // namespace

const KernelFunctions<std::int8_t> KernelNEON{ &CellLoop<DotsNEON<PartialNEON>>::Evaluate,
                                               &CellLoop<DotsNEON<PartialNEON>>::Accumulate };

const PointFunctions PointsNEON = PointLoop<DotsNEON<PartialNEON>>::Functions;

const RowFunctions RowsNEON = RowLoop<DotsNEON<PartialNEON>>::Functions;

} // namespace disa
