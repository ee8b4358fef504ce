// SPDX-License-Identifier: Apache-2.0
#ifndef itkDISARegistrationOptimizer_h
#define itkDISARegistrationOptimizer_h

#include "itkDISARegistrationSettings.h"

#include "itkObjectToObjectOptimizerBase.h"
#include "itkTransformBase.h"

#include <functional>

namespace itk
{
namespace DISA
{

/** \brief An optimiser and what its class alone can say of it. */
struct RegistrationOptimizer
{
  ObjectToObjectOptimizerBaseTemplate<double>::Pointer optimizer{};
  std::function<double()>                              value{};
  std::function<double()>                              learningRate{ [] { return 0.0; } };
  std::function<double()>                              convergenceValue{ [] { return 0.0; } };
  std::function<void()>                                stop{};       ///< empty if it cannot be stopped
  std::function<double()>                              bestValue{};  ///< empty if it ends where it is
  std::function<void(TransformBase &)>                 moveToBest{}; ///< empty if it ends where it is
};

/** \brief An optimiser of ITK, set up as SimpleITK does. Throws RegistrationError if there is none of that name or its
 *  numbers are not those it takes.
 *  \param numberOfParameters of the transform, for optimisers whose settings have one number each.
 *  \param isSteady gradient descent takes back a step that was too long, which ITK's does not. */
RegistrationOptimizer MakeOptimizer(const OptimizerSettings & settings,
                                    SizeValueType             numberOfParameters,
                                    bool                      isSteady);

} // namespace DISA
} // namespace itk

#endif
