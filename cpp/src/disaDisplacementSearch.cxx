#include "disaDisplacementSearch.h"

#include "disaError.h"
#include "disaParallel.h"
#include "disaPooling.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>

namespace disa
{
namespace
{

// Loops over rows also in code for 8 floats at a time; without fused operations, so the results are the same.
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__)
#  define DISA_WIDER_TOO __attribute__((target_clones("avx2", "default")))
#else
#  define DISA_WIDER_TOO
#endif

constexpr std::size_t Channels = FeatureVolume::Channels;
constexpr std::size_t Lanes = 8;       // rows are padded to a multiple of it
constexpr std::size_t BlockPlanes = 6; // planes of control points that are searched at a time

/** First moving cell in fixed cells. */
std::array<std::ptrdiff_t, 3>
OffsetOf(const Frame & fixed, const Frame & moving)
{
  constexpr double tolerance = 1e-3; // cells
  for (int i = 0; i < 9; ++i)
  {
    if (std::abs(fixed.direction[i] - moving.direction[i]) > 1e-6 ||
        std::abs(fixed.spacing[i % 3] - moving.spacing[i % 3]) > tolerance * fixed.spacing[i % 3])
    {
      throw RegistrationError("moving features: expected the fixed features' axes and spacing for a displacement "
                              "search; extract them on that lattice");
    }
  }
  const Vector3                 index = fixed.PhysicalToIndex()(moving.origin);
  std::array<std::ptrdiff_t, 3> offset;
  for (int axis = 0; axis < 3; ++axis)
  {
    offset[axis] = std::lround(index[axis]);
    if (std::abs(index[axis] - double(offset[axis])) > tolerance)
    {
      throw RegistrationError("moving features: expected cells on the fixed features' lattice for a displacement "
                              "search; extract them on it");
    }
  }
  return offset;
}

/** One over the length of each descriptor, 0 where there is none. */
std::vector<float>
InverseLengths(const FeatureVolume & features)
{
  constexpr double   least = 1e-3; // shorter ones are noise
  std::vector<float> inverse(features.GetWeights().size());
  std::visit(
    [&](const auto & descriptors)
    {
      for (std::size_t cell = 0; cell < inverse.size(); ++cell)
      {
        double square = 0.0;
        for (std::size_t c = 0; c < Channels; ++c)
        {
          const double value = double(features.GetScale()) * double(descriptors[cell * Channels + c]);
          square += value * value;
        }
        inverse[cell] = square > 0.0 ? float(1.0 / std::max(std::sqrt(square), least)) : 0.0f;
      }
    },
    features.GetDescriptors());
  return inverse;
}

/** Square roots of the weights over their mean where they are not 0. */
std::vector<float>
RelativeWeights(const std::vector<float> & weights)
{
  std::vector<float> relative(weights.size());
  double             sum = 0.0;
  std::size_t        count = 0;
  for (std::size_t cell = 0; cell < weights.size(); ++cell)
  {
    relative[cell] = std::sqrt(weights[cell]);
    sum += double(relative[cell]);
    count += weights[cell] > 0.0f;
  }
  if (count == 0)
  {
    throw RegistrationError("fixed features: no descriptor has any weight; check the fixed mask and image");
  }
  for (float & weight : relative)
  {
    weight = float(double(weight) * double(count) / sum);
  }
  return relative;
}

/** out[x] = -factor * sum over channels of fixed[x] * moving[x]; `count` is a multiple of Lanes. */
DISA_WIDER_TOO void
DotRow(const float * fixed,
       const float * moving,
       std::size_t   movingStride,
       std::size_t   count,
       float         factor,
       float *       out)
{
  for (std::size_t x = 0; x < count; x += Lanes)
  {
    float sums[Lanes] = {};
    for (std::size_t c = 0; c < Channels; ++c)
    {
      const float * f = fixed + c * count + x;
      const float * m = moving + c * movingStride + x;
      for (std::size_t i = 0; i < Lanes; ++i)
      {
        sums[i] += f[i] * m[i];
      }
    }
    for (std::size_t i = 0; i < Lanes; ++i)
    {
      out[x + i] = -factor * sums[i];
    }
  }
}

inline void
AddRow(const float * from, std::size_t count, float * to)
{
  for (std::size_t i = 0; i < count; ++i)
  {
    to[i] += from[i];
  }
}

/** to[i] = sum of from[i - radius] .. from[i + radius] of `count` items of `length` floats each. */
DISA_WIDER_TOO void
SumNeighbours(const float * from, std::size_t count, std::size_t length, std::size_t radius, float * to)
{
  std::copy_n(from, count * length, to);
  for (std::size_t k = 1; k <= std::min(radius, count - 1); ++k)
  {
    AddRow(from, (count - k) * length, to + k * length);
    AddRow(from + k * length, (count - k) * length, to);
  }
}

/** Keep a displacement where it costs less than the best so far. */
DISA_WIDER_TOO void
KeepCheaper(const float *                near, // x, y, z planes of `planeStride` floats
            std::size_t                  planeStride,
            const std::array<float, 3> & displacement,
            float                        coupling,
            std::int32_t                 label,
            const float *                costs,
            std::size_t                  count,
            float *                      best,
            std::int32_t *               bestLabel)
{
  for (std::size_t i = 0; i < count; ++i)
  {
    const float x = displacement[0] - near[i];
    const float y = displacement[1] - near[planeStride + i];
    const float z = displacement[2] - near[2 * planeStride + i];
    const float total = costs[i] + coupling * (x * x + y * y + z * z);
    const bool  isCheaper = total < best[i];
    best[i] = isCheaper ? total : best[i];
    bestLabel[i] = isCheaper ? label : bestLabel[i];
  }
}

} // namespace

/** Buffers of one thread. */
struct DisplacementSearch::Scratch
{
  std::vector<float> dots;
  std::vector<float> first;
  std::vector<float> second;
};

DisplacementSearch::DisplacementSearch(const FeatureVolume & fixed,
                                       const FeatureVolume & moving,
                                       DisplacementGrid      grid,
                                       unsigned              threads)
  : m_Grid(grid)
  , m_Threads(threads)
{
  if (grid.step < 1 || grid.controlSpacing < 1 || grid.controlSpacing % grid.step != 0)
  {
    throw RegistrationError("displacement search: expected a step of 1 cell or more that divides the control spacing, "
                            "got " +
                            std::to_string(grid.step) + " and " + std::to_string(grid.controlSpacing));
  }
  CheckComparable(fixed.GetKind(), moving.GetKind());
  m_Ratio = grid.controlSpacing / grid.step;
  const Frame & cells = fixed.GetFrame();
  const auto    offset = OffsetOf(cells, moving.GetFrame());
  m_Frame = cells;
  PoolingGrid controls, positions;
  controls.step = grid.controlSpacing;
  positions.step = grid.step;
  for (int axis = 0; axis < 3; ++axis)
  {
    m_Frame.size[axis] = (cells.size[axis] - 1) / grid.controlSpacing + 1;
    m_Frame.spacing[axis] *= double(grid.controlSpacing);
    controls.size[axis] = m_Frame.size[axis];
    positions.first[axis] = -offset[axis] - std::ptrdiff_t(grid.radius * grid.step);
    positions.size[axis] = (m_Frame.size[axis] - 1) * m_Ratio + 1 + 2 * grid.radius;
  }
  m_MovingSize = positions.size;
  std::vector<float>       factors = InverseLengths(fixed);
  const std::vector<float> weights = RelativeWeights(fixed.GetWeights());
  std::transform(weights.begin(), weights.end(), factors.begin(), factors.begin(), std::multiplies<float>());
  const std::vector<float> fixedPool = Pool(fixed, factors, controls, grid.controlSpacing, threads);

  const auto &      size = m_Frame.size;
  const std::size_t width = (size[0] + Lanes - 1) / Lanes * Lanes;
  m_Fixed.assign(size[2] * size[1] * Channels * width, 0.0f);
  for (std::size_t row = 0; row < size[2] * size[1]; ++row)
  {
    for (std::size_t x = 0; x < size[0]; ++x)
    {
      for (std::size_t c = 0; c < Channels; ++c)
      {
        m_Fixed[(row * Channels + c) * width + x] = fixedPool[(row * size[0] + x) * Channels + c];
      }
    }
  }

  const std::vector<float> movingPool = Pool(moving, InverseLengths(moving), positions, grid.controlSpacing, threads);
  // The last reads begin (2 radius) / ratio quotients in and take `width` of them.
  m_PhaseSize = 2 * grid.radius / m_Ratio + 1 + width;
  m_Moving.assign(m_MovingSize[2] * m_MovingSize[1] * m_Ratio * Channels * m_PhaseSize, 0.0f);
  ParallelFor(m_MovingSize[2] * m_MovingSize[1],
              threads,
              [&](std::size_t row)
              {
                for (std::size_t x = 0; x < m_MovingSize[0]; ++x)
                {
                  const std::size_t phase = (row * m_Ratio + x % m_Ratio) * Channels;
                  for (std::size_t c = 0; c < Channels; ++c)
                  {
                    m_Moving[(phase + c) * m_PhaseSize + x / m_Ratio] =
                      movingPool[(row * m_MovingSize[0] + x) * Channels + c];
                  }
                }
              });
}

void
DisplacementSearch::AddCosts(const std::array<std::size_t, 3> & shift,
                             std::size_t                        begin,
                             std::size_t                        end,
                             Scratch &                          scratch) const
{
  const auto &      size = m_Frame.size;
  const std::size_t radius = m_Grid.costRadius;
  const std::size_t width = m_Fixed.size() / (size[2] * size[1] * Channels);
  const std::size_t plane = size[1] * width;
  const std::size_t first = begin - std::min(begin, radius);
  const std::size_t last = std::min(end + radius, size[2]);
  const float       factor = 1.0f / float((2 * radius + 1) * (2 * radius + 1) * (2 * radius + 1));
  scratch.dots.resize((last - first) * plane);
  scratch.first.resize(scratch.dots.size());
  scratch.second.resize(scratch.dots.size());
  for (std::size_t z = first; z < last; ++z)
  {
    for (std::size_t y = 0; y < size[1]; ++y)
    {
      const std::size_t row = (z * m_Ratio + shift[2]) * m_MovingSize[1] + y * m_Ratio + shift[1];
      const std::size_t phase = (row * m_Ratio + shift[0] % m_Ratio) * Channels;
      float * const     out = scratch.dots.data() + (z - first) * plane + y * width;
      DotRow(m_Fixed.data() + (z * size[1] + y) * Channels * width,
             m_Moving.data() + phase * m_PhaseSize + shift[0] / m_Ratio,
             m_PhaseSize,
             width,
             factor,
             out);
      SumNeighbours(out, width, 1, radius, scratch.first.data() + (z - first) * plane + y * width);
    }
    SumNeighbours(
      scratch.first.data() + (z - first) * plane, size[1], width, radius, scratch.second.data() + (z - first) * plane);
  }
  SumNeighbours(scratch.second.data(), last - first, plane, radius, scratch.first.data());
  std::copy_n(scratch.first.data() + (begin - first) * plane, (end - begin) * plane, scratch.dots.data());
}

std::vector<float>
DisplacementSearch::Costs(const std::array<std::ptrdiff_t, 3> & displacement) const
{
  std::array<std::size_t, 3> shift;
  for (int axis = 0; axis < 3; ++axis)
  {
    const std::ptrdiff_t steps = displacement[axis] + std::ptrdiff_t(m_Grid.radius);
    if (steps < 0 || steps > std::ptrdiff_t(2 * m_Grid.radius))
    {
      throw RegistrationError("displacement: expected " + std::to_string(m_Grid.radius) +
                              " steps or fewer either way, got " + std::to_string(displacement[axis]));
    }
    shift[axis] = std::size_t(steps);
  }
  const auto & size = m_Frame.size;
  Scratch      scratch;
  AddCosts(shift, 0, size[2], scratch);
  const std::size_t  width = scratch.dots.size() / (size[2] * size[1]);
  std::vector<float> costs;
  for (std::size_t row = 0; row < size[2] * size[1]; ++row)
  {
    const float * from = scratch.dots.data() + row * width;
    costs.insert(costs.end(), from, from + size[0]);
  }
  return costs;
}

Displacements
DisplacementSearch::Nearest(const Displacements & near, double coupling) const
{
  const auto &      size = m_Frame.size;
  const std::size_t side = 2 * m_Grid.radius + 1;
  const std::size_t width = m_Fixed.size() / (size[2] * size[1] * Channels);
  const auto        steps = [this](std::size_t shift) { return float(shift) - float(m_Grid.radius); };
  Displacements     nearest(near.size());
  ParallelFor((size[2] + BlockPlanes - 1) / BlockPlanes,
              m_Threads,
              [&](std::size_t block)
              {
                const std::size_t         begin = block * BlockPlanes;
                const std::size_t         end = std::min(begin + BlockPlanes, size[2]);
                const std::size_t         count = (end - begin) * size[1] * width;
                std::vector<float>        wanted(3 * count, 0.0f);
                std::vector<float>        best(count, std::numeric_limits<float>::infinity());
                std::vector<std::int32_t> label(count, 0);
                Scratch                   scratch;
                const auto                forEachPoint = [&](const auto & function)
                {
                  for (std::size_t row = 0; row < (end - begin) * size[1]; ++row)
                  {
                    for (std::size_t x = 0; x < size[0]; ++x)
                    {
                      function(row * width + x, 3 * ((begin * size[1] + row) * size[0] + x));
                    }
                  }
                };
                forEachPoint(
                  [&](std::size_t i, std::size_t from)
                  {
                    for (std::size_t axis = 0; axis < 3; ++axis)
                    {
                      wanted[axis * count + i] = near[from + axis];
                    }
                  });
                for (std::size_t u = 0; u < side * side * side; ++u)
                {
                  const std::array<std::size_t, 3> shift{ u % side, u / side % side, u / side / side };
                  AddCosts(shift, begin, end, scratch);
                  KeepCheaper(wanted.data(),
                              count,
                              { steps(shift[0]), steps(shift[1]), steps(shift[2]) },
                              float(coupling),
                              std::int32_t(u),
                              scratch.dots.data(),
                              count,
                              best.data(),
                              label.data());
                }
                forEachPoint(
                  [&](std::size_t i, std::size_t to)
                  {
                    const auto u = std::size_t(label[i]);
                    nearest[to] = steps(u % side);
                    nearest[to + 1] = steps(u / side % side);
                    nearest[to + 2] = steps(u / side / side);
                  });
              });
  return nearest;
}

Displacements
DisplacementSearch::Smooth(const Displacements & displacements) const
{
  const auto &  size = m_Frame.size;
  Displacements sums(displacements.size()), other(displacements.size());
  // Along x, y and z in turn; the mean's denominator is the product of the three counts.
  for (std::size_t row = 0; row < size[2] * size[1]; ++row)
  {
    SumNeighbours(displacements.data() + 3 * row * size[0], size[0], 3, 1, other.data() + 3 * row * size[0]);
  }
  for (std::size_t z = 0; z < size[2]; ++z)
  {
    const std::size_t plane = 3 * z * size[1] * size[0];
    SumNeighbours(other.data() + plane, size[1], 3 * size[0], 1, sums.data() + plane);
  }
  SumNeighbours(sums.data(), size[2], 3 * size[1] * size[0], 1, other.data());
  const auto neighbours = [](std::size_t i, std::size_t count)
  { return 1 + std::size_t(i > 0) + std::size_t(i + 1 < count); };
  float * value = other.data();
  for (std::size_t z = 0; z < size[2]; ++z)
  {
    for (std::size_t y = 0; y < size[1]; ++y)
    {
      for (std::size_t x = 0; x < size[0]; ++x)
      {
        const auto count = float(neighbours(x, size[0]) * neighbours(y, size[1]) * neighbours(z, size[2]));
        for (int axis = 0; axis < 3; ++axis, ++value)
        {
          *value /= count;
        }
      }
    }
  }
  return other;
}

Displacements
DisplacementSearch::Run(const std::vector<double> & couplings) const
{
  Displacements smooth(3 * m_Frame.NumberOfCells(), 0.0f);
  for (const double coupling : couplings)
  {
    smooth = Smooth(Nearest(smooth, coupling));
  }
  return smooth;
}

} // namespace disa
