#include "disaObjective.h"

#include "disaError.h"
#include "disaEvaluate.h"

#include <algorithm>
#include <cmath>

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
  std::vector<TChannel> padded((size[2] + 2) * (size[1] + 2) * paddedRow, TChannel(0));
  const std::size_t     row = size[0] * Channels;
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
        const double size = static_cast<double>(frame.size[axis]);
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

void
Objective::SetFixedCells(const FeatureVolume &            features,
                         const std::vector<std::size_t> & cells,
                         std::vector<Vector3>             points)
{
  m_Points = std::move(points);
  m_Weights.resize(cells.size());
  m_FixedScale = features.GetScale();
  std::visit(
    [&](const auto & values)
    {
      using TChannel = typename std::decay_t<decltype(values)>::value_type;
      Descriptors<TChannel> descriptors;
      descriptors.fixed.resize(cells.size() * Channels);
      for (std::size_t i = 0; i < cells.size(); ++i)
      {
        std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(cells[i] * Channels),
                    Channels,
                    descriptors.fixed.begin() + static_cast<std::ptrdiff_t>(i * Channels));
        m_Weights[i] = features.GetWeights()[cells[i]];
      }
      m_Descriptors = std::move(descriptors);
    },
    features.GetDescriptors());
  FinishFixed();
}

void
Objective::SetFixedSamples(const FeatureVolume & features, const std::vector<Sample> & samples)
{
  m_Points.resize(samples.size());
  m_Weights.resize(samples.size());
  m_FixedScale = features.GetScale();
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
        m_Points[i] = samples[i].point;
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
  m_TotalWeight = 0.0;
  m_Centre = {};
  for (std::size_t i = 0; i < m_Points.size(); ++i)
  {
    m_TotalWeight += m_Weights[i];
    for (int axis = 0; axis < 3; ++axis)
    {
      m_Centre[axis] += m_Points[i][axis] / static_cast<double>(m_Points.size());
    }
  }
}

void
Objective::SetMoving(const FeatureVolume & features)
{
  std::visit(
    [&](auto & descriptors)
    {
      using TValues = std::decay_t<decltype(descriptors.cells)>;
      const auto * values = std::get_if<TValues>(&features.GetDescriptors());
      if (values == nullptr)
      {
        throw RegistrationError("fixed and moving features: one is int8 and the other float; quantise both or neither");
      }
      descriptors.cells = Pad(*values, features.GetFrame().size);
    },
    m_Descriptors);
  m_EvaluateQuantized = ChosenKernel().evaluate;
  m_MovingScale = features.GetScale();
  m_PhysicalToPaddedIndex = features.GetFrame().PhysicalToIndex();
  for (int axis = 0; axis < 3; ++axis)
  {
    m_PaddedSize[axis] = features.GetFrame().size[axis] + 2;
    m_PhysicalToPaddedIndex.offset[axis] += 1.0;
  }
}

std::size_t
Objective::Evaluate(std::size_t begin, std::size_t count, Block & block, bool wantGradient) const
{
  double *   gradient = wantGradient ? block.gradient.data() : nullptr;
  const auto run = [&](const auto & descriptors, auto evaluate)
  {
    using TChannel = typename std::decay_t<decltype(descriptors.cells)>::value_type;
    const Cells<TChannel> cells{ descriptors.cells.data(), { m_PaddedSize[0], m_PaddedSize[1], m_PaddedSize[2] } };
    return evaluate(
      cells, descriptors.fixed.data() + begin * Channels, block.point.data(), count, block.value.data(), gradient);
  };
  if (const auto * quantized = std::get_if<Descriptors<std::int8_t>>(&m_Descriptors))
  {
    return run(*quantized, m_EvaluateQuantized);
  }
  return run(std::get<Descriptors<float>>(m_Descriptors), static_cast<EvaluateFunction<float>>(&EvaluatePortable));
}

Sums
Objective::EvaluateMovedChunk(std::size_t chunk, const Vector3 * moved, Vector3 * gradients) const
{
  const std::size_t begin = chunk * ChunkSize;
  const std::size_t count = std::min(ChunkSize, m_Points.size() - begin);
  const double      scale = static_cast<double>(m_FixedScale) * m_MovingScale;
  Block             block;
  for (std::size_t i = 0; i < count; ++i)
  {
    const Vector3 index = m_PhysicalToPaddedIndex(moved[i]);
    for (int axis = 0; axis < 3; ++axis)
    {
      block.point[axis * count + i] = index[axis];
    }
  }
  Sums sums;
  sums.validPoints = Evaluate(begin, count, block, gradients != nullptr);
  const AffineMap toPhysical{ Transpose(m_PhysicalToPaddedIndex.matrix), {} };
  for (std::size_t i = 0; i < count; ++i)
  {
    const double weight = scale * m_Weights[begin + i];
    sums.value += weight * block.value[i];
    if (gradients != nullptr)
    {
      const double * g = block.gradient.data() + i;
      gradients[i] = toPhysical({ weight * g[0], weight * g[count], weight * g[2 * count] });
    }
  }
  return sums;
}

Sums
Objective::Reduce(std::size_t begin, std::size_t count, const Block & block, bool wantGradient) const
{
  Sums         sums;
  const double scale = static_cast<double>(m_FixedScale) * m_MovingScale;
  if (!wantGradient)
  {
    for (std::size_t i = 0; i < count; ++i)
    {
      sums.value += m_Weights[begin + i] * block.value[i];
    }
    sums.value *= scale;
    return sums;
  }
  Vector3 gradient{}; // by the padded index
  Matrix3 moment{};
  for (std::size_t i = 0; i < count; ++i)
  {
    const Vector3 & q = m_Points[begin + i];
    sums.value += m_Weights[begin + i] * block.value[i];
    const double arm[3] = { q[0] - m_Centre[0], q[1] - m_Centre[1], q[2] - m_Centre[2] };
    for (int row = 0; row < 3; ++row)
    {
      const double g = m_Weights[begin + i] * block.gradient[row * count + i];
      gradient[row] += g;
      for (int column = 0; column < 3; ++column)
      {
        moment[3 * row + column] += g * arm[column];
      }
    }
  }
  sums.value *= scale;
  // d/d(point) = (d index / d point)^T d/d(index), the same for every sample.
  const Matrix3 toPhysical = Transpose(m_PhysicalToPaddedIndex.matrix);
  const Matrix3 physicalMoment = Multiply(toPhysical, moment);
  for (int row = 0; row < 3; ++row)
  {
    for (int column = 0; column < 3; ++column)
    {
      sums.gradient[row] += scale * toPhysical[3 * row + column] * gradient[column];
      sums.moment[3 * row + column] = scale * physicalMoment[3 * row + column];
    }
  }
  return sums;
}

} // namespace disa
