// SPDX-License-Identifier: Apache-2.0
#include "disa/search/Minimize.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace disa
{
namespace
{

using Vector = std::vector<double>;

double
Dot(const Vector & a, const Vector & b)
{
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

/** Dense estimate of the inverse Hessian. */
class InverseHessian
{
public:
  explicit InverseHessian(std::size_t size)
    : m_Size(size)
    , m_Values(size * size)
  {
  }

  void
  SetToMultipleOfIdentity(double factor)
  {
    std::fill(m_Values.begin(), m_Values.end(), 0.0);
    for (std::size_t i = 0; i < m_Size; ++i)
    {
      m_Values[i * m_Size + i] = factor;
    }
  }

  Vector
  operator*(const Vector & x) const
  {
    Vector y(m_Size);
    for (std::size_t i = 0; i < m_Size; ++i)
    {
      y[i] = std::inner_product(x.begin(), x.end(), m_Values.begin() + std::ptrdiff_t(i * m_Size), 0.0);
    }
    return y;
  }

  /** The BFGS update, Nocedal and Wright, Eq. 6.17. `curvature`, step . change, is above 0. */
  void
  Update(const Vector & step, const Vector & change, double curvature)
  {
    const Vector product = *this * change;
    const double factor = (1.0 + Dot(change, product) / curvature) / curvature;
    for (std::size_t i = 0; i < m_Size; ++i)
    {
      for (std::size_t j = 0; j < m_Size; ++j)
      {
        m_Values[i * m_Size + j] +=
          factor * step[i] * step[j] - (product[i] * step[j] + step[i] * product[j]) / curvature;
      }
    }
  }

private:
  std::size_t m_Size;
  Vector      m_Values;
};

struct Point
{
  Vector x;
  Vector gradient;
  double value;
};

class Search
{
public:
  Search(const DifferentiableFunction & function, const MinimizeSettings & settings)
    : m_Function(function)
    , m_Settings(settings)
  {
  }

  Point
  Evaluate(Vector x)
  {
    ++m_Evaluations;
    Point point{ std::move(x), Vector(), 0.0 };
    point.gradient.resize(point.x.size());
    point.value = m_Function(point.x, point.gradient);
    return point;
  }

  /** A point down a direction that meets the weak Wolfe conditions, or the best that meets the first; `from` if none
   *  does. */
  Point
  Descend(const Point & from, const Vector & direction)
  {
    constexpr double sufficientDecrease = 1e-4, sufficientFlattening = 0.5;
    constexpr int    maximumTrials = 20;
    const double     slope = Dot(from.gradient, direction);
    const double     longest = m_Settings.longestStep / std::sqrt(Dot(direction, direction));
    double           low = 0.0, high = std::numeric_limits<double>::infinity();
    double           step = std::min(1.0, longest);
    Point            best = from;
    for (int trial = 0; trial < maximumTrials; ++trial)
    {
      Vector x = from.x;
      for (std::size_t i = 0; i < x.size(); ++i)
      {
        x[i] += step * direction[i];
      }
      Point point = Evaluate(std::move(x));
      if (!(point.value <= from.value + sufficientDecrease * step * slope))
      {
        high = step;
      }
      else
      {
        const bool isFlatEnough = Dot(point.gradient, direction) >= sufficientFlattening * slope;
        low = step;
        best = std::move(point);
        if (isFlatEnough || step >= longest)
        {
          break;
        }
      }
      step = std::isinf(high) ? std::min(2.0 * low, longest) : 0.5 * (low + high);
      if (low == 0.0 && step * std::sqrt(Dot(direction, direction)) < m_Settings.stepTolerance)
      {
        break;
      }
    }
    return best;
  }

  std::size_t
  GetEvaluations() const
  {
    return m_Evaluations;
  }

private:
  const DifferentiableFunction & m_Function;
  const MinimizeSettings &       m_Settings;
  std::size_t                    m_Evaluations = 0;
};

Vector
Difference(const Vector & a, const Vector & b)
{
  Vector difference(a.size());
  std::transform(a.begin(), a.end(), b.begin(), difference.begin(), std::minus<>());
  return difference;
}

} // namespace

Minimum
Minimize(const DifferentiableFunction & function, std::vector<double> start, const MinimizeSettings & settings)
{
  Search         search(function, settings);
  Point          here = search.Evaluate(std::move(start));
  InverseHessian inverse(here.x.size());
  Vector         trace{ here.value };
  bool           isFresh = true; // no curvature in the inverse Hessian yet
  for (std::size_t iteration = 0; iteration < settings.maximumIterations; ++iteration)
  {
    const double steepness = std::sqrt(Dot(here.gradient, here.gradient));
    if (!(steepness > 0.0))
    {
      break;
    }
    if (isFresh)
    {
      inverse.SetToMultipleOfIdentity(settings.firstStep / steepness);
    }
    Vector direction = inverse * here.gradient;
    std::transform(direction.begin(), direction.end(), direction.begin(), std::negate<>());
    Point        next = search.Descend(here, direction);
    const Vector step = Difference(next.x, here.x);
    const double length = std::sqrt(Dot(step, step));
    const Vector change = Difference(next.gradient, here.gradient);
    here = std::move(next);
    trace.push_back(here.value);
    if (length < settings.stepTolerance)
    {
      if (isFresh)
      {
        break;
      }
      isFresh = true; // once more, down the plain gradient
      continue;
    }
    const double curvature = Dot(step, change);
    if (curvature > 1e-12 * length * std::sqrt(Dot(change, change)))
    {
      if (isFresh)
      {
        inverse.SetToMultipleOfIdentity(curvature / Dot(change, change));
        isFresh = false;
      }
      inverse.Update(step, change, curvature);
    }
  }
  return { std::move(here.x), here.value, search.GetEvaluations(), std::move(trace) };
}

} // namespace disa
