// SPDX-License-Identifier: Apache-2.0
#ifndef disa_kernels_NodeRows_h
#define disa_kernels_NodeRows_h

#include "disa/kernels/Points.h"

#include <cstddef>

namespace disa
{

/** \brief The nodes of a lattice of displacements that act on one point, a row along x at a time. Templates on a
 * kernel's own type, as all of PointLoop. */
template <typename TSet>
struct NodeRows
{
  /** What PlaceFunction writes. */
  struct Placement
  {
    const double *row, *x, *y, *z, *plane, *node, *runEnd;

    Placement(const double * numbers, std::size_t count)
      : row(numbers)
      , x(numbers + count)
      , y(numbers + 2 * count)
      , z(numbers + 3 * count)
      , plane(numbers + 4 * count)
      , node(numbers + 5 * count)
      , runEnd(numbers + 6 * count)
    {
    }
    /** Where a point's first node lies among the numbers. */
    std::size_t
    CornerOf(const DisplacementNodes & nodes, std::size_t i) const
    {
      return static_cast<std::size_t>(row[i] + double(nodes.stride[0]) * node[i]);
    }
  };

  /** Shares of N nodes along one axis at a place from the first of the nodes between which a point lies, and their
   * slopes. */
  template <std::size_t N>
  struct Taps
  {
    double weight[N];
    double slope[N];

    explicit Taps(double t)
    {
      if constexpr (N == 4)
      {
        const double     s = 1.0 - t;
        constexpr double sixth = 1.0 / 6.0; // six divisions a point would be felt
        weight[0] = s * s * s * sixth;
        weight[1] = 2.0 / 3.0 - t * t * (1.0 - 0.5 * t);
        weight[2] = 2.0 / 3.0 - s * s * (1.0 - 0.5 * s);
        weight[3] = t * t * t * sixth;
        slope[0] = -0.5 * s * s;
        slope[1] = t * (1.5 * t - 2.0);
        slope[2] = s * (2.0 - 1.5 * s);
        slope[3] = 0.5 * t * t;
      }
      else if constexpr (N == 2)
      {
        weight[0] = 1.0 - t;
        weight[1] = t;
        slope[0] = -1.0;
        slope[1] = 1.0;
      }
      else
      {
        weight[0] = 1.0;
        slope[0] = 0.0;
      }
    }
  };

  // Vectors, of which the compiler makes several where the instruction set has none so long. Reading and adding to
  // memory goes by the same pieces, for a load that straddles two recent stores has to wait for both.
  using Two = double __attribute__((vector_size(16)));
  using Four = double __attribute__((vector_size(32)));

  template <typename TVector>
  static void
  AddFrom(const double * from, double weight, TVector & to)
  {
    TVector vector;
    __builtin_memcpy(&vector, from, sizeof(vector));
    to += weight * vector;
  }
  template <typename TVector>
  static void
  AddTo(double * to, double weight, const TVector & numbers)
  {
    TVector vector;
    __builtin_memcpy(&vector, to, sizeof(vector));
    vector += weight * numbers;
    __builtin_memcpy(to, &vector, sizeof(vector));
  }

  /** A vector for each of the 4 nodes of a cubic lattice in a row along x, whose components lie far from each other. */
  class CubicRow
  {
  public:
    static constexpr std::size_t Nodes = 4, NodesAlongX = 4;
    static constexpr bool        HasParts = true; ///< all x, then all y, then all z

    /** Add what lies at nodes in memory. */
    void
    Add(double weight, const double * node, std::size_t componentStride)
    {
      for (std::size_t component = 0; component < 3; ++component)
      {
        AddFrom(node + component * componentStride, weight, m_Components[component]);
      }
    }
    /** Add to what lies at nodes in memory. */
    void
    AddTo(double weight, double * node, std::size_t componentStride) const
    {
      for (std::size_t component = 0; component < 3; ++component)
      {
        NodeRows::AddTo(node + component * componentStride, weight, m_Components[component]);
      }
    }
    /** One component's sum over the nodes. */
    double
    Sum(std::size_t component, const double (&weights)[4]) const
    {
      const Four & v = m_Components[component];
      return (weights[0] * v[0] + weights[1] * v[1]) + (weights[2] * v[2] + weights[3] * v[3]);
    }
    /** Share a vector out among the nodes. */
    void
    Set(double x, double y, double z, const double (&weights)[4])
    {
      const Four shares{ weights[0], weights[1], weights[2], weights[3] };
      m_Components[0] = x * shares;
      m_Components[1] = y * shares;
      m_Components[2] = z * shares;
    }

  private:
    Four m_Components[3] = {};
  };

  /** The same for 2 nodes of a linear lattice, or 1, whose components lie side by side. */
  template <std::size_t VNodes>
  class LinearRow
  {
  public:
    static constexpr std::size_t Nodes = 2, NodesAlongX = VNodes;
    static constexpr bool        HasParts = false;

    void
    Add(double weight, const double * node, std::size_t)
    {
      for (std::size_t n = 0; n < VNodes; ++n)
      {
        AddFrom(node + 3 * n, weight, m_XY[n]);
        AddFrom(node + 3 * n + 2, weight, m_Z[n]);
      }
    }
    void
    AddTo(double weight, double * node, std::size_t) const
    {
      for (std::size_t n = 0; n < VNodes; ++n)
      {
        NodeRows::AddTo(node + 3 * n, weight, m_XY[n]);
        NodeRows::AddTo(node + 3 * n + 2, weight, m_Z[n]);
      }
    }
    double
    Sum(std::size_t component, const double (&weights)[VNodes]) const
    {
      double sum = 0.0;
      for (std::size_t n = 0; n < VNodes; ++n)
      {
        sum += weights[n] * (component == 2 ? m_Z[n] : m_XY[n][component]);
      }
      return sum;
    }
    void
    Set(double x, double y, double z, const double (&weights)[VNodes])
    {
      for (std::size_t n = 0; n < VNodes; ++n)
      {
        m_XY[n] = weights[n] * Two{ x, y };
        m_Z[n] = weights[n] * z;
      }
    }

  private:
    Two    m_XY[VNodes] = {};
    double m_Z[VNodes] = {};
  };
};

} // namespace disa

#endif
