// SPDX-License-Identifier: Apache-2.0
#include "disa/metric/Sampling.h"

#include "core/Random.h"

#include <algorithm>
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

} // namespace disa
