// SPDX-License-Identifier: Apache-2.0
#ifndef itkDISASteadyGradientDescent_h
#define itkDISASteadyGradientDescent_h

#include "itkGradientDescentOptimizerv4.h"

namespace itk
{
namespace DISA
{

/** \brief Gradient descent that takes a step back where it was too long, if it estimates its learning rate once.
 *
 * ITK estimates a rate from the first gradient. A level that begins near its optimum has a small one, so its rate is
 * too large for the slopes around, and it runs away. Here a step after which the value is worse is taken back, and half
 * of it is tried, with half the learning rate from then on. Under local support ITK's own steps remain. */
class SteadyGradientDescent : public GradientDescentOptimizerv4Template<double>
{
public:
  ITK_DISALLOW_COPY_AND_MOVE(SteadyGradientDescent);

  using Self = SteadyGradientDescent;
  using Superclass = GradientDescentOptimizerv4Template<double>;
  using Pointer = SmartPointer<Self>;
  using ConstPointer = SmartPointer<const Self>;

  itkNewMacro(Self);

protected:
  SteadyGradientDescent() = default;
  ~SteadyGradientDescent() override = default;

  void
  AdvanceOneStep() override
  {
    if (this->m_DoEstimateLearningRateOnce && !this->m_Metric->HasLocalSupport())
    {
      if (this->m_CurrentIteration > 0 && this->m_CurrentMetricValue > m_LastValue)
      {
        this->m_Metric->SetParameters(m_LastPosition);
        this->m_Gradient = m_LastGradient;
        this->m_LearningRate *= 0.5;
      }
      else
      {
        m_LastValue = this->m_CurrentMetricValue;
        m_LastPosition = this->m_Metric->GetParameters();
        m_LastGradient = this->m_Gradient;
      }
    }
    Superclass::AdvanceOneStep();
  }

private:
  MeasureType    m_LastValue{ 0.0 }; ///< where the last step began that did not have to be taken back
  ParametersType m_LastPosition{};
  DerivativeType m_LastGradient{};
};

} // namespace DISA
} // namespace itk

#endif
