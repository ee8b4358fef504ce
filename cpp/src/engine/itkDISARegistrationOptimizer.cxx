// SPDX-License-Identifier: Apache-2.0
#include "itkDISARegistrationOptimizer.h"

#include "disa/core/Choice.h"
#include "itkDISAError.h"
#include "itkDISANamedValues.h"
#include "itkDISASteadyGradientDescent.h"

#include "itkAmoebaOptimizerv4.h"
#include "itkConjugateGradientLineSearchOptimizerv4.h"
#include "itkExhaustiveOptimizerv4.h"
#include "itkGradientDescentLineSearchOptimizerv4.h"
#include "itkGradientDescentOptimizerv4.h"
#include "itkLBFGS2Optimizerv4.h"
#include "itkLBFGSBOptimizerv4.h"
#include "itkNormalVariateGenerator.h"
#include "itkOnePlusOneEvolutionaryOptimizerv4.h"
#include "itkPowellOptimizerv4.h"
#include "itkRegularStepGradientDescentOptimizerv4.h"

#include <ctime>
#include <limits>

namespace itk
{
namespace DISA
{
namespace
{

/** SimpleITK's EstimateLearningRateType. */
enum EstimateLearningRate
{
  Never,
  Once,
  EachIteration
};

/** Settings and getters that all gradient descents share. */
template <typename TOptimizer>
RegistrationOptimizer
MakeDescent(const SmartPointer<TOptimizer> & optimizer, NamedNumbers & numbers)
{
  const double estimate = numbers.at("estimateLearningRate");
  if (estimate != Never && estimate != Once && estimate != EachIteration)
  {
    throw disa::RegistrationError(
      "estimateLearningRate: expected one of 0 (never), 1 (once), 2 (each iteration), got " + std::to_string(estimate));
  }
  optimizer->SetLearningRate(numbers.at("learningRate"));
  optimizer->SetNumberOfIterations(static_cast<SizeValueType>(numbers.at("numberOfIterations")));
  optimizer->SetDoEstimateLearningRateAtEachIteration(estimate == EachIteration);
  optimizer->SetDoEstimateLearningRateOnce(estimate == Once);
  optimizer->SetMaximumStepSizeInPhysicalUnits(numbers.at("maximumStepSizeInPhysicalUnits"));
  TOptimizer *          pointer = optimizer.GetPointer();
  RegistrationOptimizer result;
  result.optimizer = pointer;
  result.value = [pointer] { return pointer->GetCurrentMetricValue(); };
  result.learningRate = [pointer] { return pointer->GetLearningRate(); };
  result.convergenceValue = [pointer] { return pointer->GetConvergenceValue(); };
  result.stop = [pointer] { pointer->StopOptimization(); };
  return result;
}

template <typename TOptimizer>
void
SetConvergence(TOptimizer & optimizer, NamedNumbers & numbers)
{
  optimizer.SetMinimumConvergenceValue(numbers.at("convergenceMinimumValue"));
  optimizer.SetConvergenceWindowSize(static_cast<SizeValueType>(numbers.at("convergenceWindowSize")));
}

template <typename TOptimizer>
RegistrationOptimizer
MakeLineSearch(NamedNumbers & numbers)
{
  const auto optimizer = TOptimizer::New();
  SetConvergence(*optimizer, numbers);
  optimizer->SetLowerLimit(numbers.at("lineSearchLowerLimit"));
  optimizer->SetUpperLimit(numbers.at("lineSearchUpperLimit"));
  optimizer->SetEpsilon(numbers.at("lineSearchEpsilon"));
  optimizer->SetMaximumLineSearchIterations(static_cast<SizeValueType>(numbers.at("lineSearchMaximumIterations")));
  return MakeDescent(optimizer, numbers);
}

template <typename TOptimizer>
RegistrationOptimizer
MakeGradientDescent(NamedNumbers & numbers)
{
  const auto optimizer = TOptimizer::New();
  SetConvergence(*optimizer, numbers);
  return MakeDescent(optimizer, numbers);
}

RegistrationOptimizer
MakeRegularStep(NamedNumbers & numbers)
{
  const auto optimizer = RegularStepGradientDescentOptimizerv4<double>::New();
  optimizer->SetMinimumStepLength(numbers.at("minStep"));
  optimizer->SetRelaxationFactor(numbers.at("relaxationFactor"));
  optimizer->SetGradientMagnitudeTolerance(numbers.at("gradientMagnitudeTolerance"));
  return MakeDescent(optimizer, numbers);
}

/** An optimiser that says no more of itself than its base class. */
template <typename TOptimizer>
RegistrationOptimizer
Wrap(const SmartPointer<TOptimizer> & optimizer)
{
  TOptimizer *          pointer = optimizer.GetPointer();
  RegistrationOptimizer result;
  result.optimizer = pointer;
  result.value = [pointer] { return pointer->GetValue(); };
  return result;
}

RegistrationOptimizer
MakeLBFGSB(NamedNumbers & numbers, SizeValueType numberOfParameters)
{
  const auto optimizer = LBFGSBOptimizerv4::New();
  optimizer->SetGradientConvergenceTolerance(numbers.at("gradientConvergenceTolerance"));
  optimizer->SetNumberOfIterations(static_cast<SizeValueType>(numbers.at("numberOfIterations")));
  optimizer->SetMaximumNumberOfCorrections(static_cast<unsigned int>(numbers.at("maximumNumberOfCorrections")));
  optimizer->SetMaximumNumberOfFunctionEvaluations(
    static_cast<unsigned int>(numbers.at("maximumNumberOfFunctionEvaluations")));
  optimizer->SetCostFunctionConvergenceFactor(numbers.at("costFunctionConvergenceFactor"));
  // SimpleITK's defaults, the least and the greatest double, stand for no bound.
  const double lower = numbers.at("lowerBound");
  const double upper = numbers.at("upperBound");
  const bool   hasLower = lower != std::numeric_limits<double>::min();
  const bool   hasUpper = upper != std::numeric_limits<double>::max();

  LBFGSBOptimizerv4::BoundSelectionType selection(numberOfParameters);
  LBFGSBOptimizerv4::BoundValueType     bound(numberOfParameters);
  selection.Fill(hasLower && hasUpper ? LBFGSBOptimizerv4::BOTHBOUNDED
                 : hasLower           ? LBFGSBOptimizerv4::LOWERBOUNDED
                 : hasUpper           ? LBFGSBOptimizerv4::UPPERBOUNDED
                                      : LBFGSBOptimizerv4::UNBOUNDED);
  optimizer->SetBoundSelection(selection);
  bound.Fill(lower);
  optimizer->SetLowerBound(bound);
  bound.Fill(upper);
  optimizer->SetUpperBound(bound);
  optimizer->SetTrace(numbers.at("trace") != 0.0);
  return Wrap(optimizer);
}

RegistrationOptimizer
MakeLBFGS2(NamedNumbers & numbers)
{
  const auto optimizer = LBFGS2Optimizerv4Template<double>::New();
  optimizer->SetSolutionAccuracy(numbers.at("solutionAccuracy"));
  optimizer->SetNumberOfIterations(static_cast<SizeValueType>(numbers.at("numberOfIterations")));
  optimizer->SetHessianApproximationAccuracy(static_cast<int>(numbers.at("hessianApproximateAccuracy")));
  optimizer->SetDeltaConvergenceDistance(static_cast<int>(numbers.at("deltaConvergenceDistance")));
  optimizer->SetDeltaConvergenceTolerance(numbers.at("deltaConvergenceTolerance"));
  optimizer->SetMaximumLineSearchEvaluations(static_cast<int>(numbers.at("lineSearchMaximumEvaluations")));
  optimizer->SetMinimumLineSearchStep(numbers.at("lineSearchMinimumStep"));
  optimizer->SetMaximumLineSearchStep(numbers.at("lineSearchMaximumStep"));
  optimizer->SetLineSearchAccuracy(numbers.at("lineSearchAccuracy"));
  return Wrap(optimizer);
}

RegistrationOptimizer
MakeExhaustive(const std::vector<unsigned int> & numberOfSteps, NamedNumbers & numbers)
{
  using OptimizerType = ExhaustiveOptimizerv4<double>;
  const auto               optimizer = OptimizerType::New();
  OptimizerType::StepsType steps(numberOfSteps.size());
  std::copy(numberOfSteps.begin(), numberOfSteps.end(), steps.begin());
  optimizer->SetStepLength(numbers.at("stepLength"));
  optimizer->SetNumberOfSteps(steps);
  OptimizerType *       pointer = optimizer.GetPointer();
  RegistrationOptimizer result;
  result.optimizer = pointer;
  result.value = [pointer] { return pointer->GetCurrentValue(); };
  result.stop = [pointer] { pointer->StopWalking(); };
  result.bestValue = [pointer] { return pointer->GetMinimumMetricValue(); };
  result.moveToBest = [pointer](TransformBase & transform)
  { transform.SetParameters(pointer->GetMinimumMetricValuePosition()); };
  return result;
}

RegistrationOptimizer
MakeAmoeba(NamedNumbers & numbers, SizeValueType numberOfParameters)
{
  const auto                        optimizer = AmoebaOptimizerv4::New();
  AmoebaOptimizerv4::ParametersType delta(numberOfParameters);
  delta.Fill(numbers.at("simplexDelta"));
  optimizer->SetInitialSimplexDelta(delta);
  optimizer->SetNumberOfIterations(static_cast<SizeValueType>(numbers.at("numberOfIterations")));
  optimizer->SetParametersConvergenceTolerance(numbers.at("parametersConvergenceTolerance"));
  optimizer->SetFunctionConvergenceTolerance(numbers.at("functionConvergenceTolerance"));
  optimizer->SetOptimizeWithRestarts(numbers.at("withRestarts") != 0.0);
  return Wrap(optimizer);
}

RegistrationOptimizer
MakePowell(NamedNumbers & numbers)
{
  const auto optimizer = PowellOptimizerv4<double>::New();
  optimizer->SetMaximumIteration(static_cast<unsigned int>(numbers.at("numberOfIterations")));
  optimizer->SetMaximumLineIteration(static_cast<unsigned int>(numbers.at("maximumLineIterations")));
  optimizer->SetStepLength(numbers.at("stepLength"));
  optimizer->SetStepTolerance(numbers.at("stepTolerance"));
  optimizer->SetValueTolerance(numbers.at("valueTolerance"));
  RegistrationOptimizer result = Wrap(optimizer);
  result.stop = [pointer = optimizer.GetPointer()] { pointer->StopOptimization(); };
  return result;
}

RegistrationOptimizer
MakeOnePlusOne(NamedNumbers & numbers)
{
  const auto optimizer = OnePlusOneEvolutionaryOptimizerv4<double>::New();
  optimizer->SetMaximumIteration(static_cast<unsigned int>(numbers.at("numberOfIterations")));
  optimizer->SetEpsilon(numbers.at("epsilon"));
  optimizer->Initialize(numbers.at("initialRadius"), numbers.at("growthFactor"), numbers.at("shrinkFactor"));
  const auto generator = Statistics::NormalVariateGenerator::New();
  const int  seed = static_cast<int>(static_cast<unsigned int>(numbers.at("seed")));
  generator->Initialize(seed == 0 ? static_cast<int>(std::time(nullptr) ^ std::clock()) : seed);
  optimizer->SetNormalVariateGenerator(generator);
  RegistrationOptimizer result = Wrap(optimizer);
  result.stop = [pointer = optimizer.GetPointer()] { pointer->StopOptimization(); };
  result.convergenceValue = [pointer = optimizer.GetPointer()] { return pointer->GetFrobeniusNorm(); };
  return result;
}

} // namespace

RegistrationOptimizer
MakeOptimizer(const OptimizerSettings & settings, SizeValueType numberOfParameters, bool isSteady)
{
  using Maker = std::function<RegistrationOptimizer(NamedNumbers &)>;
  if (settings.name.empty())
  {
    throw DISAError("no optimiser is set; call one of the SetOptimizerAs methods");
  }
  const std::map<std::string, Maker> makers{
    { "GradientDescent",
      isSteady ? MakeGradientDescent<SteadyGradientDescent>
               : MakeGradientDescent<GradientDescentOptimizerv4Template<double>> },
    { "GradientDescentLineSearch", MakeLineSearch<GradientDescentLineSearchOptimizerv4Template<double>> },
    { "ConjugateGradientLineSearch", MakeLineSearch<ConjugateGradientLineSearchOptimizerv4Template<double>> },
    { "RegularStepGradientDescent", MakeRegularStep },
    { "LBFGSB", [&](NamedNumbers & numbers) { return MakeLBFGSB(numbers, numberOfParameters); } },
    { "LBFGS2", MakeLBFGS2 },
    { "Exhaustive", [&](NamedNumbers & numbers) { return MakeExhaustive(settings.numberOfSteps, numbers); } },
    { "Amoeba", [&](NamedNumbers & numbers) { return MakeAmoeba(numbers, numberOfParameters); } },
    { "Powell", MakePowell },
    { "OnePlusOneEvolutionary", MakeOnePlusOne },
  };
  const Maker &               make = disa::Choose("optimizer", makers, settings.name);
  NamedNumbers                numbers(settings.numbers, "optimizer " + settings.name);
  const RegistrationOptimizer optimizer = make(numbers);
  numbers.CheckAllRead();
  return optimizer;
}

} // namespace DISA
} // namespace itk
