// SPDX-License-Identifier: Apache-2.0
#ifndef itkInverseProbePressureTransform_hxx
#define itkInverseProbePressureTransform_hxx

#include "itkDISAError.h"
#include "itkDISAGeometry.h"

namespace itk
{

template <typename TParametersValueType>
InverseProbePressureTransform<TParametersValueType>::InverseProbePressureTransform()
  : Superclass(ForwardTransformType::ParametersDimension)
  , m_Forward(ForwardTransformType::New())
{
  this->m_Parameters = m_Forward->GetParameters();
  this->m_FixedParameters = m_Forward->GetFixedParameters();
}

template <typename TParametersValueType>
void
InverseProbePressureTransform<TParametersValueType>::SetParameters(const ParametersType & parameters)
{
  m_Forward->SetParameters(parameters);
  this->m_Parameters = m_Forward->GetParameters();
  this->Modified();
}

template <typename TParametersValueType>
void
InverseProbePressureTransform<TParametersValueType>::SetFixedParameters(const FixedParametersType & parameters)
{
  m_Forward->SetFixedParameters(parameters);
  this->m_FixedParameters = m_Forward->GetFixedParameters();
  this->Modified();
}

template <typename TParametersValueType>
auto
InverseProbePressureTransform<TParametersValueType>::TransformPoint(const InputPointType & point) const
  -> OutputPointType
{
  if (!m_Forward->IsInvertible())
  {
    const auto & pressure = m_Forward->GetPush().pressure;
    throw DISAError("InverseProbePressureTransform: a push of " + std::to_string(pressure[0]) + " and " +
                    std::to_string(pressure[1]) + " mm folds space and has no inverse; lower the pressure");
  }
  const auto &  rigid = *m_Forward->GetRigidTransform();
  disa::Vector3 unturned{};
  for (unsigned int i = 0; i < 3; ++i)
  {
    for (unsigned int j = 0; j < 3; ++j)
    {
      unturned[j] += rigid.GetMatrix()(i, j) * (point[i] - rigid.GetOffset()[i]);
    }
  }
  return DISA::ToPoint<OutputPointType>(m_Forward->GetPush().Invert(unturned));
}

template <typename TParametersValueType>
void
InverseProbePressureTransform<TParametersValueType>::ComputeJacobianWithRespectToParameters(
  const InputPointType & point,
  JacobianType &         jacobian) const
{
  // What the forward transform of the found point gains by a parameter, that point has to make up for.
  const OutputPointType found = this->TransformPoint(point);
  JacobianType          forward;
  JacobianPositionType  back;
  m_Forward->ComputeJacobianWithRespectToParameters(found, forward);
  m_Forward->ComputeInverseJacobianWithRespectToPosition(found, back);
  jacobian = back.as_ref() * forward;
  jacobian *= -1.0;
}

template <typename TParametersValueType>
void
InverseProbePressureTransform<TParametersValueType>::ComputeJacobianWithRespectToPosition(
  const InputPointType & point,
  JacobianPositionType & jacobian) const
{
  m_Forward->ComputeInverseJacobianWithRespectToPosition(this->TransformPoint(point), jacobian);
}

template <typename TParametersValueType>
void
InverseProbePressureTransform<TParametersValueType>::ComputeInverseJacobianWithRespectToPosition(
  const InputPointType &        point,
  InverseJacobianPositionType & jacobian) const
{
  m_Forward->ComputeJacobianWithRespectToPosition(this->TransformPoint(point), jacobian);
}

template <typename TParametersValueType>
auto
InverseProbePressureTransform<TParametersValueType>::GetInverseTransform() const -> InverseTransformBasePointer
{
  return m_Forward->Clone().GetPointer();
}

} // namespace itk

#endif
