// SPDX-License-Identifier: Apache-2.0
#include "disa/search/DisplacementSearch.h"

#include "disa/core/Error.h"
#include "disa/core/Parallel.h"
#include "features/Pooling.h"
#include "kernels/Kernels.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>

namespace disa
{
namespace
{

constexpr std::size_t Channels = FeatureVolume::Channels;
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

/** The weights over their mean where they are not 0. */
std::vector<float>
RelativeWeights(const std::vector<float> & weights)
{
  std::vector<float> relative(weights.size());
  double             sum = 0.0;
  std::size_t        count = 0;
  for (std::size_t cell = 0; cell < weights.size(); ++cell)
  {
    relative[cell] = weights[cell];
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

} // namespace

/** The displacements that may be the nearest of some control point of a row, in steps from the least; none if one of
 * the lasts is before the first. */
struct DisplacementSearch::Box
{
  std::array<std::ptrdiff_t, 3> first{ PTRDIFF_MAX, PTRDIFF_MAX, PTRDIFF_MAX };
  std::array<std::ptrdiff_t, 3> last{ -1, -1, -1 };

  void
  Include(const Box & other)
  {
    for (int axis = 0; axis < 3; ++axis)
    {
      first[axis] = std::min(first[axis], other.first[axis]);
      last[axis] = std::max(last[axis], other.last[axis]);
    }
  }

  /** Whether one of some displacements along x, from one on, lies within. */
  bool
  Meets(const std::array<std::size_t, 3> & shift, std::size_t lastX) const
  {
    const auto within = [this](int axis, std::size_t low, std::size_t high)
    { return std::ptrdiff_t(low) <= last[axis] && std::ptrdiff_t(high) >= first[axis]; };
    return within(2, shift[2], shift[2]) && within(1, shift[1], shift[1]) && within(0, shift[0], lastX);
  }
};

/** What is known of each control point, in padded rows, and of each row. */
struct DisplacementSearch::State
{
  std::vector<float>        near;  ///< x, y and z in turn
  std::vector<float>        least; ///< cost of all displacements so far
  std::vector<float>        best;  ///< cost with the coupling
  std::vector<std::int32_t> label; ///< of the displacement that has it
  std::vector<Box>          boxes; ///< where a better one may lie
};

/** Buffers of one thread. */
struct DisplacementSearch::Scratch
{
  std::vector<float> dots;
  std::vector<float> rows; ///< sums along x, (shift, z, y, x)
  std::vector<float> sums;
};

DisplacementSearch::DisplacementSearch(const FeatureVolume &      fixed,
                                       const FeatureVolume &      moving,
                                       DisplacementSearchSettings settings,
                                       unsigned                   threads)
  : m_Settings(settings)
  , m_Threads(threads)
{
  if (settings.step < 1 || settings.controlSpacing < 1 || settings.controlSpacing % settings.step != 0)
  {
    throw RegistrationError("displacement search: expected a step of 1 cell or more that divides the control spacing, "
                            "got " +
                            std::to_string(settings.step) + " and " + std::to_string(settings.controlSpacing));
  }
  CheckComparable(fixed.GetKind(), moving.GetKind());
  m_Ratio = settings.controlSpacing / settings.step;
  const Frame & cells = fixed.GetFrame();
  const auto    offset = OffsetOf(cells, moving.GetFrame());
  m_Frame = cells;
  PoolingGrid controls, positions;
  controls.step = settings.controlSpacing;
  positions.step = settings.step;
  for (int axis = 0; axis < 3; ++axis)
  {
    m_Frame.size[axis] = (cells.size[axis] - 1) / settings.controlSpacing + 1;
    m_Frame.spacing[axis] *= double(settings.controlSpacing);
    controls.size[axis] = m_Frame.size[axis];
    positions.first[axis] = -offset[axis] - std::ptrdiff_t(settings.radius * settings.step);
    positions.size[axis] = (m_Frame.size[axis] - 1) * m_Ratio + 1 + 2 * settings.radius;
  }
  m_MovingSize = positions.size;
  std::vector<float>       factors = InverseLengths(fixed);
  const std::vector<float> weights = RelativeWeights(fixed.GetWeights());
  std::transform(weights.begin(), weights.end(), factors.begin(), factors.begin(), std::multiplies<>());
  const std::vector<float> fixedPool = Pool(fixed, factors, controls, settings.controlSpacing, threads);

  const auto &      size = m_Frame.size;
  const std::size_t width = Width();
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

  const std::vector<float> movingPool =
    Pool(moving, InverseLengths(moving), positions, settings.controlSpacing, threads);
  // The last reads begin (2 radius) / ratio quotients in and take `width` of them.
  m_PhaseSize = 2 * settings.radius / m_Ratio + 1 + width;
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

std::size_t
DisplacementSearch::Width() const
{
  return (m_Frame.size[0] + Lanes - 1) / Lanes * Lanes;
}

template <typename TPredicate>
void
DisplacementSearch::DotPlanes(const std::array<std::size_t, 3> & shift,
                              std::size_t                        shifts,
                              std::size_t                        begin,
                              std::size_t                        end,
                              const TPredicate &                 isWanted,
                              Scratch &                          scratch) const
{
  const auto &         size = m_Frame.size;
  const std::size_t    side = 2 * m_Settings.costRadius + 1;
  const std::size_t    width = Width();
  const float          factor = 1.0f / float(side * side * side);
  const RowFunctions & functions = *ChosenKernel().rows;
  scratch.dots.resize(shifts * width);
  scratch.rows.resize(shifts * (end - begin) * size[1] * width);
  for (std::size_t z = begin; z < end; ++z)
  {
    for (std::size_t y = 0; y < size[1]; ++y)
    {
      if (!isWanted(z * size[1] + y))
      {
        continue;
      }
      const std::size_t row = (z * m_Ratio + shift[2]) * m_MovingSize[1] + y * m_Ratio + shift[1];
      const std::size_t phase = (row * m_Ratio + shift[0] % m_Ratio) * Channels;
      functions.dotRows(m_Fixed.data() + (z * size[1] + y) * Channels * width,
                        m_Moving.data() + phase * m_PhaseSize + shift[0] / m_Ratio,
                        m_PhaseSize,
                        width,
                        shifts,
                        factor,
                        scratch.dots.data());
      for (std::size_t k = 0; k < shifts; ++k)
      {
        functions.sumNeighbours(scratch.dots.data() + k * width,
                                width,
                                1,
                                m_Settings.costRadius,
                                scratch.rows.data() + ((k * (end - begin) + z - begin) * size[1] + y) * width);
      }
    }
  }
}

const float *
DisplacementSearch::CostRow(std::size_t k, std::size_t z, std::size_t y, std::size_t planes, Scratch & scratch) const
{
  const RowFunctions & functions = *ChosenKernel().rows;
  const std::size_t    radius = m_Settings.costRadius;
  const std::size_t    width = Width();
  const std::size_t    plane = m_Frame.size[1] * width;
  const std::size_t    first = z - std::min(z, radius);
  const std::size_t    last = std::min(z + radius + 1, planes);
  scratch.sums.resize((last - first + 1) * width);
  for (std::size_t i = first; i < last; ++i)
  {
    functions.sumAbout(scratch.rows.data() + (k * planes + i) * plane,
                       y,
                       m_Frame.size[1],
                       width,
                       width,
                       radius,
                       scratch.sums.data() + (i - first) * width);
  }
  float * const costs = scratch.sums.data() + (last - first) * width;
  functions.sumAbout(scratch.sums.data(), z - first, last - first, width, width, radius, costs);
  return costs;
}

std::vector<float>
DisplacementSearch::Costs(const std::array<std::ptrdiff_t, 3> & displacement) const
{
  std::array<std::size_t, 3> shift;
  for (int axis = 0; axis < 3; ++axis)
  {
    const std::ptrdiff_t steps = displacement[axis] + std::ptrdiff_t(m_Settings.radius);
    if (steps < 0 || steps > std::ptrdiff_t(2 * m_Settings.radius))
    {
      throw RegistrationError("displacement: expected " + std::to_string(m_Settings.radius) +
                              " steps or fewer either way, got " + std::to_string(displacement[axis]));
    }
    shift[axis] = std::size_t(steps);
  }
  const auto & size = m_Frame.size;
  Scratch      scratch;
  DotPlanes(shift, 1, 0, size[2], [](std::size_t) { return true; }, scratch);
  std::vector<float> costs;
  for (std::size_t z = 0; z < size[2]; ++z)
  {
    for (std::size_t y = 0; y < size[1]; ++y)
    {
      const float * const row = CostRow(0, z, y, size[2], scratch);
      costs.insert(costs.end(), row, row + size[0]);
    }
  }
  return costs;
}

DisplacementSearch::State
DisplacementSearch::Begin(const Displacements & near) const
{
  const std::size_t rows = m_Frame.size[2] * m_Frame.size[1];
  const std::size_t count = rows * Width();
  const auto        all = std::ptrdiff_t(2 * m_Settings.radius);
  State             state;
  state.near.assign(3 * count, 0.0f);
  state.least.assign(count, std::numeric_limits<float>::infinity());
  state.best.resize(count);
  state.label.resize(count);
  Box everywhere;
  everywhere.first.fill(0);
  everywhere.last.fill(all);
  state.boxes.assign(rows, everywhere);
  Draw(state, near);
  return state;
}

void
DisplacementSearch::Draw(State & state, const Displacements & near) const
{
  const std::size_t count = state.best.size();
  ForEachPoint(
    [&](std::size_t i, std::size_t from)
    {
      for (std::size_t axis = 0; axis < 3; ++axis)
      {
        state.near[axis * count + i] = near[3 * from + axis];
      }
    });
}

template <typename TFunction>
void
DisplacementSearch::ForEachPoint(const TFunction & function) const
{
  const std::size_t width = Width();
  for (std::size_t row = 0; row < m_Frame.size[2] * m_Frame.size[1]; ++row)
  {
    for (std::size_t x = 0; x < m_Frame.size[0]; ++x)
    {
      function(row * width + x, row * m_Frame.size[0] + x);
    }
  }
}

std::array<float, 3>
DisplacementSearch::StepsOf(std::int32_t label) const
{
  const auto side = std::int32_t(2 * m_Settings.radius + 1);
  const auto centred = [this](std::int32_t shift) { return float(shift) - float(m_Settings.radius); };
  return { centred(label % side), centred(label / side % side), centred(label / side / side) };
}

void
DisplacementSearch::Search(State & state, float coupling) const
{
  const auto &      size = m_Frame.size;
  const std::size_t radius = m_Settings.costRadius;
  const std::size_t side = 2 * m_Settings.radius + 1;
  const std::size_t width = Width();
  std::fill(state.best.begin(), state.best.end(), std::numeric_limits<float>::infinity());
  std::fill(state.label.begin(), state.label.end(), 0);
  ParallelFor(
    (size[2] + BlockPlanes - 1) / BlockPlanes,
    m_Threads,
    [&](std::size_t block)
    {
      const std::size_t begin = block * BlockPlanes;
      const std::size_t end = std::min(begin + BlockPlanes, size[2]);
      const std::size_t first = begin - std::min(begin, radius);
      const std::size_t last = std::min(end + radius, size[2]);
      // Of the rows about each row, which need its dot products.
      std::vector<Box> about((last - first) * size[1]);
      Box              any;
      for (std::size_t z = begin; z < end; ++z)
      {
        for (std::size_t y = 0; y < size[1]; ++y)
        {
          const Box & box = state.boxes[z * size[1] + y];
          any.Include(box);
          for (std::size_t k = std::max(z, first + radius) - radius; k < std::min(z + radius + 1, last); ++k)
          {
            for (std::size_t j = y - std::min(y, radius); j < std::min(y + radius + 1, size[1]); ++j)
            {
              about[(k - first) * size[1] + j].Include(box);
            }
          }
        }
      }
      Scratch    scratch;
      const auto search = [&](const std::array<std::size_t, 3> & shift, std::size_t shifts)
      {
        const std::size_t lastX = shift[0] + (shifts - 1) * m_Ratio;
        if (!any.Meets(shift, lastX))
        {
          return;
        }
        const auto isWanted = [&](std::size_t row) { return about[row - first * size[1]].Meets(shift, lastX); };
        DotPlanes(shift, shifts, first, last, isWanted, scratch);
        for (std::size_t row = begin * size[1]; row < end * size[1]; ++row)
        {
          if (!state.boxes[row].Meets(shift, lastX))
          {
            continue;
          }
          const RowState rowState = { state.near.data() + row * width,
                                      state.best.size(),
                                      state.least.data() + row * width,
                                      state.best.data() + row * width,
                                      state.label.data() + row * width };
          for (std::size_t k = 0; k < shifts; ++k)
          {
            const auto label = std::int32_t((shift[2] * side + shift[1]) * side + shift[0] + k * m_Ratio);
            const auto [x, y, z] = StepsOf(label);
            const float * const costs = CostRow(k, row / size[1] - first, row % size[1], last - first, scratch);
            ChosenKernel().rows->keepCheaper(rowState, { x, y, z }, coupling, label, costs, width);
          }
        }
      };
      for (std::size_t yz = 0; yz < side * side; ++yz)
      {
        for (std::size_t phase = 0; phase < m_Ratio; ++phase)
        {
          for (std::size_t x = phase; x < side; x += MostShifts * m_Ratio)
          {
            search({ x, yz % side, yz / side }, std::min(MostShifts, (side - 1 - x) / m_Ratio + 1));
          }
        }
      }
    });
}

Displacements
DisplacementSearch::Found(const State & state) const
{
  Displacements found(3 * m_Frame.NumberOfCells());
  ForEachPoint(
    [&](std::size_t i, std::size_t to)
    {
      const auto steps = StepsOf(state.label[i]);
      std::copy(steps.begin(), steps.end(), found.begin() + std::ptrdiff_t(3 * to));
    });
  return found;
}

void
DisplacementSearch::Narrow(State & state, const Displacements & near, float before, float coupling) const
{
  const std::size_t count = state.best.size();
  const auto        all = float(2 * m_Settings.radius);
  std::fill(state.boxes.begin(), state.boxes.end(), Box());
  ForEachPoint(
    [&](std::size_t i, std::size_t from)
    {
      const std::array<float, 3> found = StepsOf(state.label[i]);
      float                      squareBefore = 0.0f, square = 0.0f;
      for (std::size_t axis = 0; axis < 3; ++axis)
      {
        const float was = found[axis] - state.near[axis * count + i];
        const float is = found[axis] - near[3 * from + axis];
        squareBefore += was * was;
        square += is * is;
      }
      const float cost = state.best[i] - before * squareBefore;
      const float rounding = 1e-5f * (1.0f + std::abs(cost) + before * squareBefore);
      const float reach = 1e-3f + std::sqrt(square + (std::max(cost - state.least[i], 0.0f) + rounding) / coupling);
      Box         box;
      for (std::size_t axis = 0; axis < 3; ++axis)
      {
        const float centre = near[3 * from + axis] + float(m_Settings.radius);
        box.first[axis] = std::ptrdiff_t(std::ceil(std::clamp(centre - reach, 0.0f, all)));
        box.last[axis] = std::ptrdiff_t(std::floor(std::clamp(centre + reach, 0.0f, all)));
      }
      state.boxes[i / Width()].Include(box);
    });
}

Displacements
DisplacementSearch::Nearest(const Displacements & near, double coupling) const
{
  State state = Begin(near);
  Search(state, float(coupling));
  return Found(state);
}

Displacements
DisplacementSearch::Smooth(const Displacements & displacements) const
{
  const RowFunctions & rows = *ChosenKernel().rows;
  const auto &         size = m_Frame.size;
  Displacements        sums(displacements.size()), other(displacements.size());
  // Along x, y and z in turn; the mean's denominator is the product of the three counts.
  for (std::size_t row = 0; row < size[2] * size[1]; ++row)
  {
    rows.sumNeighbours(displacements.data() + 3 * row * size[0], size[0], 3, 1, other.data() + 3 * row * size[0]);
  }
  for (std::size_t z = 0; z < size[2]; ++z)
  {
    const std::size_t plane = 3 * z * size[1] * size[0];
    rows.sumNeighbours(other.data() + plane, size[1], 3 * size[0], 1, sums.data() + plane);
  }
  rows.sumNeighbours(sums.data(), size[2], 3 * size[1] * size[0], 1, other.data());
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
  State         state = Begin(smooth);
  for (std::size_t pass = 0; pass < couplings.size(); ++pass)
  {
    if (pass > 0)
    {
      Narrow(state, smooth, float(couplings[pass - 1]), float(couplings[pass]));
      Draw(state, smooth);
    }
    Search(state, float(couplings[pass]));
    smooth = Smooth(Found(state));
  }
  return smooth;
}

} // namespace disa
