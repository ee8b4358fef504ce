// SPDX-License-Identifier: Apache-2.0
#ifndef disa_search_PoseObjective_h
#define disa_search_PoseObjective_h

#include "disa/metric/Objective.h"
#include "disa/search/PoseModel.h"

#include <cstdint>
#include <vector>

namespace disa
{

/** \brief Some cells of a volume that stand for all. */
struct WeightedSample
{
  std::vector<std::size_t> cells;   ///< numbers in memory order
  std::vector<float>       weights; ///< of each
};

/** \brief Cells drawn in proportion to their weight, spread over the volume.
 *
 * Systematic sampling along memory order. Cells heavy enough to be drawn for certain keep their own weight, the others
 * share one, so that sums over the sample estimate those over all cells without bias.
 * \param count wanted; all cells of a weight above 0 if there are no more, with their own weights.
 * \param seed  of the one random number that it takes. */
WeightedSample SampleCells(const std::vector<float> & weights, std::size_t count, std::uint64_t seed);

/** \brief Weighted centre of a volume's cells and their weighted root mean square distance from it, mm. */
struct Extent
{
  Vector3 centre{};
  double  radius = 0.0;
};

/** \brief Extent of a volume. Throws RegistrationError if no cell has a weight. */
Extent ExtentOf(const FeatureVolume & features);

/** \brief Eq. 2 of the paper as a function of a pose's parameters, with its derivative; the lower the better. */
class PoseObjective
{
public:
  /** \param samples fixed cells that are drawn, see SampleCells; 0: all.
   *  Throws RegistrationError if the two volumes are not of one kind. */
  PoseObjective(const PoseModel &     model,
                const FeatureVolume & fixed,
                const FeatureVolume & moving,
                std::size_t           samples,
                std::uint64_t         seed);

  /** \brief Value, between -1 and 1.
   *  \param gradient by the parameters, of their number; null: value only. */
  double Evaluate(const std::vector<double> & parameters, std::vector<double> * gradient) const;

private:
  Sums EvaluateAffine(const AffineMap & map, bool wantGradient) const;

  /** Also adds up the derivatives by p1 and p2. */
  Sums EvaluatePressed(const std::vector<double> & parameters, bool wantGradient, double (&pressureGradient)[2]) const;

  const PoseModel &                  m_Model;
  Objective                          m_Objective;
  std::vector<std::array<double, 2>> m_PressureFactors; ///< one a sample, if the model has probe pressure
};

} // namespace disa

#endif
