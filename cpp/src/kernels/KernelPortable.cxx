// SPDX-License-Identifier: Apache-2.0
#include "kernels/CellLoop.h"
#include "kernels/Kernels.h"
#include "kernels/PointLoop.h"
#include "kernels/RowLoop.h"

namespace disa
{
namespace
{

template <typename TChannel, typename TSum>
struct PortableDots
{
  using Channel = TChannel;
  using Sum = TSum;

  static void
  Run(const Channel *       fixed,
      const Channel * const cell[4],
      std::size_t           row,
      std::size_t           slice,
      Sum *                 dots,
      std::size_t           step)
  {
    for (std::size_t corner = 0; corner < 8; ++corner)
    {
      const std::size_t offset = (corner >> 2) * slice + (corner >> 1 & 1) * row + (corner & 1) * 16;
      for (std::size_t i = 0; i < 4; ++i)
      {
        const Channel * moving = cell[i] + offset;
        Sum             sum = 0;
        for (int c = 0; c < 16; ++c)
        {
          // int8: 16 products of 127 * 127 at most in size, so 258064 at most, far within int32. Differences of two
          // dots stay within 2^20; both are blended in double and never added up as integers.
          sum += Sum(fixed[16 * i + c]) * Sum(moving[c]);
        }
        dots[corner * step + i] = sum;
      }
    }
  }
};

using QuantizedDots = PortableDots<std::int8_t, std::int32_t>;
using FloatDots = PortableDots<float, double>;

} // namespace

const KernelFunctions<std::int8_t> KernelPortable{ &CellLoop<QuantizedDots>::Evaluate,
                                                   &CellLoop<QuantizedDots>::Accumulate };
const KernelFunctions<float>       KernelFloat{ &CellLoop<FloatDots>::Evaluate, &CellLoop<FloatDots>::Accumulate };

const PointFunctions PointsPortable = PointLoop<QuantizedDots>::Functions;

const RowFunctions RowsPortable = RowLoop<QuantizedDots>::Functions;

} // namespace disa
