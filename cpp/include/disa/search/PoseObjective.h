// SPDX-License-Identifier: Apache-2.0
#ifndef disa_search_PoseObjective_h
#define disa_search_PoseObjective_h

#include "disa/metric/Objective.h"
#include "disa/search/PoseModel.h"

#include <cstdint>
#include <vector>

namespace disa
{

/** \brief Weighted centre of a volume's cells and their weighted root mean square distance from it, mm. */
struct Extent
{
  Vector3 centre{};
  double  radius = 0.0;
};

/** \brief Extent of a volume. Throws RegistrationError if no cell has a weight. */
Extent ExtentOf(const FeatureVolume & features);

/** \brief One direction of the objective: weighted samples of one image, read in the other. */
struct Term
{
  const FeatureVolume & samples;
  const FeatureVolume & field;
  double                share = 1.0; ///< of the sampled image's weight that `samples` hold; their total over it is W
};

/** \brief The two-sided objective as a function of a pose's parameters, with its derivative; the lower the better.
 *
 * f(T) = (f_fixed(T) + f_moving(T^-1)) / 2, each Eq. 2 of the paper over the samples of one image; docs/concepts.md. */
class PoseObjective
{
public:
  /** \param forward  fixed samples, read in the moving image.
   *  \param backward moving samples, read in the fixed image; null: forward alone.
   *  \param samples  that are drawn, half of them for each term, see SampleCells; 0: all.
   *  Throws RegistrationError if two volumes are not of one kind. */
  PoseObjective(const PoseModel & model,
                const Term &      forward,
                const Term *      backward,
                std::size_t       samples,
                std::uint64_t     seed);

  /** \brief Value, between -1 and 1.
   *  \param gradient by the parameters, of their number; null: value only. */
  double Evaluate(const std::vector<double> & parameters, std::vector<double> * gradient) const;

private:
  /** What a term adds up to, the gradient by the moving point. */
  struct TermSums
  {
    Sums    sums;
    Vector3 centre{}; ///< of the moments, where the affine part takes it from
    double  pressure[2]{};
  };

  TermSums EvaluateAffine(const AffineMap & map, bool wantGradient) const;
  TermSums EvaluateInverse(const AffineMap & map, bool wantGradient) const;

  /** The same where a probe pushes before. */
  TermSums EvaluatePressed(const AffineMap & map, const ProbePush & push, bool wantGradient) const;
  TermSums EvaluateInversePressed(const AffineMap & map, const ProbePush & push, bool wantGradient) const;

  void AddGradient(const std::vector<AffineMap> & derivatives,
                   const TermSums &               term,
                   std::vector<double> &          gradient) const;

  const PoseModel &                  m_Model;
  Objective                          m_Forward;
  Objective                          m_Backward;
  bool                               m_IsTwoSided;
  std::vector<std::array<double, 2>> m_PressureFactors; ///< one a fixed sample, if the model has probe pressure
};

} // namespace disa

#endif
