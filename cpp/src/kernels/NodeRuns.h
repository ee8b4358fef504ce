// SPDX-License-Identifier: Apache-2.0
#ifndef disa_kernels_NodeRuns_h
#define disa_kernels_NodeRuns_h

#include "disa/kernels/Points.h"
#include "kernels/NodeRows.h"

#include <cstddef>

namespace disa
{

/** \brief Points one after another that lie between the same rows of nodes, have the same shares along y and z, and do
 * not go back along x, as the cells of an image do whose axes are the lattice's.
 *
 * The rows between which they lie are then blended once for all of them, to one row, and what points give to nodes goes
 * through one row. Templates on a kernel's own type, as all of PointLoop. */
template <typename TSet>
class NodeRuns
{
public:
  using Rows = NodeRows<TSet>;
  using Placement = typename Rows::Placement;

  struct Run
  {
    std::size_t begin, end; ///< points
    double      low, high;  ///< first nodes along x of the first and of the last point
    bool        isInside;   ///< else no node acts on its points

    Run(const Placement & placement, std::size_t first)
      : begin(first)
      , end(static_cast<std::size_t>(placement.runEnd[first]))
      , low(placement.node[begin])
      , high(placement.node[end - 1])
      , isInside(placement.plane[begin] >= 0.0)
    {
    }
    std::size_t
    Length() const
    {
      return end - begin;
    }
  };

  /** Fewer points are quicker one by one. */
  static constexpr std::size_t LeastLength = 3;

  /** Write the ends of runs, which depend on nothing but the points.
   *  \param runEnd the placement's. */
  static void
  Find(const Placement & placement, std::size_t count, double * __restrict runEnd)
  {
    for (std::size_t i = 1; i < count; ++i) // 1 where a point goes on where the one before was
    {
      const double isRow =
        placement.row[i] == placement.row[i - 1] && placement.plane[i] == placement.plane[i - 1] ? 1.0 : 0.0;
      const double isShare = placement.y[i] == placement.y[i - 1] && placement.z[i] == placement.z[i - 1] ? isRow : 0.0;
      runEnd[i] = placement.node[i] >= placement.node[i - 1] ? isShare : 0.0;
    }
    for (std::size_t begin = 0; begin < count;)
    {
      const std::size_t stop = count - begin < MaximumLength ? count : begin + MaximumLength;
      const double      highest = placement.node[begin] + MaximumSpan;
      std::size_t       end = begin + 1;
      while (end < stop && runEnd[end] > 0.0 && placement.node[end] <= highest)
      {
        ++end;
      }
      runEnd[begin] = double(end);
      begin = end;
    }
  }

  template <typename TRow>
  static void
  Displace(const DisplacementNodes & nodes,
           const Placement &         placement,
           const Run &               run,
           const double *            points,
           std::size_t               count,
           double *                  displaced)
  {
    constexpr std::size_t N = TRow::NodesAlongX;
    Four                  blended[MaximumNodes];
    double                weights[N][MaximumLength];
    Blend<TRow>(nodes, placement, run, blended);
    WeighAlongX(placement, run, weights);
    for (std::size_t i = run.begin; i < run.end; ++i)
    {
      const Four * first = blended + static_cast<std::size_t>(placement.node[i] - run.low);
      Four         parts[N];
      for (std::size_t n = 0; n < N; ++n)
      {
        parts[n] = weights[n][i - run.begin] * first[n];
      }
      AddUp(parts);
      for (std::size_t component = 0; component < 3; ++component)
      {
        displaced[component * count + i] = points[component * count + i] + parts[0][component];
      }
    }
  }

  template <typename TRow>
  static void
  Spread(const DisplacementNodes & nodes,
         const Placement &         placement,
         const Run &               run,
         const double *            gradients,
         std::size_t               count,
         std::size_t               firstPlane,
         std::size_t               endPlane,
         double *                  derivative)
  {
    constexpr std::size_t N = TRow::NodesAlongX;
    const std::size_t     length = LengthOf<N>(run);
    double                weights[N][MaximumLength];
    Four                  sums[MaximumNodes]; // x, y, z of each node
    WeighAlongX(placement, run, weights);
    for (std::size_t n = 0; n < length; ++n)
    {
      sums[n] = Four{};
    }
    for (std::size_t i = run.begin; i < run.end;)
    {
      const double node = placement.node[i];
      Four * const first = sums + static_cast<std::size_t>(node - run.low);
      Four         parts[N];
      for (std::size_t n = 0; n < N; ++n)
      {
        parts[n] = first[n];
      }
      do
      {
        const Four gradient{ gradients[i], gradients[count + i], gradients[2 * count + i], 0.0 };
        for (std::size_t n = 0; n < N; ++n)
        {
          parts[n] += weights[n][i - run.begin] * gradient;
        }
        ++i;
      } while (i < run.end && placement.node[i] == node);
      for (std::size_t n = 0; n < N; ++n)
      {
        first[n] = parts[n];
      }
    }
    AddToRows<TRow>(nodes, placement, run, sums, firstPlane, endPlane, derivative);
  }

private:
  using Four = typename Rows::Four;
  template <std::size_t N>
  using Taps = typename Rows::template Taps<N>;

  static constexpr std::size_t MaximumLength = 64;
  static constexpr std::size_t MaximumNodes = 68;
  static constexpr double      MaximumSpan = 64.0;

  template <std::size_t N>
  static std::size_t
  LengthOf(const Run & run)
  {
    return static_cast<std::size_t>(run.high - run.low) + N;
  }

  /** Their sum, in the first. */
  template <std::size_t N>
  static void
  AddUp(Four (&parts)[N])
  {
    if constexpr (N == 4)
    {
      parts[0] += parts[1];
      parts[2] += parts[3];
      parts[0] += parts[2];
    }
    else if constexpr (N == 2)
    {
      parts[0] += parts[1];
    }
  }

  template <std::size_t N>
  static void
  WeighAlongX(const Placement & placement, const Run & run, double (&weights)[N][MaximumLength])
  {
    const double * const share = placement.x + run.begin;
    for (std::size_t i = 0; i < run.Length(); ++i)
    {
      const Taps<N> taps(share[i]);
      for (std::size_t n = 0; n < N; ++n)
      {
        weights[n][i] = taps.weight[n];
      }
    }
  }

  static void
  AddTimes(double weight, const double * __restrict from, std::size_t length, double * __restrict to)
  {
    for (std::size_t i = 0; i < length; ++i)
    {
      to[i] += weight * from[i];
    }
  }

  /** Add to numbers, or set them to, the weighted numbers of 4 rows. */
  template <bool VIsFirst>
  static void
  AddRows(const double * const (&rows)[4], const double (&weights)[4], std::size_t length, double * __restrict to)
  {
    for (std::size_t i = 0; i < length; ++i)
    {
      const double sum = (VIsFirst ? 0.0 : to[i]) + weights[0] * rows[0][i];
      to[i] = ((sum + weights[1] * rows[1][i]) + weights[2] * rows[2][i]) + weights[3] * rows[3][i];
    }
  }

  /** Where the first node of a run lies among the numbers. */
  static std::size_t
  CornerOf(const DisplacementNodes & nodes, const Placement & placement, const Run & run)
  {
    return static_cast<std::size_t>(placement.row[run.begin] + double(nodes.stride[0]) * run.low);
  }

  /** The one row: x, y, z and nothing of each node. */
  template <typename TRow>
  static void
  Blend(const DisplacementNodes & nodes, const Placement & placement, const Run & run, Four * blended)
  {
    constexpr std::size_t N = TRow::Nodes, Parts = TRow::HasParts ? 3 : 1;
    const Taps<N>         y(placement.y[run.begin]), z(placement.z[run.begin]);
    const std::size_t     length = LengthOf<TRow::NodesAlongX>(run);
    const std::size_t     numbers = length * (3 / Parts);
    const double *        corner = nodes.displacements + CornerOf(nodes, placement, run);
    double                sums[3 * MaximumNodes]; // as the lattice has them
    for (std::size_t part = 0; part < Parts; ++part)
    {
      double * const to = sums + part * length;
      for (std::size_t k = 0; k < N; k += 4 / N)
      {
        const double * rows[4]; // a plane of 4 rows, or two of 2
        double         weights[4];
        for (std::size_t r = 0; r < 4; ++r)
        {
          const std::size_t plane = k + r / N, row = r % N;
          rows[r] = corner + part * nodes.componentStride + plane * nodes.stride[2] + row * nodes.stride[1];
          weights[r] = z.weight[plane] * y.weight[row];
        }
        k == 0 ? AddRows<true>(rows, weights, numbers, to) : AddRows<false>(rows, weights, numbers, to);
      }
    }
    for (std::size_t n = 0; n < length; ++n)
    {
      blended[n] = Parts == 1 ? Four{ sums[3 * n], sums[3 * n + 1], sums[3 * n + 2], 0.0 }
                              : Four{ sums[n], sums[length + n], sums[2 * length + n], 0.0 };
    }
  }

  /** Add what the nodes of the one row have to those of the rows that it stands for. */
  template <typename TRow>
  static void
  AddToRows(const DisplacementNodes & nodes,
            const Placement &         placement,
            const Run &               run,
            const Four *              sums,
            std::size_t               firstPlane,
            std::size_t               endPlane,
            double *                  derivative)
  {
    constexpr std::size_t N = TRow::Nodes, Parts = TRow::HasParts ? 3 : 1;
    const Taps<N>         y(placement.y[run.begin]), z(placement.z[run.begin]);
    const std::size_t     length = LengthOf<TRow::NodesAlongX>(run);
    const auto            plane = static_cast<std::size_t>(placement.plane[run.begin]);
    double * const        corner = derivative + CornerOf(nodes, placement, run);
    double                numbers[3 * MaximumNodes]; // as the lattice has them
    for (std::size_t n = 0; n < length; ++n)
    {
      for (std::size_t component = 0; component < 3; ++component)
      {
        numbers[Parts == 1 ? 3 * n + component : component * length + n] = sums[n][component];
      }
    }
    for (std::size_t k = 0; k < N; ++k)
    {
      if (plane + k < firstPlane || plane + k >= endPlane)
      {
        continue;
      }
      for (std::size_t j = 0; j < N; ++j)
      {
        for (std::size_t part = 0; part < Parts; ++part)
        {
          AddTimes(z.weight[k] * y.weight[j],
                   numbers + part * length,
                   length * (3 / Parts),
                   corner + part * nodes.componentStride + k * nodes.stride[2] + j * nodes.stride[1]);
        }
      }
    }
  }
};

} // namespace disa

#endif
