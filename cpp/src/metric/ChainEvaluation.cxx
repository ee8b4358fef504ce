// SPDX-License-Identifier: Apache-2.0
#include "disa/metric/ChainEvaluation.h"

#include "kernels/Kernels.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>

namespace disa
{
namespace
{

constexpr std::size_t ChunkSize = Objective::ChunkSize;

/** Numbers that are not set to 0 first. */
using Numbers = std::unique_ptr<double[]>;

Numbers
MakeNumbers(std::size_t count)
{
  return Numbers(new double[count]);
}

void
Map(const AffineMap & map, const double * from, std::size_t count, double * to)
{
  double rows[12];
  ToRows(map, rows);
  ChosenKernel().points->map(rows, from, count, to);
}

/** One of the points or gradients that lie as PointFunctions have them. */
Vector3
Take(const double * arrays, std::size_t count, std::size_t i)
{
  return { arrays[i], arrays[count + i], arrays[2 * count + i] };
}

void
Put(const Vector3 & vector, std::size_t count, std::size_t i, double * arrays)
{
  for (std::size_t axis = 0; axis < 3; ++axis)
  {
    arrays[axis * count + i] = vector[axis];
  }
}

/** A map whose entries that only rounding made are 0, so that cells in a row come to lie in a row exactly; nothing if
 * there are none. */
std::optional<AffineMap>
WithoutRounding(const AffineMap & map)
{
  constexpr double tolerance = 1e-12;
  AffineMap        exact = map;
  bool             isChanged = false;
  for (std::size_t row = 0; row < 3; ++row)
  {
    double * const first = exact.matrix.data() + 3 * row;
    const double   most = std::max({ std::abs(first[0]), std::abs(first[1]), std::abs(first[2]) });
    for (double * entry = first; entry < first + 3; ++entry)
    {
      if (*entry != 0.0 && std::abs(*entry) < tolerance * most)
      {
        *entry = 0.0;
        isChanged = true;
      }
    }
  }
  return isChanged ? std::optional(exact) : std::nullopt;
}

/** What an optimised displacement map needs of the samples of one batch, each chunk in its own place. */
struct NodeSamples
{
  Numbers placements; ///< PlacementSize a sample
  Numbers gradients;  ///< 3 a sample, by the displaced point
  struct Planes
  {
    double first, last;
  };
  std::vector<Planes>       planes; ///< of nodes that act on a chunk's samples; the first after the last if none does
  std::vector<std::uint8_t> isWritten; ///< 1 for each plane of nodes whose derivative has been begun

  double *
  Placements(std::size_t slot) const
  {
    return placements.get() + PlacementSize * ChunkSize * slot;
  }
  double *
  Gradients(std::size_t slot) const
  {
    return gradients.get() + 3 * ChunkSize * slot;
  }
};

/** One evaluation. It goes through the samples in batches of chunks, so that what a displacement map needs of them
 * stays in the cache. Each node's derivative is summed over the samples in their order, so it does not depend on how
 * chunks are batched nor on how planes of nodes are shared out, and no thread needs a copy of the parameters. */
class Evaluation
{
public:
  Evaluation(const Objective & objective, const TransformChain & chain, double * derivative, const Threads & threads)
    : m_Objective(objective)
    , m_Stages(chain.GetStages())
    , m_Derivative(derivative)
    , m_Threads(threads)
    , m_BatchLength(std::min(ChunksPerThread * threads.count, objective.GetNumberOfChunks()))
    , m_NodeSamples(chain.GetStages().size())
  {
    for (std::size_t s = 0; s < m_Stages.size(); ++s)
    {
      if (this->IsOptimizedDisplacement(s))
      {
        NodeSamples & samples = m_NodeSamples[s];
        samples.placements = MakeNumbers(PlacementSize * ChunkSize * m_BatchLength);
        samples.gradients = MakeNumbers(3 * ChunkSize * m_BatchLength);
        samples.planes.resize(m_BatchLength);
        samples.isWritten.resize(std::get<DisplacementMap>(m_Stages[s].map).GetNodes().size[2]);
      }
    }
    if (const auto * first = m_Stages.empty() ? nullptr : std::get_if<DisplacementMap>(&m_Stages[0].map))
    {
      m_ToFirstIndex = WithoutRounding(Compose(first->GetToIndex(), objective.GetToPoint()));
    }
  }

  ChainSums
  Run()
  {
    ChainSums              sums(m_Stages.size());
    std::vector<ChainSums> chunks(m_BatchLength);
    for (std::size_t begin = 0; begin < m_Objective.GetNumberOfChunks(); begin += m_BatchLength)
    {
      const std::size_t length = std::min(m_BatchLength, m_Objective.GetNumberOfChunks() - begin);
      m_Threads.parallelFor(length, [&](std::size_t slot) { chunks[slot] = this->EvaluateChunk(begin + slot, slot); });
      for (std::size_t slot = 0; slot < length; ++slot)
      {
        sums += chunks[slot];
      }
      for (std::size_t s = 0; s < m_Stages.size(); ++s)
      {
        if (this->IsOptimizedDisplacement(s))
        {
          this->AddDerivative(s, begin, length);
        }
      }
    }
    for (std::size_t s = 0; s < m_Stages.size(); ++s)
    {
      if (this->IsOptimizedDisplacement(s))
      {
        const std::size_t planes = m_NodeSamples[s].isWritten.size();
        m_Threads.parallelFor(planes, [&](std::size_t plane) { this->BeginPlanes(s, plane, plane + 1); });
      }
    }
    return sums;
  }

private:
  static constexpr std::size_t ChunksPerThread = 16;

  bool
  IsOptimizedDisplacement(std::size_t stage) const
  {
    return m_Derivative != nullptr && m_Stages[stage].isOptimized &&
           std::holds_alternative<DisplacementMap>(m_Stages[stage].map);
  }

  ChainSums
  EvaluateChunk(std::size_t chunk, std::size_t slot)
  {
    const std::size_t      count = m_Objective.GetChunkLength(chunk);
    const PointFunctions & functions = *ChosenKernel().points;

    // The points that each stage takes, and at the end those that the chain comes to; and where they lie among nodes.
    const Numbers         points = MakeNumbers(3 * count * (m_Stages.size() + 1));
    const Numbers         scratch = MakeNumbers(PlacementSize * count * m_Stages.size());
    std::vector<double *> placements(m_Stages.size());
    m_Objective.GetPoints(chunk, points.get());
    for (std::size_t s = 0; s < m_Stages.size(); ++s)
    {
      const double * from = points.get() + 3 * count * s;
      double *       to = points.get() + 3 * count * (s + 1);
      if (const auto * displacement = std::get_if<DisplacementMap>(&m_Stages[s].map))
      {
        placements[s] = this->IsOptimizedDisplacement(s) ? m_NodeSamples[s].Placements(slot)
                                                         : scratch.get() + PlacementSize * count * s;
        this->Place(chunk, s, from, placements[s]);
        functions.displace(displacement->GetNodes(), placements[s], from, count, to);
      }
      else if (const auto * push = std::get_if<ProbePush>(&m_Stages[s].map))
      {
        for (std::size_t i = 0; i < count; ++i)
        {
          Put((*push)(Take(from, count, i)), count, i, to);
        }
      }
      else
      {
        Map(std::get<AffineMap>(m_Stages[s].map), from, count, to);
      }
    }
    double * const  moved = points.get() + 3 * count * m_Stages.size();
    ChainSums       sums(m_Stages.size());
    GradientBuffers buffers;
    double * const  gradients =
      m_Derivative != nullptr ? this->GradientsOf(m_Stages.size() - 1, slot, buffers) : nullptr;
    const Sums values = m_Objective.EvaluateMovedChunk(chunk, moved, gradients);
    sums.validPoints = values.validPoints;
    sums.value = values.value;
    if (m_Derivative != nullptr)
    {
      this->GoBack(count, slot, points.get(), placements, buffers, sums);
    }
    return sums;
  }

  /** Find where a chunk's points lie among a displacement map's nodes. */
  void
  Place(std::size_t chunk, std::size_t stage, const double * points, double * placement) const
  {
    const PointFunctions & functions = *ChosenKernel().points;
    const std::size_t      count = m_Objective.GetChunkLength(chunk);
    DisplacementNodes      nodes = std::get<DisplacementMap>(m_Stages[stage].map).GetNodes();
    if (stage > 0 || !m_ToFirstIndex)
    {
      functions.place(nodes, points, count, placement);
      return;
    }
    std::array<double, 3 * ChunkSize> indices;
    m_Objective.MapCoordinates(chunk, *m_ToFirstIndex, indices.data());
    ToRows(AffineMap(), nodes.toIndex);
    functions.place(nodes, indices.data(), count, placement);
  }

  using GradientBuffers = std::array<std::array<double, 3 * ChunkSize>, 2>;

  /** Where the derivative by the points that a stage comes to is kept: with a map's nodes, or until the stage
   * before has its own. */
  double *
  GradientsOf(std::size_t stage, std::size_t slot, GradientBuffers & buffers) const
  {
    return this->IsOptimizedDisplacement(stage) ? m_NodeSamples[stage].Gradients(slot) : buffers[stage % 2].data();
  }

  /** From the derivative by the moving points to that by each optimised stage's parameters. */
  void
  GoBack(std::size_t                   count,
         std::size_t                   slot,
         const double *                points,
         const std::vector<double *> & placements,
         GradientBuffers &             buffers,
         ChainSums &                   sums)
  {
    std::size_t first = 0; // nothing before the first optimised stage is of use
    while (first < m_Stages.size() && !m_Stages[first].isOptimized)
    {
      ++first;
    }
    for (std::size_t s = m_Stages.size(); s-- > first;)
    {
      const double * const from = points + 3 * count * s;
      const double * const gradients = this->GradientsOf(s, slot, buffers);
      const auto *         displacement = std::get_if<DisplacementMap>(&m_Stages[s].map);
      const auto *         push = std::get_if<ProbePush>(&m_Stages[s].map);
      if (this->IsOptimizedDisplacement(s))
      {
        m_NodeSamples[s].planes[slot] = PlanesOf(placements[s] + 4 * count, count);
      }
      else if (m_Stages[s].isOptimized && push != nullptr)
      {
        for (std::size_t i = 0; i < count; ++i)
        {
          const auto    factors = push->probe.Factors(Take(from, count, i));
          const Vector3 gradient = Take(gradients, count, i);
          const double  along = std::inner_product(gradient.begin(), gradient.end(), push->probe.axis.begin(), 0.0);
          sums.pushes[s][0] += along * factors[0];
          sums.pushes[s][1] += along * factors[1];
        }
      }
      else if (m_Stages[s].isOptimized)
      {
        for (std::size_t i = 0; i < count; ++i)
        {
          sums.affine[s].Add(Take(gradients, count, i), Take(from, count, i), m_Objective.GetCentre());
        }
      }
      if (s == first)
      {
        return;
      }
      double * const pulled = this->GradientsOf(s - 1, slot, buffers);
      if (displacement != nullptr)
      {
        ChosenKernel().points->pullBack(displacement->GetNodes(), placements[s], from, gradients, count, pulled);
      }
      else if (push != nullptr)
      {
        for (std::size_t i = 0; i < count; ++i)
        {
          Put(push->PullBack(Take(from, count, i), Take(gradients, count, i)), count, i, pulled);
        }
      }
      else
      {
        Map({ Transpose(std::get<AffineMap>(m_Stages[s].map).matrix), {} }, gradients, count, pulled);
      }
    }
  }

  static NodeSamples::Planes
  PlanesOf(const double * plane, std::size_t count)
  {
    constexpr std::size_t lanes = 4; // each with an extreme of its own, for one alone would wait for each comparison
    double                first[lanes], last[lanes];
    std::fill_n(first, lanes, std::numeric_limits<double>::max());
    std::fill_n(last, lanes, -1.0);
    for (std::size_t i = 0; i < count; ++i)
    {
      const double from = plane[i] >= 0.0 ? plane[i] : std::numeric_limits<double>::max();
      first[i % lanes] = std::min(first[i % lanes], from);
      last[i % lanes] = std::max(last[i % lanes], plane[i]);
    }
    return { *std::min_element(first, first + lanes), *std::max_element(last, last + lanes) };
  }

  /** Set the derivative by the nodes of some planes to 0 unless that has been done. */
  void
  BeginPlanes(std::size_t stage, std::size_t begin, std::size_t end)
  {
    const DisplacementNodes & nodes = std::get<DisplacementMap>(m_Stages[stage].map).GetNodes();
    const std::size_t         length = nodes.size[0] * nodes.size[1] * (nodes.isCubic ? 1 : 3);
    for (std::size_t plane = begin; plane < end; ++plane)
    {
      for (std::size_t component = 0; component < (nodes.isCubic ? 3 : 1) && !m_NodeSamples[stage].isWritten[plane];
           ++component)
      {
        double * const numbers = m_Derivative + m_Stages[stage].firstParameter;
        std::fill_n(numbers + component * nodes.componentStride + plane * length, length, 0.0);
      }
      m_NodeSamples[stage].isWritten[plane] = 1;
    }
  }

  /** Add a batch's part of the derivative by the displacements of nodes, some planes of nodes a task. */
  void
  AddDerivative(std::size_t stage, std::size_t firstChunk, std::size_t length)
  {
    const DisplacementNodes & nodes = std::get<DisplacementMap>(m_Stages[stage].map).GetNodes();
    const NodeSamples &       samples = m_NodeSamples[stage];
    const double              reach = nodes.isCubic ? 3.0 : 1.0;
    double                    first = double(nodes.size[2]), last = -1.0;
    for (std::size_t slot = 0; slot < length; ++slot)
    {
      first = std::min(first, samples.planes[slot].first);
      last = std::max(last, std::min(samples.planes[slot].last + reach, double(nodes.size[2] - 1)));
    }
    if (last < first)
    {
      return;
    }
    const std::size_t lowest = static_cast<std::size_t>(first), end = static_cast<std::size_t>(last) + 1;
    const std::size_t tasks = std::min(m_Threads.count, end - lowest);
    m_Threads.parallelFor(tasks,
                          [&](std::size_t task)
                          {
                            const std::size_t from = lowest + task * (end - lowest) / tasks;
                            const std::size_t to = lowest + (task + 1) * (end - lowest) / tasks;
                            this->BeginPlanes(stage, from, to);
                            for (std::size_t slot = 0; slot < length; ++slot)
                            {
                              if (samples.planes[slot].first < double(to) &&
                                  samples.planes[slot].last + reach >= double(from))
                              {
                                ChosenKernel().points->spread(nodes,
                                                              samples.Placements(slot),
                                                              samples.Gradients(slot),
                                                              m_Objective.GetChunkLength(firstChunk + slot),
                                                              from,
                                                              to,
                                                              m_Derivative + m_Stages[stage].firstParameter);
                              }
                            }
                          });
  }

  const Objective &          m_Objective;
  const std::vector<Stage> & m_Stages;
  double *                   m_Derivative;
  const Threads &            m_Threads;
  std::size_t                m_BatchLength;  ///< chunks
  std::vector<NodeSamples>   m_NodeSamples;  ///< of each optimised displacement map
  std::optional<AffineMap>   m_ToFirstIndex; ///< from samples' coordinates, if the map's own has errors of rounding
};

} // namespace

ChainSums &
ChainSums::operator+=(const ChainSums & other)
{
  validPoints += other.validPoints;
  value += other.value;
  for (std::size_t s = 0; s < affine.size(); ++s)
  {
    affine[s] += other.affine[s];
    pushes[s][0] += other.pushes[s][0];
    pushes[s][1] += other.pushes[s][1];
  }
  return *this;
}

ChainSums
EvaluateChain(const Objective & objective, const TransformChain & chain, double * derivative, const Threads & threads)
{
  return Evaluation(objective, chain, derivative, threads).Run();
}

} // namespace disa
