// SPDX-License-Identifier: Apache-2.0
#include "disa/features/Centring.h"

#include <algorithm>

namespace disa
{
namespace
{

constexpr std::size_t Channels = FeatureVolume::Channels;

} // namespace

MeanDescriptor
MeanOf(const FeatureVolume & features)
{
  const std::vector<float> & weights = features.GetWeights();
  MeanDescriptor             mean{};
  double                     total = 0.0;
  std::visit(
    [&](const auto & values)
    {
      for (std::size_t cell = 0; cell < weights.size(); ++cell)
      {
        if (weights[cell] > 0.0f)
        {
          total += weights[cell];
          for (std::size_t c = 0; c < Channels; ++c)
          {
            mean[c] += double(weights[cell]) * values[cell * Channels + c];
          }
        }
      }
    },
    features.GetDescriptors());
  for (double & m : mean)
  {
    m *= total > 0.0 ? features.GetScale() / total : 0.0;
  }
  return mean;
}

FeatureVolume
Centred(const FeatureVolume & features, const MeanDescriptor & mean)
{
  const float        scale = features.GetScale();
  std::vector<float> centred(features.GetFrame().NumberOfCells() * Channels);
  std::visit(
    [&](const auto & values)
    {
      for (std::size_t first = 0; first < centred.size(); first += Channels)
      {
        const auto begin = values.begin() + std::ptrdiff_t(first);
        if (std::any_of(begin, begin + Channels, [](auto value) { return value != 0; }))
        {
          for (std::size_t c = 0; c < Channels; ++c)
          {
            centred[first + c] = scale * float(values[first + c]) - float(mean[c]);
          }
        }
      }
    },
    features.GetDescriptors());
  FeatureVolume result(features.GetFrame(), std::move(centred), 1.0f, features.GetWeights(), features.GetNetwork());
  return features.IsQuantized() ? result.Quantized() : result;
}

} // namespace disa
