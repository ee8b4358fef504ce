// SPDX-License-Identifier: Apache-2.0
#ifndef disa_kernels_PointLoop_h
#define disa_kernels_PointLoop_h

#include "disa/kernels/Points.h"
#include "kernels/NodeRows.h"
#include "kernels/NodeRuns.h"

#include <cstdint>

namespace disa
{

/** \brief The PointFunctions of all kernels: plain C++, which compilers vectorise for the instruction set of the file
 * at hand. As with CellLoop, all of them come to the same bits, and `TSet`, any type of the file's own, keeps the
 * code of different sets apart. */
template <typename TSet>
class PointLoop
{
public:
  static void
  Map(const double (&map)[12], const double * from, std::size_t count, double * __restrict to)
  {
    for (std::size_t axis = 0; axis < 3; ++axis)
    {
      const double * row = map + 4 * axis;
      for (std::size_t i = 0; i < count; ++i)
      {
        to[axis * count + i] = At(row, from, count, i);
      }
    }
  }

  static void
  MapCoordinates(const double (&map)[12], const float * const (&from)[3], std::size_t count, double * __restrict to)
  {
    for (std::size_t axis = 0; axis < 3; ++axis)
    {
      const double * row = map + 4 * axis;
      for (std::size_t i = 0; i < count; ++i)
      {
        to[axis * count + i] =
          row[0] * double(from[0][i]) + row[1] * double(from[1][i]) + (row[2] * double(from[2][i]) + row[3]);
      }
    }
  }

  static void
  Place(const DisplacementNodes & nodes, const double * points, std::size_t count, double * placement)
  {
    nodes.isCubic ? PlaceAll<true>(nodes, points, count, placement) : PlaceAll<false>(nodes, points, count, placement);
  }

  static void
  Displace(const DisplacementNodes & nodes,
           const double *            placement,
           const double *            points,
           std::size_t               count,
           double *                  displaced)
  {
    const auto function = nodes.isCubic        ? &DisplaceBy<CubicRow>
                          : nodes.size[0] == 1 ? &DisplaceBy<LinearRow<1>>
                                               : &DisplaceBy<LinearRow<2>>;
    function(nodes, placement, points, count, displaced);
  }

  static void
  PullBack(const DisplacementNodes & nodes,
           const double *            placement,
           const double *            points,
           const double *            gradients,
           std::size_t               count,
           double *                  pulled)
  {
    const auto function = nodes.isCubic        ? &PullBackThrough<CubicRow>
                          : nodes.size[0] == 1 ? &PullBackThrough<LinearRow<1>>
                                               : &PullBackThrough<LinearRow<2>>;
    function(nodes, placement, points, gradients, count, pulled);
  }

  static void
  Spread(const DisplacementNodes & nodes,
         const double *            placement,
         const double *            gradients,
         std::size_t               count,
         std::size_t               firstPlane,
         std::size_t               endPlane,
         double *                  derivative)
  {
    const auto function = nodes.isCubic        ? &SpreadOver<CubicRow>
                          : nodes.size[0] == 1 ? &SpreadOver<LinearRow<1>>
                                               : &SpreadOver<LinearRow<2>>;
    function(nodes, placement, gradients, count, firstPlane, endPlane, derivative);
  }

  static constexpr PointFunctions Functions{ &Map, &MapCoordinates, &Place, &Displace, &PullBack, &Spread };

private:
  using Rows = NodeRows<TSet>;
  using Runs = NodeRuns<TSet>;
  using Placement = typename Rows::Placement;
  using CubicRow = typename Rows::CubicRow;
  template <std::size_t VNodes>
  using LinearRow = typename Rows::template LinearRow<VNodes>;
  template <std::size_t N>
  using Taps = typename Rows::template Taps<N>;

  /** A point this close to the border of a cubic lattice's domain, in nodes, is inside, whatever the rounding. */
  static constexpr double BorderTolerance = 1e-9;

  static constexpr double      Outside = -1e9; ///< less than minus the number of planes
  static constexpr std::size_t BlockLength = 64;
  static constexpr std::size_t Ahead = 32; ///< points whose nodes are on their way to the cache

  static double
  At(const double * row, const double * points, std::size_t count, std::size_t i)
  {
    return row[0] * points[i] + row[1] * points[count + i] + (row[2] * points[2 * count + i] + row[3]);
  }

  template <bool VIsCubic>
  static void
  PlaceAll(const DisplacementNodes & nodes, const double * points, std::size_t count, double * placement)
  {
    PlaceAlong<VIsCubic, 0>(nodes, points, count, placement);
    PlaceAlong<VIsCubic, 1>(nodes, points, count, placement);
    PlaceAlong<VIsCubic, 2>(nodes, points, count, placement);
    Runs::Find(Placement(placement, count), count, placement + 6 * count);
  }

  template <bool VIsCubic, std::size_t VAxis>
  static void
  PlaceAlong(const DisplacementNodes & nodes, const double * points, std::size_t count, double * placement)
  {
    const double *              row = nodes.toIndex + 4 * VAxis;
    const auto                  size = double(nodes.size[VAxis]);
    [[maybe_unused]] const auto stride = double(nodes.stride[VAxis]);
    // The indices that are inside, and the first and last of the nodes between which a point may lie. In the half cell
    // around the outermost nodes of a linear lattice the displacement is theirs.
    const double low = VIsCubic ? 1.0 - BorderTolerance : -0.5;
    const double high = VIsCubic ? size - 2.0 + BorderTolerance : size - 0.5;
    const double first = VIsCubic ? 1.0 : 0.0;
    const double last = VIsCubic ? size - 3.0 : (size > 2.0 ? size - 2.0 : 0.0);
    for (std::size_t begin = 0; begin < count; begin += BlockLength)
    {
      const std::size_t n = count - begin < BlockLength ? count - begin : BlockLength;
      double            index[BlockLength], base[BlockLength], share[BlockLength], inside[BlockLength];
      for (std::size_t i = 0; i < n; ++i)
      {
        index[i] = At(row, points, count, begin + i);
      }
      for (std::size_t i = 0; i < n; ++i)
      {
        const double above = index[i] > first ? index[i] : first; // first if the index is not a number
        const double within = above < last ? above : last;
        const double clamped = above < size - 1.0 ? above : size - 1.0;
        base[i] = double(static_cast<std::int32_t>(within));
        share[i] = (VIsCubic ? index[i] : clamped) - base[i];
      }
      for (std::size_t i = 0; i < n; ++i)
      {
        const double aboveLow = index[i] >= low ? 1.0 : 0.0;
        inside[i] = index[i] < high ? aboveLow : 0.0;
      }
      double * const to = placement + begin;
      for (std::size_t i = 0; i < n; ++i)
      {
        if constexpr (VAxis == 0)
        {
          to[5 * count + i] = base[i] - first;
        }
        else
        {
          to[i] = (VAxis == 1 ? 0.0 : to[i]) + stride * (base[i] - first);
        }
      }
      for (std::size_t i = 0; i < n; ++i)
      {
        to[(1 + VAxis) * count + i] = share[i];
      }
      for (std::size_t i = 0; i < n; ++i)
      {
        to[4 * count + i] =
          (VAxis == 0 ? 0.0 : to[4 * count + i]) + (VAxis == 2 ? base[i] - first : 0.0) + Outside * (1.0 - inside[i]);
      }
    }
  }

  template <typename TRow>
  static void
  DisplaceBy(const DisplacementNodes & nodes,
             const double *            numbers,
             const double *            points,
             std::size_t               count,
             double *                  displaced)
  {
    const Placement placement(numbers, count);
    for (std::size_t i = 0; i < count;)
    {
      const typename Runs::Run run(placement, i);
      if (run.isInside && run.Length() >= Runs::LeastLength)
      {
        Runs::template Displace<TRow>(nodes, placement, run, points, count, displaced);
        i = run.end;
      }
      for (; i < run.end; ++i)
      {
        DisplaceOne<TRow>(nodes, placement, i, points, count, displaced);
      }
    }
  }

  template <typename TRow>
  static void
  DisplaceOne(const DisplacementNodes & nodes,
              const Placement &         placement,
              std::size_t               i,
              const double *            points,
              std::size_t               count,
              double *                  displaced)
  {
    constexpr std::size_t N = TRow::Nodes;
    if (N == 2 && i + Ahead < count)
    {
      const double * corner = nodes.displacements + placement.CornerOf(nodes, i + Ahead);
      __builtin_prefetch(corner);
      __builtin_prefetch(corner + nodes.stride[1]);
      __builtin_prefetch(corner + nodes.stride[2]);
      __builtin_prefetch(corner + nodes.stride[2] + nodes.stride[1]);
    }
    TRow   row;
    double along[TRow::NodesAlongX] = {};
    if (placement.plane[i] >= 0.0)
    {
      const Taps<TRow::NodesAlongX> x(placement.x[i]);
      const Taps<N>                 y(placement.y[i]), z(placement.z[i]);
      const double *                corner = nodes.displacements + placement.CornerOf(nodes, i);
      for (std::size_t k = 0; k < N; ++k)
      {
        for (std::size_t j = 0; j < N; ++j)
        {
          row.Add(z.weight[k] * y.weight[j], corner + k * nodes.stride[2] + j * nodes.stride[1], nodes.componentStride);
        }
      }
      for (std::size_t n = 0; n < TRow::NodesAlongX; ++n)
      {
        along[n] = x.weight[n];
      }
    }
    for (std::size_t component = 0; component < 3; ++component)
    {
      displaced[component * count + i] = points[component * count + i] + row.Sum(component, along);
    }
  }

  template <typename TRow>
  static void
  PullBackThrough(const DisplacementNodes & nodes,
                  const double *            numbers,
                  const double *            points,
                  const double *            gradients,
                  std::size_t               count,
                  double *                  pulled)
  {
    constexpr std::size_t N = TRow::Nodes;
    const Placement       placement(numbers, count);
    for (std::size_t i = 0; i < 3 * count; ++i)
    {
      pulled[i] = gradients[i];
    }
    for (std::size_t i = 0; i < count; ++i)
    {
      if (placement.plane[i] < 0.0)
      {
        continue;
      }
      const Taps<TRow::NodesAlongX> x(placement.x[i]);
      const Taps<N>                 y(placement.y[i]), z(placement.z[i]);
      const double *                corner = nodes.displacements + placement.CornerOf(nodes, i);
      TRow                          row, slopesY, slopesZ;
      for (std::size_t k = 0; k < N; ++k)
      {
        for (std::size_t j = 0; j < N; ++j)
        {
          const double * node = corner + k * nodes.stride[2] + j * nodes.stride[1];
          row.Add(z.weight[k] * y.weight[j], node, nodes.componentStride);
          slopesY.Add(z.weight[k] * y.slope[j], node, nodes.componentStride);
          slopesZ.Add(z.slope[k] * y.weight[j], node, nodes.componentStride);
        }
      }
      double byIndex[3] = {};
      for (std::size_t component = 0; component < 3; ++component)
      {
        const double gradient = gradients[component * count + i];
        byIndex[0] += gradient * row.Sum(component, x.slope);
        byIndex[1] += gradient * slopesY.Sum(component, x.weight);
        byIndex[2] += gradient * slopesZ.Sum(component, x.weight);
      }
      for (std::size_t axis = 0; axis < 3; ++axis)
      {
        const double * toIndex = nodes.toIndex + 4 * axis;
        const double   index = At(toIndex, points, count, i);
        // Where a linear lattice goes on beyond its outermost nodes it is flat.
        const bool isFlat = N == 2 && !(index >= 0.0 && index <= double(nodes.size[axis] - 1));
        for (std::size_t component = 0; component < 3 && !isFlat; ++component)
        {
          pulled[component * count + i] += toIndex[component] * byIndex[axis];
        }
      }
    }
  }

  template <typename TRow>
  static void
  SpreadOver(const DisplacementNodes & nodes,
             const double *            numbers,
             const double *            gradients,
             std::size_t               count,
             std::size_t               firstPlane,
             std::size_t               endPlane,
             double *                  derivative)
  {
    constexpr std::size_t N = TRow::Nodes;
    const Placement       placement(numbers, count);
    const double          lowest = firstPlane >= N ? double(firstPlane - (N - 1)) : 0.0;
    const auto            end = double(endPlane);
    for (std::size_t i = 0; i < count;)
    {
      const typename Runs::Run run(placement, i);
      const double             plane = placement.plane[i];
      const bool               isWanted = plane >= lowest && plane < end;
      if (isWanted && run.Length() >= Runs::LeastLength)
      {
        Runs::template Spread<TRow>(nodes, placement, run, gradients, count, firstPlane, endPlane, derivative);
        i = run.end;
      }
      for (; i < run.end && isWanted; ++i)
      {
        SpreadOne<TRow>(nodes, placement, i, gradients, count, firstPlane, endPlane, derivative);
      }
      i = run.end;
    }
  }

  template <typename TRow>
  static void
  SpreadOne(const DisplacementNodes & nodes,
            const Placement &         placement,
            std::size_t               i,
            const double *            gradients,
            std::size_t               count,
            std::size_t               firstPlane,
            std::size_t               endPlane,
            double *                  derivative)
  {
    constexpr std::size_t         N = TRow::Nodes;
    const Taps<TRow::NodesAlongX> x(placement.x[i]);
    const Taps<N>                 y(placement.y[i]), z(placement.z[i]);
    TRow                          row;
    row.Set(gradients[i], gradients[count + i], gradients[2 * count + i], x.weight);
    double *   corner = derivative + placement.CornerOf(nodes, i);
    const auto plane = static_cast<std::size_t>(placement.plane[i]);
    for (std::size_t k = 0; k < N; ++k)
    {
      if (plane + k < firstPlane || plane + k >= endPlane)
      {
        continue;
      }
      for (std::size_t j = 0; j < N; ++j)
      {
        row.AddTo(z.weight[k] * y.weight[j], corner + k * nodes.stride[2] + j * nodes.stride[1], nodes.componentStride);
      }
    }
  }
};

} // namespace disa

#endif
