// SPDX-License-Identifier: Apache-2.0
#include "disa/features/Smoothing.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace disa
{
namespace
{

constexpr std::size_t Channels = FeatureVolume::Channels;
constexpr double      NarrowShare = 0.15;
constexpr double      NarrowRatio = 1.0 / 8.0;
constexpr double      Reach = 4.0;       // standard deviations
constexpr std::size_t BlockLength = 512; // floats of a row kept in cache while its neighbours pass

/** Half of a symmetric kernel of sum 1, the middle first. */
std::vector<float>
HalfGaussian(double sigma)
{
  std::vector<float> half(std::size_t(std::ceil(Reach * sigma)) + 1);
  double             sum = 0.0;
  for (std::size_t k = 0; k < half.size(); ++k)
  {
    const double value = std::exp(-0.5 * double(k * k) / (sigma * sigma));
    sum += k == 0 ? value : 2.0 * value;
    half[k] = float(value);
  }
  for (float & value : half)
  {
    value = float(value / sum);
  }
  return half;
}

/** Along the middle axis of (count, rowLength): each row becomes a weighted sum of its neighbours. */
void
SmoothRows(float * data, std::size_t count, std::size_t rowLength, const std::vector<float> & half)
{
  const std::size_t  reach = half.size() - 1;
  std::vector<float> block((count + 2 * reach) * BlockLength);
  for (std::size_t begin = 0; begin < rowLength; begin += BlockLength)
  {
    const std::size_t length = std::min(BlockLength, rowLength - begin);
    for (std::size_t i = 0; i < count; ++i)
    {
      std::copy_n(data + i * rowLength + begin, length, block.data() + (i + reach) * BlockLength);
    }
    for (std::size_t i = 0; i < count; ++i)
    {
      float *       out = data + i * rowLength + begin;
      const float * middle = block.data() + (i + reach) * BlockLength;
      for (std::size_t j = 0; j < length; ++j)
      {
        out[j] = half[0] * middle[j];
      }
      for (std::size_t k = 1; k <= reach; ++k)
      {
        const float * before = middle - k * BlockLength;
        const float * after = middle + k * BlockLength;
        for (std::size_t j = 0; j < length; ++j)
        {
          out[j] += half[k] * (before[j] + after[j]);
        }
      }
    }
  }
}

/** Convolve every channel with a Gaussian, in place; zeros lie beyond the grid. */
std::vector<float>
Smooth(std::vector<float> data, const Frame & frame, double sigma)
{
  const std::size_t        row = frame.size[0] * Channels;
  const std::size_t        slice = frame.size[1] * row;
  const std::vector<float> x = HalfGaussian(sigma / frame.spacing[0]);
  const std::vector<float> y = HalfGaussian(sigma / frame.spacing[1]);
  SmoothRows(data.data(), frame.size[2], slice, HalfGaussian(sigma / frame.spacing[2]));
  for (std::size_t k = 0; k < frame.size[2]; ++k)
  {
    SmoothRows(data.data() + k * slice, frame.size[1], row, y);
    for (std::size_t j = 0; j < frame.size[1]; ++j)
    {
      SmoothRows(data.data() + k * slice + j * row, frame.size[0], Channels, x);
    }
  }
  return data;
}

} // namespace

FeatureVolume
Widen(const FeatureVolume & features, const Frame & image, double sigma)
{
  const Frame &      frame = features.GetFrame();
  const float        scale = features.GetScale();
  std::vector<float> values = std::visit(
    [scale](const auto & from)
    {
      std::vector<float> scaled(from.size());
      std::transform(from.begin(), from.end(), scaled.begin(), [scale](auto value) { return scale * float(value); });
      return scaled;
    },
    features.GetDescriptors());

  const std::vector<float>        narrow = Smooth(values, frame, NarrowRatio * sigma);
  const std::vector<float>        wide = Smooth(std::move(values), frame, sigma);
  const std::vector<std::uint8_t> inside = CellsInside(frame, image);
  std::vector<float>              sum(wide.size());
  for (std::size_t i = 0; i < sum.size(); ++i)
  {
    sum[i] = inside[i / Channels] ? float(NarrowShare) * narrow[i] + float(1.0 - NarrowShare) * wide[i] : 0.0f;
  }
  FeatureVolume widened(frame, std::move(sum), 1.0f, features.GetWeights(), features.GetNetwork());
  return features.IsQuantized() ? widened.Quantized() : widened;
}

} // namespace disa
