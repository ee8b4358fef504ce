// SPDX-License-Identifier: Apache-2.0
#include "disa/metric/Objective.h"

#include "core/LargePages.h"
#include "disa/core/Error.h"
#include "kernels/Kernels.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <type_traits>

namespace disa
{
namespace
{

constexpr std::size_t Channels = FeatureVolume::Channels;

/** A copy with one zero cell on every side. */
template <typename TChannel>
std::vector<TChannel>
Pad(const std::vector<TChannel> & from, const std::array<std::size_t, 3> & size)
{
  const std::size_t     paddedRow = (size[0] + 2) * Channels;
  std::vector<TChannel> padded;
  ResizeOnLargePages(padded, (size[2] + 2) * (size[1] + 2) * paddedRow);
  const std::size_t row = size[0] * Channels;
  for (std::size_t z = 0; z < size[2]; ++z)
  {
    for (std::size_t y = 0; y < size[1]; ++y)
    {
      const auto source = from.begin() + static_cast<std::ptrdiff_t>((z * size[1] + y) * row);
      const auto target =
        padded.begin() + static_cast<std::ptrdiff_t>(((z + 1) * (size[1] + 2) + y + 1) * paddedRow + Channels);
      std::copy(source, source + static_cast<std::ptrdiff_t>(row), target);
    }
  }
  return padded;
}

inline std::int8_t
Round(double value, std::int8_t)
{
  return static_cast<std::int8_t>(std::lround(value));
}

inline float
Round(double value, float)
{
  return static_cast<float>(value);
}

/** Their sum in 4 parts, for one sum alone would wait for each addition. */
double
AddUp(const double * terms, std::size_t count)
{
  double parts[4] = {};
  for (std::size_t i = 0; i < count; ++i)
  {
    parts[i % 4] += terms[i];
  }
  return (parts[0] + parts[1]) + (parts[2] + parts[3]);
}

/** The 8 cells around a continuous index and their trilinear shares; cells outside are left out. */
struct Neighbours
{
  int         count = 0;
  std::size_t cell[8];
  double      share[8];

  Neighbours(const Frame & frame, const Vector3 & index)
  {
    for (int corner = 0; corner < 8; ++corner)
    {
      double      weight = 1.0;
      std::size_t number = 0;
      for (int axis = 2; axis >= 0; --axis)
      {
        const double base = std::floor(index[axis]);
        const bool   upper = (corner >> axis) & 1;
        const double place = base + (upper ? 1.0 : 0.0);
        const auto   size = static_cast<double>(frame.size[axis]);
        weight *= place >= 0.0 && place < size ? (upper ? index[axis] - base : 1.0 - (index[axis] - base)) : 0.0;
        number = number * frame.size[axis] + static_cast<std::size_t>(std::clamp(place, 0.0, size - 1.0));
      }
      if (weight > 0.0)
      {
        cell[count] = number;
        share[count] = weight;
        ++count;
      }
    }
  }
};

} // namespace

Sums &
Sums::operator+=(const Sums & other)
{
  validPoints += other.validPoints;
  value += other.value;
  for (int i = 0; i < 3; ++i)
  {
    gradient[i] += other.gradient[i];
  }
  for (int i = 0; i < 9; ++i)
  {
    moment[i] += other.moment[i];
  }
  return *this;
}

Sums
ThroughInverse(const Sums & sums, const AffineMap & toRead, const AffineMap & toDomain)
{
  const Matrix3 back = Transpose(toRead.matrix);
  Sums          result = sums;
  result.gradient = AffineMap{ back, {} }(sums.gradient);
  result.moment = Multiply(back, Multiply(sums.moment, Transpose(toDomain.matrix)));
  for (double & g : result.gradient)
  {
    g = -g;
  }
  for (double & m : result.moment)
  {
    m = -m;
  }
  return result;
}

void
Objective::SetFixedCells(const FeatureVolume & features, const WeightedSample & sample, const AffineMap & toPoint)
{
  const auto & cells = sample.cells;
  const auto & size = features.GetFrame().size;
  m_ToPoint = toPoint;
  for (int axis = 0; axis < 3; ++axis)
  {
    m_Coordinates[axis].resize(cells.size());
    const std::size_t step = axis == 0 ? 1 : axis == 1 ? size[0] : size[0] * size[1];
    for (std::size_t i = 0; i < cells.size(); ++i)
    {
      m_Coordinates[axis][i] = static_cast<float>(cells[i] / step % size[axis]);
    }
  }
  TakeCells(features, sample);
}

void
Objective::SetFixedCells(const FeatureVolume &        features,
                         const WeightedSample &       sample,
                         const std::vector<Vector3> & points)
{
  TakePoints(points.size(), [&](std::size_t i) { return points[i]; });
  TakeCells(features, sample);
}

template <typename TGetPoint>
void
Objective::TakePoints(std::size_t count, const TGetPoint & getPoint)
{
  m_ToPoint = AffineMap();
  for (int axis = 0; axis < 3; ++axis)
  {
    m_Coordinates[axis].resize(count);
    for (std::size_t i = 0; i < count; ++i)
    {
      m_Coordinates[axis][i] = static_cast<float>(getPoint(i)[axis]);
    }
  }
}

void
Objective::TakeCells(const FeatureVolume & features, const WeightedSample & sample)
{
  const auto & cells = sample.cells;
  m_Weights = sample.weights;
  m_FixedScale = features.GetScale();
  m_FixedKind = features.GetKind();
  std::visit(
    [&](const auto & values)
    {
      using TChannel = typename std::decay_t<decltype(values)>::value_type;
      Descriptors<TChannel> descriptors;
      ResizeOnLargePages(descriptors.fixed, cells.size() * Channels);
      for (std::size_t i = 0; i < cells.size(); ++i)
      {
        std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(cells[i] * Channels),
                    Channels,
                    descriptors.fixed.begin() + static_cast<std::ptrdiff_t>(i * Channels));
      }
      m_Descriptors = std::move(descriptors);
    },
    features.GetDescriptors());
  FinishFixed();
}

void
Objective::SetFixedSamples(const FeatureVolume & features, const std::vector<Sample> & samples)
{
  TakePoints(samples.size(), [&](std::size_t i) { return samples[i].point; });
  m_Weights.resize(samples.size());
  m_FixedScale = features.GetScale();
  m_FixedKind = features.GetKind();
  const Frame &   frame = features.GetFrame();
  const AffineMap toIndex = frame.PhysicalToIndex();
  std::visit(
    [&](const auto & values)
    {
      using TChannel = typename std::decay_t<decltype(values)>::value_type;
      Descriptors<TChannel> descriptors;
      descriptors.fixed.resize(samples.size() * Channels);
      for (std::size_t i = 0; i < samples.size(); ++i)
      {
        const Neighbours             around(frame, toIndex(samples[i].fixedPoint));
        std::array<double, Channels> blend{};
        double                       weight = 0.0;
        for (int n = 0; n < around.count; ++n)
        {
          weight += around.share[n] * features.GetWeights()[around.cell[n]];
          for (std::size_t c = 0; c < Channels; ++c)
          {
            blend[c] += around.share[n] * values[around.cell[n] * Channels + c];
          }
        }
        m_Weights[i] = static_cast<float>(weight);
        for (std::size_t c = 0; c < Channels; ++c)
        {
          descriptors.fixed[i * Channels + c] = Round(blend[c], TChannel());
        }
      }
      m_Descriptors = std::move(descriptors);
    },
    features.GetDescriptors());
  FinishFixed();
}

void
Objective::FinishFixed()
{
  m_TotalWeight = std::accumulate(m_Weights.begin(), m_Weights.end(), 0.0);
  Vector3 mean{};
  for (int axis = 0; axis < 3 && !m_Weights.empty(); ++axis)
  {
    const std::vector<float> & values = m_Coordinates[axis];
    mean[axis] = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  }
  m_Centre = m_ToPoint(mean);
}

void
Objective::SetMoving(const FeatureVolume & features)
{
  CheckComparable(m_FixedKind, features.GetKind());
  std::visit(
    [&](auto & descriptors)
    {
      using TValues = std::decay_t<decltype(descriptors.cells)>;
      descriptors.cells = Pad(std::get<TValues>(features.GetDescriptors()), features.GetFrame().size);
    },
    m_Descriptors);
  m_Kernel = ChosenKernel().functions;
  m_MovingScale = features.GetScale();
  m_PhysicalToPaddedIndex = features.GetFrame().PhysicalToIndex();
  for (int axis = 0; axis < 3; ++axis)
  {
    m_PaddedSize[axis] = features.GetFrame().size[axis] + 2;
    m_PhysicalToPaddedIndex.offset[axis] += 1.0;
  }
}

template <typename TFunction>
auto
Objective::WithKernel(const TFunction & function) const
{
  return std::visit(
    [&](const auto & descriptors)
    {
      using TChannel = typename std::decay_t<decltype(descriptors.cells)>::value_type;
      const Cells<TChannel> cells{ descriptors.cells.data(), { m_PaddedSize[0], m_PaddedSize[1], m_PaddedSize[2] } };
      if constexpr (std::is_same_v<TChannel, std::int8_t>)
      {
        return function(*m_Kernel, cells, descriptors.fixed.data());
      }
      else
      {
        return function(KernelFloat, cells, descriptors.fixed.data());
      }
    },
    m_Descriptors);
}

void
Objective::MapCoordinates(std::size_t chunk, const AffineMap & map, double * mapped) const
{
  const std::size_t   begin = chunk * ChunkSize;
  const float * const coordinates[3] = { m_Coordinates[0].data() + begin,
                                         m_Coordinates[1].data() + begin,
                                         m_Coordinates[2].data() + begin };
  double              rows[12];
  ToRows(map, rows);
  ChosenKernel().points->mapCoordinates(rows, coordinates, this->GetChunkLength(chunk), mapped);
}

Sums
Objective::EvaluateMovedChunk(std::size_t chunk, const double * moved, double * gradients) const
{
  const MapFunction                 map = ChosenKernel().points->map;
  const std::size_t                 begin = chunk * ChunkSize;
  const std::size_t                 count = this->GetChunkLength(chunk);
  std::array<double, 3 * ChunkSize> indices, slopes;
  std::array<double, ChunkSize>     values, weights;
  double                            rows[12];
  ToRows(m_PhysicalToPaddedIndex, rows);
  map(rows, moved, count, indices.data());
  Sums sums;
  sums.validPoints = WithKernel(
    [&](const auto & kernel, const auto & cells, const auto * fixed)
    {
      return kernel.evaluate(cells,
                             fixed + begin * Channels,
                             indices.data(),
                             count,
                             values.data(),
                             gradients != nullptr ? slopes.data() : nullptr);
    });
  const double scale = this->GetScale();
  for (std::size_t i = 0; i < count; ++i)
  {
    weights[i] = scale * m_Weights[begin + i];
    values[i] *= weights[i];
  }
  sums.value = AddUp(values.data(), count);
  if (gradients != nullptr)
  {
    for (std::size_t axis = 0; axis < 3; ++axis)
    {
      for (std::size_t i = 0; i < count; ++i)
      {
        slopes[axis * count + i] *= weights[i];
      }
    }
    ToRows({ Transpose(m_PhysicalToPaddedIndex.matrix), {} }, rows);
    map(rows, slopes.data(), count, gradients);
  }
  return sums;
}

Sums
Objective::EvaluateChunk(std::size_t chunk, const AffineMap & map, bool wantGradient) const
{
  const std::size_t begin = chunk * ChunkSize;
  double            rows[12];
  ToRows(Compose(m_PhysicalToPaddedIndex, Compose(map, m_ToPoint)), rows);
  const Moments moments = WithKernel(
    [&](const auto & kernel, const auto & cells, const auto * fixed)
    {
      using TChannel = typename std::decay_t<decltype(*fixed)>;
      const Samples<TChannel> samples{
        fixed + begin * Channels,
        m_Weights.data() + begin,
        { m_Coordinates[0].data() + begin, m_Coordinates[1].data() + begin, m_Coordinates[2].data() + begin },
        this->GetChunkLength(chunk)
      };
      return kernel.accumulate(cells, samples, rows, wantGradient);
    });
  return ToPhysical(moments);
}

Sums
Objective::ToPhysical(const Moments & moments) const
{
  const double scale = this->GetScale();
  Sums         sums;
  sums.validPoints = moments.validPoints;
  sums.value = scale * moments.value;
  // d/d(point) = (d index / d point)^T d/d(index), and q - centre = A c + (b - centre) for every sample.
  Matrix3 moment; // in the rows index, in the columns mm
  for (int row = 0; row < 3; ++row)
  {
    for (int column = 0; column < 3; ++column)
    {
      double & m = moment[3 * row + column];
      m = moments.gradient[row] * (m_ToPoint.offset[column] - m_Centre[column]);
      for (int k = 0; k < 3; ++k)
      {
        m += moments.moment[3 * row + k] * m_ToPoint.matrix[3 * column + k];
      }
    }
  }
  const Matrix3 toPhysical = Transpose(m_PhysicalToPaddedIndex.matrix);
  moment = Multiply(toPhysical, moment);
  sums.gradient = AffineMap{ toPhysical, {} }({ moments.gradient[0], moments.gradient[1], moments.gradient[2] });
  std::transform(moment.begin(), moment.end(), sums.moment.begin(), [scale](double m) { return scale * m; });
  for (double & g : sums.gradient)
  {
    g *= scale;
  }
  return sums;
}

} // namespace disa
