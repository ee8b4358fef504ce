// SPDX-License-Identifier: Apache-2.0
#ifndef disa_search_DisplacementSearch_h
#define disa_search_DisplacementSearch_h

#include "disa/features/FeatureVolume.h"

#include <vector>

namespace disa
{

/** \brief Where displacements are looked for. Lengths are in cells of the fixed volume. */
struct DisplacementSearchSettings
{
  std::size_t controlSpacing = 1; ///< cells between control points, and the side of the box that is averaged about each
  std::size_t step = 1;           ///< cells between displacements; divides controlSpacing
  std::size_t radius = 3;         ///< steps of the largest displacement along each axis
  std::size_t costRadius = 1;     ///< control points either way whose costs are averaged for one of them
};

/** \brief Displacements of the control points, each three numbers (x, y, z), in steps along the frame's axes. */
using Displacements = std::vector<float>;

/** \brief Explicit search over displacements u of control points p, cost(p, u) = -sum_q w(q) <phiF(q), phiM(q + u)>
 * over the control points q about p.
 *
 * Descriptors count at unit length, else long moving ones would win wherever they lie, and with their weights (standard
 * deviations, where nobody gave others). They are averaged over the box about a control point,
 * cells on its faces by half, for the inner product is linear. Control points lie at every `controlSpacing`-th fixed
 * cell, from the first. No cost is kept: each pass computes them anew, a few planes of control points and
 * displacements at a time, which is as fast as reading them would be, and takes the memory of the averaged descriptors
 * alone, 64 bytes for each moving position. Results depend on neither the threads nor the instruction set.
 *
 * Source: Heinrich et al., Non-parametric discrete registration with convex optimisation, WBIR 2014. */
class DisplacementSearch
{
public:
  /** \param fixed   weighted descriptors; weights count relative to their mean where they are not 0.
   *  \param moving  descriptors on the same lattice of cells, of any extent; beyond them lie zeros.
   *  \param threads at most; 0: as many as the processor runs.
   *  Throws RegistrationError if the lattices differ, the settings do not fit or no weight is left. */
  DisplacementSearch(const FeatureVolume &      fixed,
                     const FeatureVolume &      moving,
                     DisplacementSearchSettings settings,
                     unsigned                   threads);

  /** \brief The control points. */
  const Frame &
  GetFrame() const
  {
    return m_Frame;
  }

  /** \brief cost(p, u) of one displacement u, in steps, for every control point. */
  std::vector<float> Costs(const std::array<std::ptrdiff_t, 3> & displacement) const;

  /** \brief argmin over u of cost(p, u) + coupling |u - near(p)|^2, the first of equal ones in order (z, y, x). */
  Displacements Nearest(const Displacements & near, double coupling) const;

  /** \brief Nearest to the last smooth field, smoothed, over and over under increasing couplings, from no displacement.
   *
   * Heinrich's first search is free; here it is drawn to no displacement by the first coupling, for where costs are
   * flat, along a limb, a free one goes astray (benchmarks/notes.md). */
  Displacements Run(const std::vector<double> & couplings) const;

  /** \brief The mean over the 3^3 control points about each, fewer at the border. */
  Displacements Smooth(const Displacements & displacements) const;

private:
  struct Box;
  struct State;
  struct Scratch;

  /** \brief Floats of a row of control points, padding included. */
  std::size_t Width() const;

  /** \brief Call function(index in padded rows, index) for every control point. */
  template <typename TFunction>
  void ForEachPoint(const TFunction & function) const;

  /** \brief The displacement that has a label, in steps. */
  std::array<float, 3> StepsOf(std::int32_t label) const;

  /** \brief Dot products summed along x, of some planes of control points, for some displacements along x, m_Ratio
   * apart, in the rows that are wanted. */
  template <typename TPredicate>
  void DotPlanes(const std::array<std::size_t, 3> & shift,
                 std::size_t                        shifts,
                 std::size_t                        begin,
                 std::size_t                        end,
                 const TPredicate &                 isWanted,
                 Scratch &                          scratch) const;

  /** \brief Costs of a row of one of `planes` planes, of the k-th of the displacements. */
  const float * CostRow(std::size_t k, std::size_t z, std::size_t y, std::size_t planes, Scratch & scratch) const;

  /** \brief Nothing known, all displacements to be searched. */
  State Begin(const Displacements & near) const;

  /** \brief Set what the displacements are drawn to. */
  void Draw(State & state, const Displacements & near) const;

  /** \brief Find the best of the displacements in the boxes. */
  void Search(State & state, float coupling) const;

  /** \brief Leave out what cannot be the nearest under the next coupling: what it alone makes dearer than the last
   * pass' displacement is at most, whatever its own cost, which is no less than the least. Changes no result.
   * \param before the last pass' coupling. */
  void Narrow(State & state, const Displacements & near, float before, float coupling) const;

  Displacements Found(const State & state) const;

  DisplacementSearchSettings m_Settings;
  unsigned                   m_Threads;
  Frame                      m_Frame;
  std::size_t                m_Ratio;      ///< moving positions from one control point to the next
  std::array<std::size_t, 3> m_MovingSize; ///< moving positions along each axis
  std::size_t                m_PhaseSize;  ///< positions of a row that have one remainder by the ratio
  std::vector<float>         m_Fixed;      ///< (z, channel, y, x), weighted
  std::vector<float>         m_Moving;     ///< (z, y, remainder, channel, quotient) of the position
};

} // namespace disa

#endif
