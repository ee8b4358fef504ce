// SPDX-License-Identifier: Apache-2.0
#ifndef disa_kernels_Cells_h
#define disa_kernels_Cells_h

#include <cstddef>
#include <cstdint>

namespace disa
{

/** \brief The moving descriptors as the kernels read them: one zero cell of padding on every side, 16 channels a cell.
 *
 * Indices are padded ones: cell 0 is padding, cell 1 the volume's first. A point with 0 <= index < size - 1 along every
 * axis has its 8 cells in memory; any other lies outside. A volume has fewer than 2^31 padded cells, and int8 channels
 * lie within -127 .. 127. */
template <typename TChannel>
struct Cells
{
  const TChannel * data;    ///< (z, y, x, channel), the channel fastest
  std::size_t      size[3]; ///< padded cells along x, y, z
};

/** \brief Inner products of fixed descriptors with the moving ones at given points, and their spatial gradients.
 *
 * The inner product is linear, so the 8 cells around a point are dotted first (exactly, in integers) and the 8 numbers
 * are then blended trilinearly. A point outside the cells has value and gradient 0.
 *
 * \param cells       moving descriptors.
 * \param descriptors `count` fixed descriptors of 16 channels.
 * \param index       `count` points as padded continuous indices: the x of all, then the y, then the z.
 * \param value       `count` inner products.
 * \param gradient    derivative of each value by the index, x of all, then y, then z; or null.
 * \return how many points lie inside. */
template <typename TChannel>
using EvaluateFunction = std::size_t (*)(const Cells<TChannel> & cells,
                                         const TChannel *        descriptors,
                                         const double *          index,
                                         std::size_t             count,
                                         double *                value,
                                         double *                gradient);

/** \brief Fixed samples, as they lie in memory. */
template <typename TChannel>
struct Samples
{
  const TChannel * descriptors;    ///< 16 a sample
  const float *    weights;        ///< w(p)
  const float *    coordinates[3]; ///< x, y, z of each
  std::size_t      count;
};

/** \brief What samples add up to under an affine map; indices and coordinates, no physical units. */
struct Moments
{
  std::size_t validPoints;
  double      value;       ///< sum of w v
  double      gradient[3]; ///< sum of w g, with g the derivative of v by the index
  double      moment[9];   ///< sum of w g c^T, with c the coordinates
};

/** \brief The same at affinely mapped samples, weighted and summed in an order that no instruction set changes.
 *
 * \param map          from coordinates to padded indices, rows of matrix and offset:
 *                     index[a] = map[4 a] x + map[4 a + 1] y + map[4 a + 2] z + map[4 a + 3].
 * \param wantGradient otherwise gradient and moment are 0. */
template <typename TChannel>
using AccumulateFunction = Moments (*)(const Cells<TChannel> &   cells,
                                       const Samples<TChannel> & samples,
                                       const double (&map)[12],
                                       bool wantGradient);

/** \brief What an instruction set offers. */
template <typename TChannel>
struct KernelFunctions
{
  EvaluateFunction<TChannel>   evaluate;
  AccumulateFunction<TChannel> accumulate;
};

} // namespace disa

#endif
