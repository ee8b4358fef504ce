#ifndef disaEvaluateLoop_h
#define disaEvaluateLoop_h

#include "disaCells.h"

namespace disa
{

/** \brief The loop that all kernels share; `TBlend` dots 8 cells and blends them.
 *
 * The blend has a kink where a point crosses from cell to cell. A point on such a border, to within 1e-7 cells, gets
 * the mean of the two one-sided derivatives, which is what a central difference tends to.
 *
 * Everything here is a template on the instruction set's own type, so that no code compiled for one set is ever linked
 * into another. */
template <typename TBlend, typename TChannel>
std::size_t
EvaluateLoop(const Cells<TChannel> & cells,
             const TChannel *        descriptors,
             const double *          index,
             std::size_t             count,
             double *                value,
             double *                gradient)
{
  constexpr std::size_t channels = 16;
  constexpr double      border = 1e-7;
  const std::size_t     row = cells.size[0] * channels;
  const std::size_t     slice = cells.size[1] * row;
  const double          limit[3] = { double(cells.size[0] - 1), double(cells.size[1] - 1), double(cells.size[2] - 1) };
  std::size_t           inside = 0;
  double                unused[3];
  const std::size_t     step[3] = { channels, row, slice };
  for (std::size_t i = 0; i < count; ++i)
  {
    const double * p = index + 3 * i;
    double *       g = gradient ? gradient + 3 * i : unused;
    if (!(p[0] >= 0.0 && p[1] >= 0.0 && p[2] >= 0.0 && p[0] < limit[0] && p[1] < limit[1] && p[2] < limit[2]))
    {
      value[i] = g[0] = g[1] = g[2] = 0.0;
      continue;
    }
    const TChannel * fixed = descriptors + channels * i;
    const TChannel * cell = cells.data;
    double           f[3];
    std::size_t      base[3];
    bool             onBorder = false;
    for (int axis = 0; axis < 3; ++axis)
    {
      base[axis] = static_cast<std::size_t>(p[axis]);
      f[axis] = p[axis] - double(base[axis]);
      onBorder = onBorder || f[axis] < border || f[axis] > 1.0 - border;
      cell += base[axis] * step[axis];
    }
    value[i] = TBlend::Run(fixed, cell, row, slice, f[0], f[1], f[2], g);
    if (onBorder && gradient)
    {
      for (int axis = 0; axis < 3; ++axis)
      {
        const bool lower = f[axis] < border;
        if (!lower && !(f[axis] > 1.0 - border))
        {
          continue;
        }
        double other[3] = { 0.0, 0.0, 0.0 };
        if (lower ? base[axis] > 0 : base[axis] + 2 < cells.size[axis])
        {
          double across[3] = { f[0], f[1], f[2] };
          across[axis] = lower ? 1.0 : 0.0;
          const TChannel * neighbour = lower ? cell - step[axis] : cell + step[axis];
          TBlend::Run(fixed, neighbour, row, slice, across[0], across[1], across[2], other);
        }
        g[axis] = 0.5 * (g[axis] + other[axis]);
      }
    }
    ++inside;
  }
  return inside;
}

} // namespace disa

#endif
