// SPDX-License-Identifier: Apache-2.0
#ifndef disa_kernels_Points_h
#define disa_kernels_Points_h

#include <cstddef>

namespace disa
{

/** \brief The nodes of a lattice of displacements, as the kernels read them. */
struct DisplacementNodes
{
  bool           isCubic;         ///< 4 nodes an axis act on a point, as a cubic B-spline; else 2, linearly
  std::size_t    size[3];         ///< nodes along x, y, z; 4 or more of a cubic one
  std::size_t    stride[3];       ///< numbers to the next node along each axis; 0 along an axis of one node
  std::size_t    componentStride; ///< numbers from one component of a displacement to the next; 1 unless cubic
  const double * displacements;   ///< mm
  double         toIndex[12];     ///< from points to continuous indices, as MapFunction has it
};

// Arrays of points and gradients hold the x of all, then the y, then the z; no two arguments may overlap.

/** \brief An affine map of points.
 *  \param map rows of matrix and offset: to[a] = map[4 a] x + map[4 a + 1] y + map[4 a + 2] z + map[4 a + 3]. */
using MapFunction = void (*)(const double (&map)[12], const double * from, std::size_t count, double * to);

/** \brief The same of samples' coordinates, an array for each axis. */
using MapCoordinatesFunction = void (*)(const double (&map)[12],
                                        const float * const (&from)[3],
                                        std::size_t count,
                                        double *    to);

/** \brief Which nodes act on points, and how much.
 *  \param placement `PlacementSize * count` numbers: of each point where the rows (x) of its nodes begin, the first of
 *                   their numbers; then of each where it lies from its first nodes on along x, y, z; then of each the
 *                   first plane of nodes (z), less than 0 if no node acts on the point, for outside its domain a map
 *                   displaces nothing, as in ITK; then of each its first node in a row; then of each that begins a
 *                   run (NodeRuns) the end of that. */
using PlaceFunction = void (*)(const DisplacementNodes & nodes,
                               const double *            points,
                               std::size_t               count,
                               double *                  placement);
constexpr std::size_t PlacementSize = 7;

/** \brief Displaced points. */
using DisplaceFunction = void (*)(const DisplacementNodes & nodes,
                                  const double *            placement,
                                  const double *            points,
                                  std::size_t               count,
                                  double *                  displaced);

/** \brief From derivatives by displaced points to derivatives by the points. */
using PullBackFunction = void (*)(const DisplacementNodes & nodes,
                                  const double *            placement,
                                  const double *            points,
                                  const double *            gradients,
                                  std::size_t               count,
                                  double *                  pulled);

/** \brief Add derivatives by displaced points to those by the displacements of some planes of nodes (z), in the order
 *  of the points.
 *  \param derivative of all nodes. */
using SpreadFunction = void (*)(const DisplacementNodes & nodes,
                                const double *            placement,
                                const double *            gradients,
                                std::size_t               count,
                                std::size_t               firstPlane,
                                std::size_t               endPlane,
                                double *                  derivative);

/** \brief What an instruction set offers for points. */
struct PointFunctions
{
  MapFunction            map;
  MapCoordinatesFunction mapCoordinates;
  PlaceFunction          place;
  DisplaceFunction       displace;
  PullBackFunction       pullBack;
  SpreadFunction         spread;
};

} // namespace disa

#endif
