#include "disaSmoothing.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace disa
{
namespace
{

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

} // namespace

void
SmoothDescriptors(float * data, const std::array<std::size_t, 3> & size, std::size_t channels, double sigma)
{
  const std::vector<float> half = HalfGaussian(sigma);
  const std::size_t        row = size[0] * channels;
  const std::size_t        slice = size[1] * row;
  SmoothRows(data, size[2], slice, half);
  for (std::size_t z = 0; z < size[2]; ++z)
  {
    SmoothRows(data + z * slice, size[1], row, half);
    for (std::size_t y = 0; y < size[1]; ++y)
    {
      SmoothRows(data + z * slice + y * row, size[0], channels, half);
    }
  }
}

} // namespace disa
