#ifndef disaCells_h
#define disaCells_h

#include <cstddef>

namespace disa
{

/** \brief The moving descriptors as the kernels read them: one zero cell of padding on every side, 16 channels a cell.
 *
 * Indices are padded ones: cell 0 is padding, cell 1 the volume's first. A point with 0 <= index < size - 1 along every
 * axis has its 8 cells in memory; any other lies outside. */
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

} // namespace disa

#endif
