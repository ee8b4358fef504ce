// SPDX-License-Identifier: Apache-2.0
#include "disa/metric/TransformChain.h"

#include <cmath>

namespace disa
{

Vector3
PullBack(const Stage & stage, const Vector3 & point, const Vector3 & gradient)
{
  if (const auto * affine = std::get_if<AffineMap>(&stage.map))
  {
    return AffineMap{ Transpose(affine->matrix), {} }(gradient);
  }
  if (const auto * push = std::get_if<ProbePush>(&stage.map))
  {
    return push->PullBack(point, gradient);
  }
  return std::get<DisplacementMap>(stage.map).PullBack(point, gradient);
}

Vector3
TransformChain::operator()(const Vector3 & point) const
{
  Vector3 moved = point;
  for (const Stage & stage : m_Stages)
  {
    moved = std::visit([&](const auto & map) { return map(moved); }, stage.map);
  }
  return moved;
}

std::optional<Vector3>
TransformChain::Invert(const Vector3 & target) const
{
  constexpr int    maximumIterations = 30;
  constexpr double tolerance = 1e-6; // mm
  Vector3          point = target;
  for (int iteration = 0; iteration < maximumIterations; ++iteration)
  {
    std::vector<Vector3> inputs{ point };
    for (const Stage & stage : m_Stages)
    {
      inputs.push_back(std::visit([&](const auto & map) { return map(inputs.back()); }, stage.map));
    }
    Vector3 miss{};
    double  distance = 0.0;
    for (int axis = 0; axis < 3; ++axis)
    {
      miss[axis] = inputs.back()[axis] - target[axis];
      distance = std::max(distance, std::abs(miss[axis]));
    }
    if (distance < tolerance)
    {
      return point;
    }
    Matrix3 jacobian; // row i: derivative of the i-th moved coordinate
    for (int row = 0; row < 3; ++row)
    {
      Vector3 gradient{};
      gradient[row] = 1.0;
      for (std::size_t s = m_Stages.size(); s-- > 0;)
      {
        gradient = PullBack(m_Stages[s], inputs[s], gradient);
      }
      std::copy(gradient.begin(), gradient.end(), jacobian.begin() + 3 * row);
    }
    if (!(Determinant(jacobian) > 1e-6))
    {
      return std::nullopt;
    }
    const Vector3 step = AffineMap{ Inverse(jacobian), {} }(miss);
    for (int axis = 0; axis < 3; ++axis)
    {
      point[axis] -= step[axis];
    }
  }
  return std::nullopt;
}

} // namespace disa
