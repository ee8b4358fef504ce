// SPDX-License-Identifier: Apache-2.0
#include "disa/search/PoseSearch.h"

#include "core/Random.h"
#include "disa/core/Distinct.h"
#include "disa/core/Parallel.h"

#include <algorithm>
#include <cmath>

namespace disa
{
namespace
{

/** Where a pose takes the points at the model's radius along each axis, either way. */
std::vector<Vector3>
MoveMarkers(const PoseModel & model, const std::vector<double> & parameters)
{
  std::vector<Vector3> markers;
  for (int axis = 0; axis < 3; ++axis)
  {
    for (const double arm : { model.GetRadius(), -model.GetRadius() })
    {
      Vector3 point = model.GetCentre();
      point[axis] += arm;
      markers.push_back(model.Apply(parameters, point));
    }
  }
  return markers;
}

} // namespace

std::vector<Pose>
DrawStarts(const PoseModel & model, const StartSettings & settings)
{
  constexpr double  degree = 3.14159265358979323846 / 180.0;
  Random            random(settings.seed);
  std::vector<Pose> starts;
  for (std::size_t i = 0; i < settings.count; ++i)
  {
    Vector3 angles, translation;
    for (double & angle : angles)
    {
      angle = degree * random.Within(settings.rotation);
    }
    for (double & shift : translation)
    {
      shift = random.Within(settings.translation);
    }
    starts.push_back({ i == 0 ? model.ParametersOf({}, {}) : model.ParametersOf(angles, translation), 0.0, {} });
  }
  return starts;
}

StageResult
OptimizePoses(const PoseModel &         model,
              const Term &              forward,
              const Term *              backward,
              const std::vector<Pose> & starts,
              const StageSettings &     settings)
{
  const PoseObjective          objective(model, forward, backward, settings.samples, settings.seed);
  const DifferentiableFunction function = [&](const std::vector<double> & x, std::vector<double> & gradient)
  { return objective.Evaluate(x, &gradient); };
  std::vector<Minimum> minima(starts.size());
  ParallelFor(starts.size(),
              settings.threads,
              [&](std::size_t i) { minima[i] = Minimize(function, starts[i].parameters, settings.minimize); });

  StageResult                       result;
  std::vector<Pose>                 ends;
  std::vector<double>               values;
  std::vector<std::vector<Vector3>> places;
  for (Minimum & minimum : minima)
  {
    result.evaluations += minimum.evaluations;
    if (minimum.value != 0.0)
    {
      ++result.overlappingStarts;
      values.push_back(minimum.value);
      places.push_back(MoveMarkers(model, minimum.x));
      ends.push_back({ std::move(minimum.x), minimum.value, std::move(minimum.trace) });
    }
  }
  for (const std::size_t end : Distinct(places, values, settings.distinct, settings.keep))
  {
    result.poses.push_back(std::move(ends[end]));
  }
  return result;
}

} // namespace disa
