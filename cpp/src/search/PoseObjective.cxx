// SPDX-License-Identifier: Apache-2.0
#include "disa/search/PoseObjective.h"

#include "disa/core/Error.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace disa
{
namespace
{

/** Draw the samples of a term. */
void
Take(const Term & term, std::size_t samples, std::uint64_t seed, Objective & objective)
{
  const FeatureVolume & from = term.samples;
  const Frame &         frame = from.GetFrame();
  const std::size_t     count = samples > 0 ? samples : frame.NumberOfCells();
  objective.SetFixedCells(from, SampleCells(from.GetWeights(), count, seed), frame.IndexToPhysical());
  objective.SetTotalWeight(objective.GetTotalWeight() / term.share);
  objective.SetMoving(term.field);
}

Sums
SumOverChunks(const Objective & objective, const AffineMap & map, bool wantGradient)
{
  Sums sums;
  for (std::size_t chunk = 0; chunk < objective.GetNumberOfChunks(); ++chunk)
  {
    sums += objective.EvaluateChunk(chunk, map, wantGradient);
  }
  return sums;
}

} // namespace

Extent
ExtentOf(const FeatureVolume & features)
{
  const Frame &   frame = features.GetFrame();
  const AffineMap toPoint = frame.IndexToPhysical();
  const auto &    weights = features.GetWeights();
  double          total = 0.0, squares = 0.0;
  Extent          extent;
  const auto      forEach = [&](const auto & function)
  {
    for (std::size_t cell = 0; cell < weights.size(); ++cell)
    {
      function(double(weights[cell]), toPoint(frame.IndexOf(cell)));
    }
  };
  forEach(
    [&](double weight, const Vector3 & point)
    {
      total += weight;
      for (int i = 0; i < 3; ++i)
      {
        extent.centre[i] += weight * point[i];
      }
    });
  if (!(total > 0.0))
  {
    throw RegistrationError("fixed features: no descriptor has a weight above 0; check the image and the fixed mask");
  }
  for (double & c : extent.centre)
  {
    c /= total;
  }
  forEach(
    [&](double weight, const Vector3 & point)
    {
      for (int i = 0; i < 3; ++i)
      {
        squares += weight * (point[i] - extent.centre[i]) * (point[i] - extent.centre[i]);
      }
    });
  const double shortest = *std::min_element(frame.spacing.begin(), frame.spacing.end());
  extent.radius = std::max(std::sqrt(squares / total), shortest);
  return extent;
}

PoseObjective::PoseObjective(const PoseModel & model,
                             const Term &      forward,
                             const Term *      backward,
                             std::size_t       samples,
                             std::uint64_t     seed)
  : m_Model(model)
  , m_IsTwoSided(backward != nullptr)
{
  const std::size_t each = backward != nullptr ? (samples + 1) / 2 : samples;
  Take(forward, each, seed, m_Forward);
  if (backward != nullptr)
  {
    Take(*backward, each, seed, m_Backward);
  }
  for (std::size_t i = 0; i < m_Forward.GetNumberOfSamples() && model.GetPressure(); ++i)
  {
    m_PressureFactors.push_back(model.GetPressure()->Factors(m_Forward.GetPoint(i)));
  }
}

auto
PoseObjective::EvaluateAffine(const AffineMap & map, bool wantGradient) const -> TermSums
{
  return { SumOverChunks(m_Forward, map, wantGradient), m_Forward.GetCentre(), {} };
}

auto
PoseObjective::EvaluateInverse(const AffineMap & map, bool wantGradient) const -> TermSums
{
  if (!IsInvertible(map))
  {
    return {};
  }
  const AffineMap inverse = Invert(map);
  return { ThroughInverse(SumOverChunks(m_Backward, inverse, wantGradient), inverse, inverse),
           inverse(m_Backward.GetCentre()),
           {} };
}

auto
PoseObjective::EvaluatePressed(const AffineMap & map, const ProbePush & push, bool wantGradient) const -> TermSums
{
  const Vector3 &                              axis = push.probe.axis;
  const Vector3                                movedAxis = AffineMap{ map.matrix, {} }(axis);
  std::array<Vector3, Objective::ChunkSize>    pressed;
  std::array<double, 3 * Objective::ChunkSize> moved, gradients; // the x of all, then the y, then the z
  TermSums                                     result;
  result.centre = m_Forward.GetCentre();
  for (std::size_t chunk = 0; chunk < m_Forward.GetNumberOfChunks(); ++chunk)
  {
    const std::size_t begin = chunk * Objective::ChunkSize;
    const std::size_t count = m_Forward.GetChunkLength(chunk);
    for (std::size_t i = 0; i < count; ++i)
    {
      const auto & factors = m_PressureFactors[begin + i];
      const double shift = push.pressure[0] * factors[0] + push.pressure[1] * factors[1];
      pressed[i] = m_Forward.GetPoint(begin + i);
      for (int k = 0; k < 3; ++k)
      {
        pressed[i][k] += shift * axis[k];
      }
      const Vector3 place = map(pressed[i]);
      for (std::size_t k = 0; k < 3; ++k)
      {
        moved[k * count + i] = place[k];
      }
    }
    Sums part = m_Forward.EvaluateMovedChunk(chunk, moved.data(), wantGradient ? gradients.data() : nullptr);
    for (std::size_t i = 0; i < count && wantGradient; ++i)
    {
      const Vector3 g{ gradients[i], gradients[count + i], gradients[2 * count + i] };
      const double  along = g[0] * movedAxis[0] + g[1] * movedAxis[1] + g[2] * movedAxis[2];
      part.Add(g, pressed[i], result.centre);
      result.pressure[0] += along * m_PressureFactors[begin + i][0];
      result.pressure[1] += along * m_PressureFactors[begin + i][1];
    }
    result.sums += part;
  }
  return result;
}

auto
PoseObjective::EvaluateInversePressed(const AffineMap & map, const ProbePush & push, bool wantGradient) const
  -> TermSums
{
  TermSums result;
  if (!push.IsInvertible() || !IsInvertible(map))
  {
    return result;
  }
  const AffineMap                              inverse = Invert(map);
  const AffineMap                              toMoving{ Transpose(inverse.matrix), {} };
  std::array<Vector3, Objective::ChunkSize>    pressed, places;
  std::array<double, 3 * Objective::ChunkSize> read, gradients; // the x of all, then the y, then the z
  result.centre = inverse(m_Backward.GetCentre());
  for (std::size_t chunk = 0; chunk < m_Backward.GetNumberOfChunks(); ++chunk)
  {
    const std::size_t begin = chunk * Objective::ChunkSize;
    const std::size_t count = m_Backward.GetChunkLength(chunk);
    for (std::size_t i = 0; i < count; ++i)
    {
      pressed[i] = inverse(m_Backward.GetPoint(begin + i));
      places[i] = push.Invert(pressed[i]);
      for (std::size_t k = 0; k < 3; ++k)
      {
        read[k * count + i] = places[i][k];
      }
    }
    Sums part = m_Backward.EvaluateMovedChunk(chunk, read.data(), wantGradient ? gradients.data() : nullptr);
    for (std::size_t i = 0; i < count && wantGradient; ++i)
    {
      // By the pressed point, the push's inverse in between, and with the sign of the inverse of a map's change.
      Vector3      g{ -gradients[i], -gradients[count + i], -gradients[2 * count + i] };
      const auto & axis = push.probe.axis;
      const double slope = push.Slope(places[i]);
      const double along = (g[0] * axis[0] + g[1] * axis[1] + g[2] * axis[2]) / (1.0 + slope);
      for (int k = 0; k < 3; ++k)
      {
        g[k] -= along * slope * axis[k];
      }
      const auto factors = push.probe.Factors(places[i]);
      part.Add(toMoving(g), pressed[i], result.centre);
      result.pressure[0] += along * factors[0];
      result.pressure[1] += along * factors[1];
    }
    result.sums += part;
  }
  return result;
}

void
PoseObjective::AddGradient(const std::vector<AffineMap> & derivatives,
                           const TermSums &               term,
                           std::vector<double> &          gradient) const
{
  // The sum of w g . (D x + d) for each derivative x -> D x + d of the map.
  const Sums & sums = term.sums;
  for (std::size_t i = 0; i < derivatives.size(); ++i)
  {
    const Vector3 atCentre = derivatives[i](term.centre);
    gradient[i] -= std::inner_product(atCentre.begin(), atCentre.end(), sums.gradient.begin(), 0.0);
    gradient[i] -= std::inner_product(sums.moment.begin(), sums.moment.end(), derivatives[i].matrix.begin(), 0.0);
  }
  for (std::size_t i = derivatives.size(); i < gradient.size(); ++i)
  {
    gradient[i] -= term.pressure[i - derivatives.size()];
  }
}

double
PoseObjective::Evaluate(const std::vector<double> & parameters, std::vector<double> * gradient) const
{
  const bool              wantGradient = gradient != nullptr;
  const AffineMap         map = m_Model.Map(parameters);
  std::array<TermSums, 2> terms;
  if (m_Model.GetPressure())
  {
    const double *  p = parameters.data() + parameters.size() - 2;
    const ProbePush push{ *m_Model.GetPressure(), { p[0], p[1] } };
    terms[0] = EvaluatePressed(map, push, wantGradient);
    if (m_IsTwoSided)
    {
      terms[1] = EvaluateInversePressed(map, push, wantGradient);
    }
  }
  else
  {
    terms[0] = EvaluateAffine(map, wantGradient);
    if (m_IsTwoSided)
    {
      terms[1] = EvaluateInverse(map, wantGradient);
    }
  }
  const double share = m_IsTwoSided ? 0.5 : 1.0;
  if (wantGradient)
  {
    std::fill(gradient->begin(), gradient->end(), 0.0);
    const std::vector<AffineMap> derivatives = m_Model.Derivatives(parameters);
    AddGradient(derivatives, terms[0], *gradient);
    if (m_IsTwoSided)
    {
      AddGradient(derivatives, terms[1], *gradient);
    }
    for (double & g : *gradient)
    {
      g *= share;
    }
  }
  return -share * (terms[0].sums.value + terms[1].sums.value);
}

} // namespace disa
