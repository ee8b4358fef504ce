// SPDX-License-Identifier: Apache-2.0
#include "itkDISATransformDescription.h"

#include "disa/core/Choice.h"
#include "itkDISANamedValues.h"
#include "itkDISASmoothedField.h"

#include "itkAffineTransform.h"
#include "itkBSplineSmoothingOnUpdateDisplacementFieldTransform.h"
#include "itkBSplineTransform.h"
#include "itkComposeScaleSkewVersor3DTransform.h"
#include "itkCompositeTransform.h"
#include "itkEuler3DTransform.h"
#include "itkIdentityTransform.h"
#include "itkQuaternionRigidTransform.h"
#include "itkScaleLogarithmicTransform.h"
#include "itkScaleSkewVersor3DTransform.h"
#include "itkScaleTransform.h"
#include "itkScaleVersor3DTransform.h"
#include "itkSimilarity3DTransform.h"
#include "itkTranslationTransform.h"
#include "itkVersorRigid3DTransform.h"
#include "itkVersorTransform.h"

#include <functional>

namespace itk
{
namespace DISA
{
namespace
{

using TransformType = Transform<double, 3, 3>;
using CompositeType = CompositeTransform<double, 3>;
using SplineFieldType = BSplineSmoothingOnUpdateDisplacementFieldTransform<double, 3>;

template <typename TTransform>
TransformType::Pointer
New()
{
  return TTransform::New().GetPointer();
}

TransformType::Pointer
NewByName(const std::string & name)
{
  static const std::map<std::string, std::function<TransformType::Pointer()>> makers{
    { "IdentityTransform", New<IdentityTransform<double, 3>> },
    { "TranslationTransform", New<TranslationTransform<double, 3>> },
    { "ScaleTransform", New<ScaleTransform<double, 3>> },
    { "ScaleLogarithmicTransform", New<ScaleLogarithmicTransform<double, 3>> },
    { "Euler3DTransform", New<Euler3DTransform<double>> },
    { "Similarity3DTransform", New<Similarity3DTransform<double>> },
    { "QuaternionRigidTransform", New<QuaternionRigidTransform<double>> },
    { "VersorTransform", New<VersorTransform<double>> },
    { "VersorRigid3DTransform", New<VersorRigid3DTransform<double>> },
    { "ScaleVersor3DTransform", New<ScaleVersor3DTransform<double>> },
    { "ScaleSkewVersor3DTransform", New<ScaleSkewVersor3DTransform<double>> },
    { "ComposeScaleSkewVersor3DTransform", New<ComposeScaleSkewVersor3DTransform<double>> },
    { "AffineTransform", New<AffineTransform<double, 3>> },
    { "BSplineTransform", New<BSplineTransform<double, 3, 3>> },
    { "DisplacementFieldTransform", New<DisplacementFieldTransform<double, 3>> },
    { "GaussianSmoothingOnUpdateDisplacementFieldTransform", New<SmoothedField> },
    { "BSplineSmoothingOnUpdateDisplacementFieldTransform", New<SplineFieldType> },
    { "CompositeTransform", New<CompositeType> },
  };
  return disa::Choose("transform", makers, name)();
}

void
SetOptions(TransformType & transform, const TransformDescription & description)
{
  NamedValues<std::vector<double>> options(description.options, "transform " + description.name);
  const auto                       numbersOf = [&](const char * name, std::size_t count)
  {
    const std::vector<double> & numbers = options.at(name);
    if (numbers.size() != count)
    {
      throw disa::RegistrationError("transform " + description.name + ": expected " + std::to_string(count) +
                                    " numbers as \"" + name + "\", got " + std::to_string(numbers.size()));
    }
    return numbers;
  };
  if (auto * gaussian = dynamic_cast<SmoothedField *>(&transform))
  {
    gaussian->SetGaussianSmoothingVarianceForTheUpdateField(numbersOf("varianceForUpdateField", 1)[0]);
    gaussian->SetGaussianSmoothingVarianceForTheTotalField(numbersOf("varianceForTotalField", 1)[0]);
  }
  else if (auto * spline = dynamic_cast<SplineFieldType *>(&transform))
  {
    const auto toArray = [&](const char * name)
    {
      const std::vector<double>  given = numbersOf(name, 3);
      SplineFieldType::ArrayType numbers;
      for (unsigned int i = 0; i < 3; ++i)
      {
        numbers[i] = static_cast<unsigned int>(given[i]);
      }
      return numbers;
    };
    spline->SetSplineOrder(static_cast<unsigned int>(numbersOf("order", 1)[0]));
    spline->SetEnforceStationaryBoundary(numbersOf("enforceStationaryBoundary", 1)[0] != 0.0);
    spline->SetNumberOfControlPointsForTheUpdateField(toArray("numberOfControlPointsForUpdateField"));
    spline->SetNumberOfControlPointsForTheTotalField(toArray("numberOfControlPointsForTotalField"));
  }
  options.CheckAllRead();
}

template <typename TArray>
TArray
ToArray(const std::vector<double> & from)
{
  TArray array(from.size());
  std::copy(from.begin(), from.end(), array.begin());
  return array;
}

} // namespace

TransformType::Pointer
MakeTransform(const TransformDescription & description)
{
  const TransformType::Pointer transform = NewByName(description.name);
  if (auto * composite = dynamic_cast<CompositeType *>(transform.GetPointer()))
  {
    for (const TransformDescription & part : description.parts)
    {
      composite->AddTransform(MakeTransform(part));
    }
    composite->SetOnlyMostRecentTransformToOptimizeOn();
    return transform;
  }
  transform->SetFixedParameters(ToArray<TransformType::FixedParametersType>(description.fixedParameters));
  transform->SetParametersByValue(ToArray<TransformType::ParametersType>(description.parameters));
  SetOptions(*transform, description);
  return transform;
}

TransformDescription
DescribeTransform(const TransformType & transform)
{
  TransformDescription description;
  description.name = transform.GetNameOfClass();
  if (const auto * composite = dynamic_cast<const CompositeType *>(&transform))
  {
    for (SizeValueType n = 0; n < composite->GetNumberOfTransforms(); ++n)
    {
      description.parts.push_back(DescribeTransform(*composite->GetNthTransformConstPointer(n)));
    }
    return description;
  }
  const auto & fixed = transform.GetFixedParameters();
  const auto & parameters = transform.GetParameters();
  description.fixedParameters.assign(fixed.begin(), fixed.end());
  description.parameters.assign(parameters.begin(), parameters.end());
  return description;
}

} // namespace DISA
} // namespace itk
