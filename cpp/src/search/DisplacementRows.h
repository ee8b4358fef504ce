#ifndef disa_search_DisplacementRows_h
#define disa_search_DisplacementRows_h

#include "disa/features/FeatureVolume.h"

#include <array>
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
void DotRows(const float * fixed,
             const float * moving,
             std::size_t   movingStride,
             std::size_t   count,
             std::size_t   shifts,
             float         factor,
             float *       out);

/** \brief to[i] = sum of from[i - radius] .. from[i + radius] of `count` items of `length` floats each. */
void SumNeighbours(const float * from, std::size_t count, std::size_t length, std::size_t radius, float * to);

/** \brief to = the sum of items at - radius .. at + radius, of those of the `count` that there are, in the order of
 * SumNeighbours. Items are `stride` floats apart, of which `length` count. */
void SumAbout(const float * from,
              std::size_t   at,
              std::size_t   count,
              std::size_t   stride,
              std::size_t   length,
              std::size_t   radius,
              float *       to);

/** \brief Keep a displacement where it costs less than the best so far, or as much and comes first, and the least cost
 * without the coupling.
 * \param near x, y and z, `planeStride` floats apart. */
void KeepCheaper(const float *                near,
                 std::size_t                  planeStride,
                 const std::array<float, 3> & displacement,
                 float                        coupling,
                 std::int32_t                 label,
                 const float *                costs,
                 std::size_t                  count,
                 float *                      least,
                 float *                      best,
                 std::int32_t *               bestLabel);

} // namespace disa

#endif
