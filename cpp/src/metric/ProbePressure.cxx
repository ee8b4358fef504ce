// SPDX-License-Identifier: Apache-2.0
#include "disa/metric/ProbePressure.h"

#include <algorithm>
#include <cmath>

namespace disa
{

double
ProbePressure::RelativeDepth(const Vector3 & x) const
{
  double along = 0.0;
  for (int i = 0; i < 3; ++i)
  {
    along += axis[i] * (x[i] - contact[i]);
  }
  return along / depth;
}

std::array<double, 2>
ProbePressure::Factors(const Vector3 & x) const
{
  const double t = std::clamp(RelativeDepth(x), 0.0, 1.0);
  return { (1.0 - t) * (1.0 - t), t * (1.0 - t) };
}

Vector3
ProbePush::ShiftBy(const Vector3 & x, double shift) const
{
  Vector3 shifted = x;
  for (int i = 0; i < 3; ++i)
  {
    shifted[i] += shift * probe.axis[i];
  }
  return shifted;
}

Vector3
ProbePush::operator()(const Vector3 & x) const
{
  const auto factors = probe.Factors(x);
  return ShiftBy(x, pressure[0] * factors[0] + pressure[1] * factors[1]);
}

double
ProbePush::Slope(const Vector3 & x) const
{
  const double t = probe.RelativeDepth(x);
  const bool   isWithin = t > 0.0 && t < 1.0;
  return isWithin ? (-2.0 * pressure[0] * (1.0 - t) + pressure[1] * (1.0 - 2.0 * t)) / probe.depth : 0.0;
}

Vector3
ProbePush::PullBack(const Vector3 & x, const Vector3 & gradient) const
{
  const Vector3 & axis = probe.axis;
  return ShiftBy(gradient, Slope(x) * (axis[0] * gradient[0] + axis[1] * gradient[1] + axis[2] * gradient[2]));
}

bool
ProbePush::IsInvertible() const
{
  // 1 + slope is linear in t, so it is above 0 everywhere if it is at t = 0 and t = 1.
  return probe.depth - 2.0 * pressure[0] + pressure[1] > 0.0 && probe.depth - pressure[1] > 0.0;
}

Vector3
ProbePush::Invert(const Vector3 & y) const
{
  const double pushed = probe.RelativeDepth(y);
  const double p1 = pressure[0] / probe.depth, p2 = pressure[1] / probe.depth;
  if (pushed >= 1.0)
  {
    return y;
  }
  if (pushed <= p1)
  {
    return ShiftBy(y, -pressure[0]);
  }
  // t + p1 (1 - t)^2 + p2 t (1 - t) = pushed, by the form of the solution that nothing cancels in.
  const double slope = 1.0 - 2.0 * p1 + p2;
  const double root = std::sqrt(std::max(slope * slope + 4.0 * (p1 - p2) * (pushed - p1), 0.0));
  const double t = 2.0 * (pushed - p1) / (slope + root);
  return ShiftBy(y, (t - pushed) * probe.depth);
}

} // namespace disa
