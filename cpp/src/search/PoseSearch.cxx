// SPDX-License-Identifier: Apache-2.0
#include "disa/search/PoseSearch.h"

#include "core/Random.h"
#include "disa/core/Parallel.h"

#include <algorithm>
#include <cmath>

namespace disa
{
namespace
{

constexpr std::size_t NumberOfMarkers = 6;
using Markers = std::array<Vector3, NumberOfMarkers>;

/** Where a pose takes the points at the model's radius along each axis, either way. */
Markers
MoveMarkers(const PoseModel & model, const Pose & pose)
{
  Markers markers;
  for (std::size_t i = 0; i < NumberOfMarkers; ++i)
  {
    Vector3 point = model.GetCentre();
    point[i / 2] += i % 2 == 0 ? model.GetRadius() : -model.GetRadius();
    markers[i] = model.Apply(pose.parameters, point);
  }
  return markers;
}

double
MeanDistance(const Markers & a, const Markers & b)
{
  double sum = 0.0;
  for (std::size_t i = 0; i < NumberOfMarkers; ++i)
  {
    sum += std::hypot(a[i][0] - b[i][0], a[i][1] - b[i][1], a[i][2] - b[i][2]);
  }
  return sum / double(NumberOfMarkers);
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

std::vector<Pose>
KeepDistinct(const PoseModel & model, std::vector<Pose> poses, double distance, std::size_t keep)
{
  std::stable_sort(poses.begin(), poses.end(), [](const Pose & a, const Pose & b) { return a.value < b.value; });
  std::vector<Pose>    kept;
  std::vector<Markers> places;
  for (Pose & pose : poses)
  {
    if (kept.size() == keep)
    {
      break;
    }
    const Markers place = MoveMarkers(model, pose);
    if (std::all_of(places.begin(), places.end(), [&](const Markers & m) { return MeanDistance(m, place) > distance; }))
    {
      kept.push_back(std::move(pose));
      places.push_back(place);
    }
  }
  return kept;
}

StageResult
OptimizePoses(const PoseModel &         model,
              const FeatureVolume &     fixed,
              const FeatureVolume &     moving,
              const std::vector<Pose> & starts,
              const StageSettings &     settings)
{
  const PoseObjective          objective(model, fixed, moving, settings.samples, settings.seed);
  const DifferentiableFunction function = [&](const std::vector<double> & x, std::vector<double> & gradient)
  { return objective.Evaluate(x, &gradient); };
  std::vector<Minimum> minima(starts.size());
  ParallelFor(starts.size(),
              settings.threads,
              [&](std::size_t i) { minima[i] = Minimize(function, starts[i].parameters, settings.minimize); });

  StageResult       result;
  std::vector<Pose> ends;
  for (Minimum & minimum : minima)
  {
    result.evaluations += minimum.evaluations;
    if (minimum.value != 0.0)
    {
      ++result.overlappingStarts;
      ends.push_back({ std::move(minimum.x), minimum.value, std::move(minimum.trace) });
    }
  }
  result.poses = KeepDistinct(model, std::move(ends), settings.distinct, settings.keep);
  return result;
}

} // namespace disa
