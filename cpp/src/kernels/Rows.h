// SPDX-License-Identifier: Apache-2.0
#ifndef disa_kernels_Rows_h
#define disa_kernels_Rows_h

#include <cstddef>
#include <cstdint>

namespace disa
{

/** Rows of floats are padded to a multiple of it. */
constexpr std::size_t Lanes = 8;

/** Displacements along x that are searched at a time, whose moving descriptors lie side by side. */
constexpr std::size_t MostShifts = 4;

/** \brief out[k][x] = -factor * sum over channels of fixed[x] * moving[x + k], k < shifts.
 * \param fixed  (channel, x), `count` floats a channel, a multiple of Lanes.
 * \param moving (channel, x), `movingStride` floats a channel.
 * \param shifts 1 to MostShifts. */
using DotRowsFunction = void (*)(const float * fixed,
                                 const float * moving,
                                 std::size_t   movingStride,
                                 std::size_t   count,
                                 std::size_t   shifts,
                                 float         factor,
                                 float *       out);

/** \brief to[i] = sum of from[i - radius] .. from[i + radius] of `count` items of `length` floats each. */
using SumNeighboursFunction =
  void (*)(const float * from, std::size_t count, std::size_t length, std::size_t radius, float * to);

/** \brief to = the sum of items at - radius .. at + radius, of those of the `count` that there are, in the order of
 * SumNeighboursFunction. Items are `stride` floats apart, of which `length` count. */
using SumAboutFunction = void (*)(const float * from,
                                  std::size_t   at,
                                  std::size_t   count,
                                  std::size_t   stride,
                                  std::size_t   length,
                                  std::size_t   radius,
                                  float *       to);

/** \brief What is known of a row of control points. */
struct RowState
{
  const float *  near; ///< x, y and z, `planeStride` floats apart
  std::size_t    planeStride;
  float *        least; ///< cost of all displacements so far
  float *        best;  ///< cost with the coupling
  std::int32_t * label; ///< of the displacement that has it
};

/** \brief Keep a displacement where it costs less than the best so far, or as much and comes first, and the least cost
 * without the coupling. */
using KeepCheaperFunction = void (*)(const RowState & state,
                                     const float (&displacement)[3],
                                     float         coupling,
                                     std::int32_t  label,
                                     const float * costs,
                                     std::size_t   count);

/** \brief What an instruction set offers for the rows of a displacement search. */
struct RowFunctions
{
  DotRowsFunction       dotRows;
  SumNeighboursFunction sumNeighbours;
  SumAboutFunction      sumAbout;
  KeepCheaperFunction   keepCheaper;
};

} // namespace disa

#endif
