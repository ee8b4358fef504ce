// SPDX-License-Identifier: Apache-2.0
#ifndef disa_metric_ChainEvaluation_h
#define disa_metric_ChainEvaluation_h

#include "disa/metric/Objective.h"
#include "disa/metric/TransformChain.h"

#include <functional>
#include <vector>

namespace disa
{

/** \brief Threads to share work out to. */
struct Threads
{
  std::size_t count; ///< how many run at once, 1 or more

  /** Calls a function with 0 .. count - 1, in any order; throws what a call throws, once all have ended. */
  std::function<void(std::size_t count, const std::function<void(std::size_t)> & function)> parallelFor;
};

/** \brief What an objective adds up to under a chain of transforms; physical units. */
struct ChainSums
{
  std::size_t                        validPoints = 0;
  double                             value = 0.0;
  std::vector<Sums>                  affine; ///< for each stage; 0 but for the optimised affine ones
  std::vector<std::array<double, 2>> pushes; ///< derivative by p1 and p2 of each stage; 0 but for the optimised pushes

  explicit ChainSums(std::size_t stages = 0)
    : affine(stages)
    , pushes(stages)
  {
  }

  ChainSums & operator+=(const ChainSums & other);
};

/** \brief Eq. 2 of the paper under transforms of which only a few parameters act on a point.
 *
 * The derivative goes back through the chain as one vector a sample: a displacement map adds it to its nodes around the
 * sample, an affine stage to its 12 numbers, a push to its 2. It is the exact derivative of the value. ITK's own
 * metrics sample voxels that are a displacement field's nodes; here a sample lies between nodes and each of the 8 gets
 * its share.
 *
 * \param derivative by the chain's parameters; that of displacement maps is written; null: value only.
 * \param threads    no result depends on them. */
ChainSums EvaluateChain(const Objective &      objective,
                        const TransformChain & chain,
                        double *               derivative,
                        const Threads &        threads);

} // namespace disa

#endif
