// SPDX-License-Identifier: Apache-2.0
// Tests of the search for poses: pose_tests NAME runs one.
#include "disa/core/Error.h"
#include "disa/search/PoseSearch.h"
#include "run_test.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

namespace
{

using Parameters = std::vector<double>;

void
Check(bool condition, const char * what)
{
  if (!condition)
  {
    throw std::runtime_error(what);
  }
}

/** Smooth descriptors that are known everywhere: waves within a ball about the origin. */
double
Wave(const disa::Vector3 & x, std::size_t channel)
{
  const double square = x[0] * x[0] + x[1] * x[1] + x[2] * x[2];
  const double phase = 0.13 * double(channel) + 0.09 * std::cos(double(channel)) * x[0] +
                       0.08 * std::sin(2.0 * double(channel)) * x[1] + 0.1 * std::cos(3.0 * double(channel)) * x[2];
  return 0.25 * std::exp(-square / 1800.0) * std::sin(phase);
}

/** The waves as a fixed image sees them that `truth` takes to the moving one. */
disa::FeatureVolume
MakeWaves(std::size_t n, double spacing, const disa::AffineMap & truth)
{
  disa::Frame  frame;
  const double first = -0.5 * double(n - 1) * spacing;
  frame.size = { n, n, n };
  frame.spacing = { spacing, spacing, spacing };
  frame.origin = { first, first, first };
  const disa::AffineMap toPoint = frame.IndexToPhysical();
  std::vector<float>    values, weights;
  for (std::size_t cell = 0; cell < n * n * n; ++cell)
  {
    const disa::Vector3 point = truth(toPoint({ double(cell % n), double(cell / n % n), double(cell / (n * n)) }));
    double              norm = 0.0;
    for (std::size_t channel = 0; channel < 16; ++channel)
    {
      values.push_back(float(Wave(point, channel)));
      norm += values.back() * values.back();
    }
    weights.push_back(float(norm));
  }
  return disa::FeatureVolume(frame, std::move(values), 1.0f, std::move(weights)).Quantized();
}

void
TestMinimize()
{
  const disa::DifferentiableFunction rosenbrock = [](const Parameters & x, Parameters & g)
  {
    const double a = 1.0 - x[0], b = x[1] - x[0] * x[0];
    g = { -2.0 * a - 400.0 * x[0] * b, 200.0 * b };
    return a * a + 100.0 * b * b;
  };
  disa::MinimizeSettings settings;
  settings.stepTolerance = 1e-9;
  settings.firstStep = 0.5;
  const disa::Minimum valley = disa::Minimize(rosenbrock, { -1.2, 1.0 }, settings);
  Check(std::abs(valley.x[0] - 1.0) < 1e-6 && std::abs(valley.x[1] - 1.0) < 1e-6, "Rosenbrock's valley");
  Check(valley.evaluations < 150, "in few evaluations");
  Check(std::abs(valley.trace.front() - 24.2) < 1e-12 && valley.trace.back() == valley.value, "a trace to the end");
  Check(std::is_sorted(valley.trace.rbegin(), valley.trace.rend()), "that never rises");

  const disa::DifferentiableFunction kinked = [](const Parameters & x, Parameters & g)
  {
    g = { x[0] > 3.0 ? 1.0 : -1.0, x[1] > -2.0 ? 4.0 : -4.0 };
    return std::abs(x[0] - 3.0) + 4.0 * std::abs(x[1] + 2.0);
  };
  const disa::Minimum kink = disa::Minimize(kinked, { -20.0, 13.0 }, settings);
  Check(std::abs(kink.x[0] - 3.0) < 1e-3 && std::abs(kink.x[1] + 2.0) < 1e-3, "a function with kinks");

  const disa::DifferentiableFunction flat = [](const Parameters &, Parameters & g)
  {
    g = { 0.0, 0.0 };
    return 7.0;
  };
  const disa::Minimum still = disa::Minimize(flat, { 5.0, 6.0 }, settings);
  Check(still.x == Parameters({ 5.0, 6.0 }) && still.evaluations == 1, "a flat function is left at once");
}

void
TestSampling()
{
  std::vector<float> weights(1000);
  for (std::size_t i = 0; i < weights.size(); ++i)
  {
    weights[i] = i % 3 == 0 ? 0.0f : float(1 + i % 7) * (i == 500 ? 100.0f : 1.0f);
  }
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  double       mean = 0.0;
  for (std::uint64_t seed = 0; seed < 200; ++seed)
  {
    const disa::WeightedSample sample = disa::SampleCells(weights, 100, seed);
    Check(sample.cells.size() >= 99 && sample.cells.size() <= 101, "as many as wanted");
    const double sum = std::accumulate(sample.weights.begin(), sample.weights.end(), 0.0);
    Check(std::abs(sum - total) < 0.02 * total, "the weights stand for all");
    bool hasHeaviest = false;
    for (std::size_t i = 0; i < sample.cells.size(); ++i)
    {
      Check(weights[sample.cells[i]] > 0.0f, "none without weight");
      hasHeaviest = hasHeaviest || (sample.cells[i] == 500 && sample.weights[i] == weights[500]);
      mean += double(sample.cells[i]) * sample.weights[i] / 200.0;
    }
    Check(hasHeaviest, "the heaviest cell is always in");
  }
  double expected = 0.0;
  for (std::size_t i = 0; i < weights.size(); ++i)
  {
    expected += double(i) * weights[i];
  }
  Check(std::abs(mean - expected) < 0.005 * expected, "sums over samples have no bias");
  Check(disa::SampleCells(weights, 5000, 0).cells.size() == 666, "all cells of any weight");
}

void
TestSearch()
{
  const disa::PoseModel     draw(disa::PoseKind::Rigid, {}, {}, 30.0);
  const disa::AffineMap     truth = draw.Map(draw.ParametersOf({ 0.5, -0.3, 0.4 }, { 22.0, -31.0, 14.0 }));
  const disa::FeatureVolume moving = MakeWaves(33, 4.0, {});
  const disa::FeatureVolume fixed = MakeWaves(17, 8.0, truth);
  const disa::Extent        extent = disa::ExtentOf(fixed);
  const disa::PoseModel     model(disa::PoseKind::Rigid, {}, extent.centre, extent.radius);
  disa::StageSettings       settings;
  settings.keep = 4;
  settings.threads = 1;
  const std::vector<disa::Pose> starts = disa::DrawStarts(model, { 60, 40.0, 60.0, 3 });
  const disa::Term              forward{ fixed, moving, 1.0 };
  const disa::FeatureVolume     dense = MakeWaves(33, 4.0, truth);
  const disa::Term              backward{ moving, dense, 1.0 };
  const disa::StageResult       one = disa::OptimizePoses(model, forward, &backward, starts, settings);
  const disa::Vector3           found = model.Apply(one.poses[0].parameters, { 10.0, 20.0, -5.0 });
  const disa::Vector3           expected = truth({ 10.0, 20.0, -5.0 });
  Check(std::hypot(found[0] - expected[0], found[1] - expected[1], found[2] - expected[2]) < 1.0, "the pose is found");
  const disa::StageResult oneSided = disa::OptimizePoses(model, forward, nullptr, starts, settings);
  const disa::Vector3     alone = model.Apply(oneSided.poses[0].parameters, { 10.0, 20.0, -5.0 });
  Check(std::hypot(alone[0] - expected[0], alone[1] - expected[1], alone[2] - expected[2]) < 1.0, "and by one side");
  for (std::size_t i = 1; i < one.poses.size(); ++i)
  {
    Check(one.poses[i].value >= one.poses[i - 1].value, "ranked");
  }
  for (const unsigned threads : { 2u, 5u })
  {
    settings.threads = threads;
    const disa::StageResult many = disa::OptimizePoses(model, forward, &backward, starts, settings);
    Check(many.evaluations == one.evaluations && many.poses.size() == one.poses.size(), "threads do not matter");
    for (std::size_t i = 0; i < many.poses.size(); ++i)
    {
      Check(many.poses[i].parameters == one.poses[i].parameters, "to the last bit");
    }
  }
  disa::AffineMap far;
  far.offset = { 9000.0, 0.0, 0.0 };
  const disa::PoseModel away(disa::PoseKind::Rigid, far, extent.centre, extent.radius);
  Check(disa::OptimizePoses(away, forward, nullptr, starts, settings).poses.empty(), "nothing overlaps");
}

} // namespace

int
main(int argc, char ** argv)
{
  return RunTest(
    argc, argv, { { "minimize", &TestMinimize }, { "sampling", &TestSampling }, { "search", &TestSearch } });
}
