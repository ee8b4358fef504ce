#include "disaDeformable.h"

#include <limits>

namespace disa
{
namespace
{

constexpr std::size_t ChunkSize = Objective::ChunkSize;

/** Everything that one evaluation writes, each chunk to its own place. */
class Evaluation
{
public:
  Evaluation(const Objective & objective, const TransformChain & chain, bool wantDerivative)
    : m_Objective(objective)
    , m_Chain(chain)
    , m_WantDerivative(wantDerivative)
    , m_Chunks(objective.GetNumberOfChunks())
    , m_LatticeSamples(chain.GetStages().size())
  {
    for (std::size_t s = 0; s < chain.GetStages().size() && wantDerivative; ++s)
    {
      const Stage & stage = chain.GetStages()[s];
      if (stage.isOptimized && std::holds_alternative<Lattice>(stage.map))
      {
        m_LatticeSamples[s].resize(objective.GetNumberOfSamples());
      }
    }
  }

  void
  EvaluateChunk(std::size_t chunk, const std::function<bool(const Vector3 &)> & isInsideMask)
  {
    const std::size_t begin = chunk * ChunkSize;
    const std::size_t count = std::min(ChunkSize, m_Objective.GetNumberOfSamples() - begin);
    const auto &      stages = m_Chain.GetStages();

    std::vector<std::vector<Vector3>> points(stages.size() + 1, std::vector<Vector3>(count));
    for (std::size_t i = 0; i < count; ++i)
    {
      points[0][i] = m_Objective.GetPoint(begin + i);
    }
    m_Chain.Apply(points, count);
    std::vector<Vector3> & moved = points.back();
    for (std::size_t i = 0; i < count && isInsideMask; ++i)
    {
      if (!isInsideMask(moved[i]))
      {
        moved[i].fill(std::numeric_limits<double>::quiet_NaN()); // inside nothing
      }
    }
    DeformableSums &     sums = m_Chunks[chunk];
    std::vector<Vector3> gradients(m_WantDerivative ? count : 0);
    const Sums           values = m_Objective.EvaluateMovedChunk(chunk, moved.data(), gradients.data());
    sums.validPoints = values.validPoints;
    sums.value = values.value;
    sums.affine.resize(stages.size());
    if (m_WantDerivative)
    {
      this->GoBack(begin, points, gradients, sums);
    }
  }

  DeformableSums
  Finish(double * derivative, const ParallelFor & parallelFor) const
  {
    const auto &   stages = m_Chain.GetStages();
    DeformableSums sums;
    sums.affine.resize(stages.size());
    for (const DeformableSums & chunk : m_Chunks)
    {
      sums.validPoints += chunk.validPoints;
      sums.value += chunk.value;
      for (std::size_t s = 0; s < stages.size(); ++s)
      {
        sums.affine[s] += chunk.affine[s];
      }
    }
    for (std::size_t s = 0; s < stages.size(); ++s)
    {
      if (!m_LatticeSamples[s].empty())
      {
        std::get<Lattice>(stages[s].map)
          .AddDerivative(m_LatticeSamples[s], derivative + stages[s].firstParameter, parallelFor);
      }
    }
    return sums;
  }

private:
  /** From the derivative by the moving points to that by each optimised stage's parameters. */
  void
  GoBack(std::size_t                               begin,
         const std::vector<std::vector<Vector3>> & points,
         std::vector<Vector3> &                    gradients,
         DeformableSums &                          sums)
  {
    const auto & stages = m_Chain.GetStages();
    std::size_t  first = 0; // nothing before the first optimised stage is of use
    while (first < stages.size() && !stages[first].isOptimized)
    {
      ++first;
    }
    for (std::size_t s = stages.size(); s-- > first;)
    {
      const auto * lattice = std::get_if<Lattice>(&stages[s].map);
      for (std::size_t i = 0; i < gradients.size(); ++i)
      {
        const Vector3 & point = points[s][i];
        if (stages[s].isOptimized && lattice != nullptr)
        {
          m_LatticeSamples[s][begin + i] = lattice->MakeSample(point, gradients[i]);
        }
        else if (stages[s].isOptimized)
        {
          sums.affine[s].Add(gradients[i], point, m_Objective.GetCentre());
        }
        if (s > first)
        {
          gradients[i] = PullBack(stages[s], point, gradients[i]);
        }
      }
    }
  }

  const Objective &                         m_Objective;
  const TransformChain &                    m_Chain;
  bool                                      m_WantDerivative;
  std::vector<DeformableSums>               m_Chunks;
  std::vector<std::vector<Lattice::Sample>> m_LatticeSamples; ///< for each stage, a sample each; empty if not needed
};

} // namespace

DeformableSums
EvaluateDeformable(const Objective &                            objective,
                   const TransformChain &                       chain,
                   const std::function<bool(const Vector3 &)> & isInsideMask,
                   double *                                     derivative,
                   const ParallelFor &                          parallelFor)
{
  Evaluation evaluation(objective, chain, derivative != nullptr);
  parallelFor(objective.GetNumberOfChunks(), [&](std::size_t chunk) { evaluation.EvaluateChunk(chunk, isInsideMask); });
  return evaluation.Finish(derivative, parallelFor);
}

} // namespace disa
