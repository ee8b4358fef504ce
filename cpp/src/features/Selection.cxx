// SPDX-License-Identifier: Apache-2.0
#include "disa/features/Selection.h"

#include <algorithm>
#include <type_traits>

namespace disa
{
namespace
{

constexpr std::size_t Channels = FeatureVolume::Channels;

} // namespace

FeatureVolume
Cut(const FeatureVolume & features, const std::vector<std::uint8_t> & inside)
{
  FeatureVolume::Descriptors descriptors = features.GetDescriptors();
  std::vector<float>         weights = features.GetWeights();
  std::visit(
    [&](auto & values)
    {
      for (std::size_t cell = 0; cell < inside.size(); ++cell)
      {
        if (inside[cell] == 0)
        {
          std::fill_n(values.begin() + static_cast<std::ptrdiff_t>(cell * Channels), Channels, 0);
          weights[cell] = 0.0f;
        }
      }
    },
    descriptors);
  return {
    features.GetFrame(), std::move(descriptors), features.GetScale(), std::move(weights), features.GetNetwork()
  };
}

FeatureVolume
Thinned(const FeatureVolume & features, std::size_t step)
{
  const Frame & from = features.GetFrame();
  Frame         frame = from;
  for (std::size_t axis = 0; axis < 3; ++axis)
  {
    frame.size[axis] = (from.size[axis] + step - 1) / step;
    frame.spacing[axis] = from.spacing[axis] * static_cast<double>(step);
  }
  std::vector<float> weights;
  weights.reserve(frame.NumberOfCells());
  auto descriptors = std::visit(
    [&](const auto & values) -> FeatureVolume::Descriptors
    {
      std::decay_t<decltype(values)> every;
      every.reserve(frame.NumberOfCells() * Channels);
      for (std::size_t z = 0; z < from.size[2]; z += step)
      {
        for (std::size_t y = 0; y < from.size[1]; y += step)
        {
          for (std::size_t x = 0; x < from.size[0]; x += step)
          {
            const std::size_t cell = (z * from.size[1] + y) * from.size[0] + x;
            const auto        first = values.begin() + static_cast<std::ptrdiff_t>(cell * Channels);
            every.insert(every.end(), first, first + static_cast<std::ptrdiff_t>(Channels));
            weights.push_back(features.GetWeights()[cell]);
          }
        }
      }
      return every;
    },
    features.GetDescriptors());
  return { frame, std::move(descriptors), features.GetScale(), std::move(weights), features.GetNetwork() };
}

} // namespace disa
