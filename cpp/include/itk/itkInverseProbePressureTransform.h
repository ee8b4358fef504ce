// SPDX-License-Identifier: Apache-2.0
#ifndef itkInverseProbePressureTransform_h
#define itkInverseProbePressureTransform_h

#include "itkProbePressureTransform.h"

namespace itk
{

/** \class InverseProbePressureTransform
 * \brief The inverse of a ProbePressureTransform, exact to rounding.
 *
 * Parameters and fixed parameters are those of the ProbePressureTransform. Where its push folds space it has no
 * inverse, and TransformPoint and the Jacobians throw DISAError.
 *
 * \ingroup ITKTransform */
template <typename TParametersValueType = double>
class ITK_TEMPLATE_EXPORT InverseProbePressureTransform : public Transform<TParametersValueType, 3, 3>
{
public:
  ITK_DISALLOW_COPY_AND_MOVE(InverseProbePressureTransform);

  using Self = InverseProbePressureTransform;
  using Superclass = Transform<TParametersValueType, 3, 3>;
  using Pointer = SmartPointer<Self>;
  using ConstPointer = SmartPointer<const Self>;

  itkNewMacro(Self);
  itkOverrideGetNameOfClassMacro(InverseProbePressureTransform);

  using typename Superclass::FixedParametersType;
  using typename Superclass::InputPointType;
  using typename Superclass::InverseJacobianPositionType;
  using typename Superclass::InverseTransformBasePointer;
  using typename Superclass::JacobianPositionType;
  using typename Superclass::JacobianType;
  using typename Superclass::OutputPointType;
  using typename Superclass::ParametersType;
  using ForwardTransformType = ProbePressureTransform<TParametersValueType>;

  void SetParameters(const ParametersType & parameters) override;
  void SetFixedParameters(const FixedParametersType & parameters) override;

  OutputPointType TransformPoint(const InputPointType & point) const override;

  void ComputeJacobianWithRespectToParameters(const InputPointType & point, JacobianType & jacobian) const override;

  using Superclass::ComputeJacobianWithRespectToPosition;
  void ComputeJacobianWithRespectToPosition(const InputPointType & point,
                                            JacobianPositionType & jacobian) const override;

  using Superclass::ComputeInverseJacobianWithRespectToPosition;
  void ComputeInverseJacobianWithRespectToPosition(const InputPointType &        point,
                                                   InverseJacobianPositionType & jacobian) const override;

  /** A copy of the ProbePressureTransform. */
  InverseTransformBasePointer GetInverseTransform() const override;

protected:
  InverseProbePressureTransform();
  ~InverseProbePressureTransform() override = default;

private:
  typename ForwardTransformType::Pointer m_Forward;
};

} // namespace itk

#ifndef ITK_MANUAL_INSTANTIATION
#  include "itkInverseProbePressureTransform.hxx"
#endif

#endif
