// SPDX-License-Identifier: Apache-2.0
#ifndef disa_metric_ProbePressure_h
#define disa_metric_ProbePressure_h

#include "disa/core/Geometry.h"

namespace disa
{

/** \brief Where an ultrasound probe pushes, and how far that reaches. */
struct ProbePressure
{
  Vector3 contact{};       ///< where the probe touches, mm
  Vector3 axis{ 0, 0, 1 }; ///< unit vector into the body
  double  depth = 100.0;   ///< mm, above 0

  /** \brief t = axis . (x - contact) / depth: 0 at the contact, 1 where the push ends. */
  double RelativeDepth(const Vector3 & x) const;

  /** \brief (1 - t)^2 and t (1 - t), the factors of p1 and p2, at a point's t clamped to 0 .. 1. */
  std::array<double, 2> Factors(const Vector3 & x) const;
};

/** \brief The map x -> x + (p1 (1 - t)^2 + p2 t (1 - t)) axis: a shift along the probe's axis that fades with depth. */
struct ProbePush
{
  ProbePressure         probe;
  std::array<double, 2> pressure{}; ///< p1 and p2, mm

  Vector3 operator()(const Vector3 & x) const;

  /** \brief Derivative of the shift by the way along the axis. */
  double Slope(const Vector3 & x) const;

  /** \brief Derivative by x of a function whose derivative by the pushed point is given. */
  Vector3 PullBack(const Vector3 & x, const Vector3 & gradient) const;

  /** \brief False if points along the axis are squeezed to one or pass each other. */
  bool IsInvertible() const;

  /** \brief The point that an invertible push takes to y. */
  Vector3 Invert(const Vector3 & y) const;

private:
  Vector3 ShiftBy(const Vector3 & x, double shift) const;
};

} // namespace disa

#endif
