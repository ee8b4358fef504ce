// SPDX-License-Identifier: Apache-2.0
#ifndef disa_metric_TransformChain_h
#define disa_metric_TransformChain_h

#include "disa/metric/DisplacementMap.h"
#include "disa/metric/ProbePressure.h"

#include <optional>
#include <variant>
#include <vector>

namespace disa
{

/** \brief One transform of a chain. */
struct Stage
{
  std::variant<AffineMap, DisplacementMap, ProbePush> map;
  bool                                                isOptimized = false;
  std::size_t firstParameter = 0; ///< of an optimised stage, among those of the whole chain
};

/** \brief Transforms applied one after the other, any of them deformable, any of them optimised. */
class TransformChain
{
public:
  /** \param stages in the order of application. */
  explicit TransformChain(std::vector<Stage> stages)
    : m_Stages(std::move(stages))
  {
  }

  const std::vector<Stage> &
  GetStages() const
  {
    return m_Stages;
  }

  Vector3 operator()(const Vector3 & point) const;

  /** \brief The point that the chain takes to a given one, to 1e-6 mm, by Newton's method; none if it finds none. */
  std::optional<Vector3> Invert(const Vector3 & target) const;

private:
  std::vector<Stage> m_Stages;
};

/** \brief Derivative by a stage's input of a function whose derivative by its output is given. */
Vector3 PullBack(const Stage & stage, const Vector3 & point, const Vector3 & gradient);

} // namespace disa

#endif
