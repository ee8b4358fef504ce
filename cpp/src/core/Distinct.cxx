// SPDX-License-Identifier: Apache-2.0
#include "disa/core/Distinct.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace disa
{

double
MeanDistance(const std::vector<Vector3> & one, const std::vector<Vector3> & other)
{
  double sum = 0.0;
  for (std::size_t i = 0; i < one.size(); ++i)
  {
    sum += std::hypot(one[i][0] - other[i][0], one[i][1] - other[i][1], one[i][2] - other[i][2]);
  }
  return sum / static_cast<double>(one.size());
}

std::vector<std::size_t>
Distinct(const std::vector<std::vector<Vector3>> & places,
         const std::vector<double> &               values,
         double                                    distance,
         std::size_t                               keep)
{
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<std::size_t> kept;
  for (const std::size_t candidate : order)
  {
    if (kept.size() == keep)
    {
      break;
    }
    const bool isFar = std::all_of(kept.begin(),
                                   kept.end(),
                                   [&](std::size_t better)
                                   { return MeanDistance(places[better], places[candidate]) > distance; });
    if (isFar)
    {
      kept.push_back(candidate);
    }
  }
  return kept;
}

} // namespace disa
