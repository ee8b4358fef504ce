// SPDX-License-Identifier: Apache-2.0
#include "disa/search/PoseObjective.h"

#include "core/Random.h"
#include "disa/core/Error.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

namespace disa
{
namespace
{

/** Weight below which cells share it, so that `count` are drawn: sum of min(1, w / threshold) = count. */
double
Threshold(std::vector<float> weights, std::size_t count)
{
  std::sort(weights.begin(), weights.end(), std::greater<>());
  double rest = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (std::size_t certain = 0; certain < count; ++certain)
  {
    const double threshold = rest / double(count - certain);
    if (weights[certain] < threshold)
    {
      return threshold;
    }
    rest -= weights[certain];
  }
  return weights[count - 1];
}

Vector3
IndexOf(std::size_t cell, const std::array<std::size_t, 3> & size)
{
  return { double(cell % size[0]), double(cell / size[0] % size[1]), double(cell / (size[0] * size[1])) };
}

} // namespace

WeightedSample
SampleCells(const std::vector<float> & weights, std::size_t count, std::uint64_t seed)
{
  const auto   positive = std::size_t(std::count_if(weights.begin(), weights.end(), [](float w) { return w > 0.0f; }));
  const bool   takesAll = count >= positive;
  const double threshold = takesAll ? 0.0 : Threshold(weights, count);
  WeightedSample sample;
  double         place = takesAll ? 0.0 : Random(seed).Uniform();
  for (std::size_t cell = 0; cell < weights.size(); ++cell)
  {
    if (!(weights[cell] > 0.0f))
    {
      continue;
    }
    place += takesAll ? 1.0 : std::min(1.0, weights[cell] / threshold);
    if (place >= 1.0)
    {
      place -= 1.0;
      sample.cells.push_back(cell);
      sample.weights.push_back(std::max(weights[cell], float(threshold)));
    }
  }
  return sample;
}

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
      function(double(weights[cell]), toPoint(IndexOf(cell, frame.size)));
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

PoseObjective::PoseObjective(const PoseModel &     model,
                             const FeatureVolume & fixed,
                             const FeatureVolume & moving,
                             std::size_t           samples,
                             std::uint64_t         seed)
  : m_Model(model)
{
  const Frame &        frame = fixed.GetFrame();
  const WeightedSample sample = SampleCells(fixed.GetWeights(), samples > 0 ? samples : frame.NumberOfCells(), seed);
  std::vector<float>   weights(frame.NumberOfCells());
  for (std::size_t i = 0; i < sample.cells.size(); ++i)
  {
    weights[sample.cells[i]] = sample.weights[i];
  }
  const FeatureVolume sampled(frame, fixed.GetDescriptors(), fixed.GetScale(), std::move(weights), fixed.GetNetwork());
  m_Objective.SetFixedCells(sampled, sample.cells, frame.IndexToPhysical());
  m_Objective.SetMoving(moving);
  for (std::size_t i = 0; i < sample.cells.size() && model.GetPressure(); ++i)
  {
    m_PressureFactors.push_back(model.GetPressure()->Factors(m_Objective.GetPoint(i)));
  }
}

Sums
PoseObjective::EvaluateAffine(const AffineMap & map, bool wantGradient) const
{
  const std::function<bool(const Vector3 &)> * const noMask = nullptr;
  Sums                                               sums;
  for (std::size_t chunk = 0; chunk < m_Objective.GetNumberOfChunks(); ++chunk)
  {
    sums += m_Objective.EvaluateChunk(chunk, map, wantGradient, noMask);
  }
  return sums;
}

Sums
PoseObjective::EvaluatePressed(const std::vector<double> & parameters,
                               bool                        wantGradient,
                               double (&pressureGradient)[2]) const
{
  const AffineMap                              map = m_Model.Map(parameters);
  const Vector3 &                              axis = m_Model.GetPressure()->axis;
  const Vector3                                movedAxis = AffineMap{ map.matrix, {} }(axis);
  const double * const                         p = parameters.data() + parameters.size() - 2;
  const Vector3                                centre = m_Objective.GetCentre();
  std::array<Vector3, Objective::ChunkSize>    pressed;
  std::array<double, 3 * Objective::ChunkSize> moved, gradients; // the x of all, then the y, then the z
  Sums                                         sums;
  for (std::size_t chunk = 0; chunk < m_Objective.GetNumberOfChunks(); ++chunk)
  {
    const std::size_t begin = chunk * Objective::ChunkSize;
    const std::size_t count = m_Objective.GetChunkLength(chunk);
    for (std::size_t i = 0; i < count; ++i)
    {
      const auto & factors = m_PressureFactors[begin + i];
      const double shift = p[0] * factors[0] + p[1] * factors[1];
      pressed[i] = m_Objective.GetPoint(begin + i);
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
    Sums part = m_Objective.EvaluateMovedChunk(chunk, moved.data(), wantGradient ? gradients.data() : nullptr);
    for (std::size_t i = 0; i < count && wantGradient; ++i)
    {
      const Vector3 g{ gradients[i], gradients[count + i], gradients[2 * count + i] };
      const double  along = g[0] * movedAxis[0] + g[1] * movedAxis[1] + g[2] * movedAxis[2];
      part.Add(g, pressed[i], centre);
      pressureGradient[0] += along * m_PressureFactors[begin + i][0];
      pressureGradient[1] += along * m_PressureFactors[begin + i][1];
    }
    sums += part;
  }
  return sums;
}

double
PoseObjective::Evaluate(const std::vector<double> & parameters, std::vector<double> * gradient) const
{
  const bool wantGradient = gradient != nullptr;
  double     pressureGradient[2] = {};
  const Sums sums = m_Model.GetPressure() ? EvaluatePressed(parameters, wantGradient, pressureGradient)
                                          : EvaluateAffine(m_Model.Map(parameters), wantGradient);
  if (wantGradient)
  {
    // The sum of w g . (D x + d) for each derivative x -> D x + d of the map.
    const std::vector<AffineMap> derivatives = m_Model.Derivatives(parameters);
    for (std::size_t i = 0; i < derivatives.size(); ++i)
    {
      const Vector3 atCentre = derivatives[i](m_Objective.GetCentre());
      const double  constant = std::inner_product(atCentre.begin(), atCentre.end(), sums.gradient.begin(), 0.0);
      const double  linear =
        std::inner_product(sums.moment.begin(), sums.moment.end(), derivatives[i].matrix.begin(), 0.0);
      (*gradient)[i] = -(constant + linear);
    }
    for (std::size_t i = derivatives.size(); i < gradient->size(); ++i)
    {
      (*gradient)[i] = -pressureGradient[i - derivatives.size()];
    }
  }
  return -sums.value;
}

} // namespace disa
