// SPDX-License-Identifier: Apache-2.0
#ifndef itkDISARegistrationEngine_h
#define itkDISARegistrationEngine_h

#include "itkDISARegistrationMetric.h"
#include "itkDISARegistrationOptimizer.h"

#include "itkImageRegistrationMethodv4.h"

namespace itk
{
namespace DISA
{

/** \brief One registration by ITK's ImageRegistrationMethodv4, set up in every respect as SimpleITK sets it up.
 *
 * Observers of iterations and of any event watch the optimiser, others the registration, as in SimpleITK. Getters
 * answer while it runs, to observers too. */
class RegistrationEngine
{
public:
  /** Throws DISAError in one line if the settings do not fit each other. */
  explicit RegistrationEngine(RegistrationSettings settings);

  RegistrationEngine(const RegistrationEngine &) = delete;
  RegistrationEngine & operator=(const RegistrationEngine &) = delete;

  /** \brief Observe an event by its name in SimpleITK (Any, Abort, Delete, End, Iteration, MultiResolutionIteration,
   *  Progress, Start, User). */
  void AddObserver(const std::string & event, const std::function<void()> & function);
  void RemoveAllObservers();

  /** \brief Register. Leaves by whatever an observer throws, or by an exception of ITK.
   *  \param checkpoint called at each iteration; may throw to end the run. */
  void Run(const std::function<void()> & checkpoint);

  /** \brief The metric's value under the initial transforms, without any optimisation. */
  double Evaluate();

  /** \brief End at the present iteration, as if converged. False if the optimiser cannot. */
  bool Stop();

  /** \brief End at the next iteration by an AbortEvent and ITK's ProcessAborted. */
  void Abort();

  /** \brief The transform that is optimised, as it is now. */
  TransformDescription GetTransform() const;

  unsigned int        GetCurrentLevel() const;
  unsigned int        GetIteration() const;
  std::vector<double> GetPosition() const;
  std::vector<double> GetScales() const;
  double              GetMetricValue() const;
  double              GetLearningRate() const;
  double              GetConvergenceValue() const;
  SizeValueType       GetNumberOfValidPoints() const;
  float               GetProgress() const;
  std::string         GetStopConditionDescription() const;
  std::string         Print() const;

private:
  using TransformType = Transform<double, 3, 3>;
  using RegistrationType = ImageRegistrationMethodv4<RegistrationImageType, RegistrationImageType>;
  using ScalesEstimatorType = OptimizerParameterScalesEstimatorTemplate<double>;

  void SetUpMetric();
  void SetUpLevels();
  void SetUpSampling();
  void SetUpOptimizer();

  /** Null if the scales are given. */
  ScalesEstimatorType::Pointer MakeScalesEstimator() const;

  RegistrationSettings                            m_Settings;
  RegistrationImageType::Pointer                  m_FixedImage;
  RegistrationImageType::Pointer                  m_MovingImage;
  TransformType::Pointer                          m_Transform;
  TransformType::Pointer                          m_FixedInitialTransform;
  TransformType::Pointer                          m_MovingInitialTransform;
  RegistrationOptimizer                           m_Optimizer;
  RegistrationType::Pointer                       m_Registration;
  RegistrationMetricType::Pointer                 m_Metric;
  std::vector<std::pair<Object *, unsigned long>> m_Observers;
};

} // namespace DISA
} // namespace itk

#endif
