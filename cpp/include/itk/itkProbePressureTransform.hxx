// SPDX-License-Identifier: Apache-2.0
#ifndef itkProbePressureTransform_hxx
#define itkProbePressureTransform_hxx

#include "itkDISAError.h"
#include "itkDISAGeometry.h"
#include "itkInverseProbePressureTransform.h"

#include <algorithm>
#include <cmath>

namespace itk
{

template <typename TParametersValueType>
ProbePressureTransform<TParametersValueType>::ProbePressureTransform()
  : Superclass(ParametersDimension)
  , m_Rigid(RigidTransformType::New())
{
  this->m_Parameters.Fill(0.0);
  this->m_FixedParameters.SetSize(FixedParametersDimension);
  this->m_FixedParameters.Fill(0.0);
  std::copy(m_Push.probe.axis.begin(), m_Push.probe.axis.end(), this->m_FixedParameters.begin() + 6);
  this->m_FixedParameters[9] = m_Push.probe.depth;
}

template <typename TParametersValueType>
void
ProbePressureTransform<TParametersValueType>::SetParameters(const ParametersType & parameters)
{
  if (parameters.Size() != ParametersDimension)
  {
    throw DISAError("ProbePressureTransform: expected 8 parameters (3 angles, translation, p1, p2), got " +
                    std::to_string(parameters.Size()));
  }
  if (&parameters != &this->m_Parameters)
  {
    this->m_Parameters = parameters;
  }
  ParametersType rigid(RigidParametersDimension);
  std::copy_n(this->m_Parameters.begin(), RigidParametersDimension, rigid.begin());
  m_Rigid->SetParameters(rigid);
  this->UpdatePush();
}

template <typename TParametersValueType>
void
ProbePressureTransform<TParametersValueType>::UpdatePush()
{
  m_Push.pressure = { this->m_Parameters[RigidParametersDimension], this->m_Parameters[RigidParametersDimension + 1] };
  this->Modified();
}

template <typename TParametersValueType>
void
ProbePressureTransform<TParametersValueType>::SetFixedParameters(const FixedParametersType & parameters)
{
  if (parameters.Size() != FixedParametersDimension)
  {
    throw DISAError("ProbePressureTransform: expected 10 fixed parameters (centre, contact, axis, depth), got " +
                    std::to_string(parameters.Size()));
  }
  const double length = std::hypot(parameters[6], parameters[7], parameters[8]);
  const bool   areFinite = std::all_of(parameters.begin(), parameters.end(), [](double p) { return std::isfinite(p); });
  if (!areFinite || !(length > 0.0) || !(parameters[9] > 0.0))
  {
    throw DISAError("ProbePressureTransform: expected a finite centre and contact, an axis of some length and a depth "
                    "above 0 mm");
  }
  if (&parameters != &this->m_FixedParameters)
  {
    this->m_FixedParameters = parameters;
  }
  typename RigidTransformType::InputPointType center;
  for (unsigned int i = 0; i < 3; ++i)
  {
    center[i] = static_cast<TParametersValueType>(parameters[i]);
    m_Push.probe.contact[i] = parameters[3 + i];
    m_Push.probe.axis[i] = parameters[6 + i] / length;
  }
  m_Push.probe.depth = parameters[9];
  m_Rigid->SetCenter(center);
  this->Modified();
}

template <typename TParametersValueType>
template <typename TVector>
void
ProbePressureTransform<TParametersValueType>::SetFixedVector(unsigned int first, const TVector & vector)
{
  FixedParametersType parameters = this->m_FixedParameters;
  std::copy_n(vector.GetDataPointer(), 3, parameters.begin() + first);
  this->SetFixedParameters(parameters);
}

template <typename TParametersValueType>
void
ProbePressureTransform<TParametersValueType>::SetIdentity()
{
  this->m_Parameters.Fill(0.0);
  this->SetParameters(this->m_Parameters);
}

template <typename TParametersValueType>
void
ProbePressureTransform<TParametersValueType>::SetCenter(const InputPointType & center)
{
  this->SetFixedVector(0, center);
}

template <typename TParametersValueType>
auto
ProbePressureTransform<TParametersValueType>::GetCenter() const -> InputPointType
{
  return m_Rigid->GetCenter();
}

template <typename TParametersValueType>
void
ProbePressureTransform<TParametersValueType>::SetContact(const InputPointType & contact)
{
  this->SetFixedVector(3, contact);
}

template <typename TParametersValueType>
auto
ProbePressureTransform<TParametersValueType>::GetContact() const -> InputPointType
{
  return DISA::ToPoint<InputPointType>(m_Push.probe.contact);
}

template <typename TParametersValueType>
void
ProbePressureTransform<TParametersValueType>::SetAxis(const InputVectorType & axis)
{
  this->SetFixedVector(6, axis);
}

template <typename TParametersValueType>
auto
ProbePressureTransform<TParametersValueType>::GetAxis() const -> InputVectorType
{
  return DISA::ToPoint<InputVectorType>(m_Push.probe.axis);
}

template <typename TParametersValueType>
void
ProbePressureTransform<TParametersValueType>::SetDepth(double depth)
{
  FixedParametersType parameters = this->m_FixedParameters;
  parameters[9] = depth;
  this->SetFixedParameters(parameters);
}

template <typename TParametersValueType>
double
ProbePressureTransform<TParametersValueType>::GetDepth() const
{
  return m_Push.probe.depth;
}

template <typename TParametersValueType>
void
ProbePressureTransform<TParametersValueType>::SetPressure(TParametersValueType p1, TParametersValueType p2)
{
  this->m_Parameters[RigidParametersDimension] = p1;
  this->m_Parameters[RigidParametersDimension + 1] = p2;
  this->UpdatePush();
}

template <typename TParametersValueType>
void
ProbePressureTransform<TParametersValueType>::SetRigidTransform(const MatrixOffsetTransformType & rigid)
{
  this->SetCenter(rigid.GetCenter());
  m_Rigid->SetMatrix(rigid.GetMatrix());
  m_Rigid->SetTranslation(rigid.GetTranslation());
  const ParametersType & parameters = m_Rigid->GetParameters();
  std::copy(parameters.begin(), parameters.end(), this->m_Parameters.begin());
  this->Modified();
}

template <typename TParametersValueType>
auto
ProbePressureTransform<TParametersValueType>::TransformPoint(const InputPointType & point) const -> OutputPointType
{
  return m_Rigid->TransformPoint(DISA::ToPoint<InputPointType>(m_Push(DISA::ToVector(point))));
}

template <typename TParametersValueType>
void
ProbePressureTransform<TParametersValueType>::ComputeJacobianWithRespectToParameters(const InputPointType & point,
                                                                                     JacobianType & jacobian) const
{
  const disa::Vector3 place = DISA::ToVector(point);
  const auto          factors = m_Push.probe.Factors(place);
  const auto          axis = m_Rigid->TransformVector(this->GetAxis());
  JacobianType        rigid;
  m_Rigid->ComputeJacobianWithRespectToParameters(DISA::ToPoint<InputPointType>(m_Push(place)), rigid);
  jacobian.SetSize(3, ParametersDimension);
  for (unsigned int i = 0; i < 3; ++i)
  {
    std::copy_n(rigid[i], RigidParametersDimension, jacobian[i]);
    for (unsigned int k = 0; k < factors.size(); ++k)
    {
      jacobian(i, RigidParametersDimension + k) = factors[k] * axis[i];
    }
  }
}

template <typename TParametersValueType>
void
ProbePressureTransform<TParametersValueType>::ComputeJacobianWithRespectToPosition(
  const InputPointType & point,
  JacobianPositionType & jacobian) const
{
  const disa::Vector3 place = DISA::ToVector(point);
  for (unsigned int i = 0; i < 3; ++i)
  {
    const auto          row = m_Rigid->GetMatrix()[i];
    const disa::Vector3 pulled = m_Push.PullBack(place, { row[0], row[1], row[2] });
    std::copy(pulled.begin(), pulled.end(), jacobian[i]);
  }
}

template <typename TParametersValueType>
void
ProbePressureTransform<TParametersValueType>::ComputeInverseJacobianWithRespectToPosition(
  const InputPointType &        point,
  InverseJacobianPositionType & jacobian) const
{
  // (I + s a a')^-1 R' with the slope s of the push along its axis a.
  const auto & matrix = m_Rigid->GetMatrix();
  const auto & axis = m_Push.probe.axis;
  const double slope = m_Push.Slope(DISA::ToVector(point));
  const double share = slope / (1.0 + slope);
  for (unsigned int j = 0; j < 3; ++j)
  {
    const double along = axis[0] * matrix(j, 0) + axis[1] * matrix(j, 1) + axis[2] * matrix(j, 2);
    for (unsigned int i = 0; i < 3; ++i)
    {
      jacobian(i, j) = matrix(j, i) - share * along * axis[i];
    }
  }
}

template <typename TParametersValueType>
bool
ProbePressureTransform<TParametersValueType>::GetInverse(InverseTransformType * inverse) const
{
  if (inverse == nullptr || !this->IsInvertible())
  {
    return false;
  }
  inverse->SetFixedParameters(this->GetFixedParameters());
  inverse->SetParameters(this->GetParameters());
  return true;
}

template <typename TParametersValueType>
auto
ProbePressureTransform<TParametersValueType>::GetInverseTransform() const -> InverseTransformBasePointer
{
  const auto inverse = InverseTransformType::New();
  return this->GetInverse(inverse) ? inverse.GetPointer() : nullptr;
}

template <typename TParametersValueType>
void
ProbePressureTransform<TParametersValueType>::PrintSelf(std::ostream & os, Indent indent) const
{
  Superclass::PrintSelf(os, indent);
  os << indent << "RigidTransform: " << std::endl;
  m_Rigid->Print(os, indent.GetNextIndent());
  os << indent << "Contact: " << this->GetContact() << " mm" << std::endl;
  os << indent << "Axis: " << this->GetAxis() << std::endl;
  os << indent << "Depth: " << this->GetDepth() << " mm" << std::endl;
  os << indent << "Pressure: " << m_Push.pressure[0] << ", " << m_Push.pressure[1] << " mm" << std::endl;
}

} // namespace itk

#endif
