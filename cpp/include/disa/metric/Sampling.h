// SPDX-License-Identifier: Apache-2.0
#ifndef disa_metric_Sampling_h
#define disa_metric_Sampling_h

#include <cstddef>
#include <cstdint>
#include <vector>

namespace disa
{

/** \brief Some cells of a volume that stand for all. */
struct WeightedSample
{
  std::vector<std::size_t> cells;   ///< numbers in memory order
  std::vector<float>       weights; ///< of each
};

/** \brief Cells drawn in proportion to their weight, spread over the volume.
 *
 * Systematic sampling along memory order. Cells heavy enough to be drawn for certain keep their own weight, the others
 * share one, so that sums over the sample estimate those over all cells without bias.
 * \param count wanted; all cells of a weight above 0 if there are no more, with their own weights.
 * \param seed  of the one random number that it takes. */
WeightedSample SampleCells(const std::vector<float> & weights, std::size_t count, std::uint64_t seed);

} // namespace disa

#endif
