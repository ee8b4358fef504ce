// SPDX-License-Identifier: Apache-2.0
#ifndef disa_search_PoseSearch_h
#define disa_search_PoseSearch_h

#include "disa/search/Minimize.h"
#include "disa/search/PoseObjective.h"

#include <cstdint>
#include <vector>

namespace disa
{

/** \brief One pose and how good it is. */
struct Pose
{
  std::vector<double> parameters; ///< of the PoseModel
  double              value = 0.0;
  std::vector<double> trace; ///< values on the way there, after each iteration; empty for a start
};

/** \brief How poses are drawn: uniformly, each axis on its own. */
struct StartSettings
{
  std::size_t   count = 500;
  double        rotation = 40.0;     ///< degrees either way
  double        translation = 150.0; ///< mm either way
  std::uint64_t seed = 0;
};

/** \brief Starts about the model's initial map; the first is that map itself. */
std::vector<Pose> DrawStarts(const PoseModel & model, const StartSettings & settings);

/** \brief One stage of a search from coarse to fine. */
struct StageSettings
{
  std::size_t      samples = 512; ///< cells, half of each image; 0: all
  MinimizeSettings minimize;
  std::size_t      keep = 1;       ///< poses that go on
  double           distinct = 5.0; ///< mm between two that count as different, mean over points at the model's radius
  std::uint64_t    seed = 0;       ///< of the samples
  unsigned         threads = 0;    ///< 0: all
};

/** \brief What a stage leaves. */
struct StageResult
{
  std::vector<Pose> poses;                 ///< distinct, the best first
  std::size_t       evaluations = 0;       ///< of value and derivative
  std::size_t       overlappingStarts = 0; ///< starts whose value is not 0 at once
};

/** \brief Optimise each start on its own and keep the best distinct ends.
 *
 * Starts without overlap have neither a value nor a slope and are dropped. The result does not depend on the number of
 * threads, to the last bit. Throws as PoseObjective does. */
StageResult OptimizePoses(const PoseModel &         model,
                          const Term &              forward,
                          const Term *              backward,
                          const std::vector<Pose> & starts,
                          const StageSettings &     settings);

} // namespace disa

#endif
