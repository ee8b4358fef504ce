// SPDX-License-Identifier: Apache-2.0
#ifndef itkDISATransformChain_h
#define itkDISATransformChain_h

#include "disa/metric/ChainEvaluation.h"
#include "itkDISAError.h"
#include "itkDISAGeometry.h"
#include "itkProbePressureTransform.h"

#include "itkAzimuthElevationToCartesianTransform.h"
#include "itkBSplineTransform.h"
#include "itkCompositeTransform.h"
#include "itkDisplacementFieldTransform.h"
#include "itkVectorLinearInterpolateImageFunction.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <variant>
#include <vector>

namespace itk
{
namespace DISA
{

using TransformType = Transform<double, 3, 3>;

/** \brief The stages of a transform and, for each, the transform that it stands for. */
struct TransformStages
{
  std::vector<disa::Stage>           stages;
  std::vector<const TransformType *> transforms;
  std::size_t                        numberOfParameters = 0;
};

/** A linear transform's map. Throws DISAError if it cannot be inverted. */
inline disa::AffineMap
ToInvertibleMap(const TransformType & transform)
{
  const disa::AffineMap map = ToAffineMap(transform);
  if (!disa::IsInvertible(map))
  {
    throw DISAError("DISAImageToImageMetricv4 needs an invertible transform; its matrix has determinant " +
                    std::to_string(disa::Determinant(map.matrix)));
  }
  return map;
}

inline disa::DisplacementMap
ToDisplacementMap(const BSplineTransform<double, 3, 3> & transform)
{
  // ITK's order: size, origin, spacing, direction.
  const auto & fixed = transform.GetFixedParameters();
  disa::Frame  nodes;
  for (unsigned int i = 0; i < 3; ++i)
  {
    nodes.size[i] = static_cast<std::size_t>(fixed[i]);
    nodes.origin[i] = fixed[3 + i];
    nodes.spacing[i] = fixed[6 + i];
  }
  std::copy_n(fixed.data_block() + 9, 9, nodes.direction.begin());
  return { disa::DisplacementMap::Kind::CubicBSpline, nodes, transform.GetParameters().data_block() };
}

inline disa::DisplacementMap
ToDisplacementMap(const DisplacementFieldTransform<double, 3> & transform)
{
  using FieldType = DisplacementFieldTransform<double, 3>::DisplacementFieldType;
  const FieldType * field = transform.GetDisplacementField();
  if (field == nullptr || field->GetBufferPointer() == nullptr)
  {
    throw DISAError(
      std::string("the transform ") + transform.GetNameOfClass() +
      " has no displacement field; call SetDisplacementField or, of a velocity field, IntegrateVelocityField");
  }
  if (dynamic_cast<const VectorLinearInterpolateImageFunction<FieldType, double> *>(transform.GetInterpolator()) ==
      nullptr)
  {
    throw DISAError("DISAImageToImageMetricv4 takes displacement fields with the default linear interpolator only");
  }
  return { disa::DisplacementMap::Kind::DisplacementField,
           ToFrame(*field),
           field->GetBufferPointer()->GetDataPointer() };
}

/** Append a transform's stages in the order of application. Throws DISAError in one line if it cannot be used. */
inline void
AppendStages(const TransformType & transform, bool isOptimized, TransformStages & to)
{
  using CompositeType = CompositeTransform<double, 3>;
  if (const auto * composite = dynamic_cast<const CompositeType *>(&transform))
  {
    for (SizeValueType n = composite->GetNumberOfTransforms(); n-- > 0;)
    {
      AppendStages(
        *composite->GetNthTransformConstPointer(n), isOptimized && composite->GetNthTransformToOptimize(n), to);
    }
    return;
  }
  const auto append = [&](auto map, const TransformType & part, std::size_t offset)
  {
    to.stages.push_back({ map, isOptimized, to.numberOfParameters + offset });
    to.transforms.push_back(&part);
  };
  // One of ITK's transforms says that it is linear and is not.
  const bool isAngular = dynamic_cast<const AzimuthElevationToCartesianTransform<double, 3> *>(&transform) != nullptr;
  if (transform.IsLinear() && !isAngular)
  {
    append(ToInvertibleMap(transform), transform, 0);
  }
  else if (const auto * spline = dynamic_cast<const BSplineTransform<double, 3, 3> *>(&transform))
  {
    append(ToDisplacementMap(*spline), transform, 0);
  }
  else if (const auto * field = dynamic_cast<const DisplacementFieldTransform<double, 3> *>(&transform))
  {
    const disa::DisplacementMap map = ToDisplacementMap(*field);
    if (isOptimized &&
        field->GetNumberOfParameters() != 3 * field->GetDisplacementField()->GetBufferedRegion().GetNumberOfPixels())
    {
      throw DISAError(std::string("DISAImageToImageMetricv4 cannot optimise a ") + transform.GetNameOfClass() +
                      ": its parameters are not its displacement field; use a displacement field transform");
    }
    append(map, transform, 0);
  }
  else if (const auto * pressed = dynamic_cast<const ProbePressureTransform<double> *>(&transform))
  {
    const TransformType & rigid = *pressed->GetRigidTransform();
    append(pressed->GetPush(), transform, rigid.GetNumberOfParameters());
    append(ToInvertibleMap(rigid), rigid, 0);
  }
  else
  {
    throw DISAError("DISAImageToImageMetricv4 takes linear, cubic B-spline, displacement field and probe pressure "
                    "transforms and composites of them, got a " +
                    transform.GetTransformTypeAsString());
  }
  to.numberOfParameters += isOptimized ? transform.GetNumberOfParameters() : 0;
}

inline TransformStages
ToStages(const TransformType & transform)
{
  TransformStages result;
  AppendStages(transform, true, result);
  return result;
}

/** Throws DISAError where a displacement is NaN or infinite; linear parts are checked as they become stages. */
inline void
CheckDisplacements(const TransformStages & stages)
{
  for (std::size_t s = 0; s < stages.stages.size(); ++s)
  {
    const auto * map = std::get_if<disa::DisplacementMap>(&stages.stages[s].map);
    if (map == nullptr)
    {
      continue;
    }
    const disa::DisplacementNodes & nodes = map->GetNodes();
    const std::size_t               count = 3 * nodes.size[0] * nodes.size[1] * nodes.size[2];
    if (!std::all_of(nodes.displacements, nodes.displacements + count, [](double mm) { return std::isfinite(mm); }))
    {
      throw DISAError(std::string("the transform ") + stages.transforms[s]->GetNameOfClass() +
                      " has NaN or infinity among its parameters; expected finite ones");
    }
  }
}

/** \brief Derivative by a linear transform's parameters of where it takes a point, in ITK's layout.
 *
 * ITK 5.4 has this wrong for four transforms, whose Jacobians leave out a part of what a centre or a versor does; for
 * them it is taken from differences between transforms whose parameters are a little more and less. */
class LinearJacobian
{
public:
  using JacobianType = TransformType::JacobianType;
  using PointType = TransformType::InputPointType;

  explicit LinearJacobian(const TransformType & transform)
    : m_Transform(transform)
  {
    const std::string name = transform.GetNameOfClass();
    if (name != "CenteredAffineTransform" && name != "CenteredEuler3DTransform" &&
        name != "ComposeScaleSkewVersor3DTransform" && name != "ScaleLogarithmicTransform")
    {
      return;
    }
    for (unsigned int k = 0; k < transform.GetNumberOfParameters(); ++k)
    {
      for (const double step : { Step, -Step })
      {
        const auto stepped = transform.Clone();
        auto       parameters = transform.GetParameters();
        parameters[k] += step;
        stepped->SetParameters(parameters);
        m_Stepped.push_back(ToAffineMap(*stepped));
      }
    }
  }

  void
  At(const disa::Vector3 & point, JacobianType & jacobian) const
  {
    if (m_Stepped.empty())
    {
      m_Transform.ComputeJacobianWithRespectToParameters(ToPoint<PointType>(point), jacobian);
      return;
    }
    jacobian.SetSize(3, static_cast<unsigned int>(m_Stepped.size() / 2));
    for (unsigned int k = 0; k < jacobian.cols(); ++k)
    {
      const disa::Vector3 more = m_Stepped[2 * k](point);
      const disa::Vector3 less = m_Stepped[2 * k + 1](point);
      for (unsigned int i = 0; i < 3; ++i)
      {
        jacobian(i, k) = (more[i] - less[i]) / (2.0 * Step);
      }
    }
  }

private:
  static constexpr double Step = 1e-5; ///< radians, mm or shares

  const TransformType &        m_Transform;
  std::vector<disa::AffineMap> m_Stepped; ///< with a parameter more and less; none if ITK's Jacobian is right
};

/** True if a linear transform has a parameter that changes distances between points: it scales or shears. */
inline bool
CanScale(const TransformType & transform)
{
  constexpr double            tolerance = 1e-6;
  const disa::Matrix3         inverse = disa::Inverse(ToAffineMap(transform).matrix);
  const LinearJacobian        jacobian(transform);
  TransformType::JacobianType ends[4]; // at the origin and the three unit points
  for (unsigned int n = 0; n < 4; ++n)
  {
    disa::Vector3 end{};
    if (n > 0)
    {
      end[n - 1] = 1.0;
    }
    jacobian.At(end, ends[n]);
  }
  for (unsigned int k = 0; k < ends[0].cols(); ++k)
  {
    disa::Matrix3 change;
    for (unsigned int i = 0; i < 9; ++i)
    {
      change[i] = ends[1 + i % 3](i / 3, k) - ends[0](i / 3, k);
    }
    change = disa::Multiply(change, inverse); // skew-symmetric if the parameter only turns
    for (unsigned int i = 0; i < 9; ++i)
    {
      if (std::abs(change[i] + change[3 * (i % 3) + i / 3]) > tolerance)
      {
        return true;
      }
    }
  }
  return false;
}

/** True if no parameter of an optimised transform changes distances between points. */
inline bool
IsRigid(const TransformStages & stages)
{
  for (std::size_t s = 0; s < stages.stages.size(); ++s)
  {
    const disa::Stage & stage = stages.stages[s];
    if (stage.isOptimized && (!std::holds_alternative<disa::AffineMap>(stage.map) || CanScale(*stages.transforms[s])))
    {
      return false;
    }
  }
  return true;
}

/** Add the derivative by a linear transform's parameters, from the sums that 12 numbers are.
 *
 * The Jacobian of a linear transform is affine in the point: J(q) = J(c) + sum_a (q_a - c_a) (J(c + L e_a) - J(c)) / L.
 */
inline void
AddLinearDerivative(const TransformType & transform,
                    const disa::Sums &    sums,
                    const disa::Vector3 & centre,
                    double *              derivative)
{
  constexpr double            arm = 100.0; // mm
  const LinearJacobian        jacobian(transform);
  TransformType::JacobianType atCentre, atEnd;
  jacobian.At(centre, atCentre);
  for (unsigned int i = 0; i < 3; ++i)
  {
    for (unsigned int k = 0; k < atCentre.cols(); ++k)
    {
      derivative[k] += sums.gradient[i] * atCentre(i, k);
    }
  }
  for (unsigned int axis = 0; axis < 3; ++axis)
  {
    disa::Vector3 end = centre;
    end[axis] += arm;
    jacobian.At(end, atEnd);
    for (unsigned int i = 0; i < 3; ++i)
    {
      for (unsigned int k = 0; k < atEnd.cols(); ++k)
      {
        derivative[k] += sums.moment[3 * i + axis] * (atEnd(i, k) - atCentre(i, k)) / arm;
      }
    }
  }
}

} // namespace DISA
} // namespace itk

#endif
