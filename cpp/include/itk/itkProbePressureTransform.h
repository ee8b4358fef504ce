// SPDX-License-Identifier: Apache-2.0
#ifndef itkProbePressureTransform_h
#define itkProbePressureTransform_h

#include "disa/metric/ProbePressure.h"

#include "itkEuler3DTransform.h"

namespace itk
{

template <typename TParametersValueType>
class InverseProbePressureTransform;

/** \class ProbePressureTransform
 * \brief A rigid transform after the push of an ultrasound probe.
 *
 * The probe touches at a contact point and pushes along an axis. At depth
 * \f$ t = \mathrm{clamp}(a \cdot (x - o) / D, 0, 1) \f$ a point first moves by
 * \f$ (p_1 (1 - t)^2 + p_2 t (1 - t)) a \f$: by \f$ p_1 \f$ mm at the skin, and not at all from depth D on.
 *
 * The 8 parameters are Euler3DTransform's three angles (radians, ZXY) and translation (mm), then \f$ p_1 \f$ and
 * \f$ p_2 \f$ (mm). The 10 fixed parameters are the centre of rotation, the contact o and the axis a (three numbers
 * each, mm), and the depth D (mm). An axis of any length is taken and used as a unit vector.
 *
 * The paper of DISA (MICCAI 2023) has two parameters of pressure and does not print its formula; this one is this
 * project's.
 *
 * To read it back from a file, call TransformFactory<ProbePressureTransform<double>>::RegisterTransform() first.
 *
 * \ingroup ITKTransform */
template <typename TParametersValueType = double>
class ITK_TEMPLATE_EXPORT ProbePressureTransform : public Transform<TParametersValueType, 3, 3>
{
public:
  ITK_DISALLOW_COPY_AND_MOVE(ProbePressureTransform);

  using Self = ProbePressureTransform;
  using Superclass = Transform<TParametersValueType, 3, 3>;
  using Pointer = SmartPointer<Self>;
  using ConstPointer = SmartPointer<const Self>;

  itkNewMacro(Self);
  itkOverrideGetNameOfClassMacro(ProbePressureTransform);

  using typename Superclass::FixedParametersType;
  using typename Superclass::InputPointType;
  using typename Superclass::InputVectorType;
  using typename Superclass::InverseJacobianPositionType;
  using typename Superclass::InverseTransformBasePointer;
  using typename Superclass::JacobianPositionType;
  using typename Superclass::JacobianType;
  using typename Superclass::OutputPointType;
  using typename Superclass::ParametersType;
  using RigidTransformType = Euler3DTransform<TParametersValueType>;
  using MatrixOffsetTransformType = MatrixOffsetTransformBase<TParametersValueType, 3, 3>;
  using InverseTransformType = InverseProbePressureTransform<TParametersValueType>;

  static constexpr unsigned int RigidParametersDimension = 6;
  static constexpr unsigned int ParametersDimension = RigidParametersDimension + 2;
  static constexpr unsigned int FixedParametersDimension = 10;

  /** Throws DISAError unless there are 8. */
  void SetParameters(const ParametersType & parameters) override;

  /** Throws DISAError unless there are 10 finite numbers with an axis of some length and a depth above 0. */
  void SetFixedParameters(const FixedParametersType & parameters) override;

  /** Neither push nor pose; where the probe is stays. */
  void SetIdentity();

  /** Centre of rotation, mm. */
  void           SetCenter(const InputPointType & center);
  InputPointType GetCenter() const;

  /** Where the probe touches, mm. */
  void           SetContact(const InputPointType & contact);
  InputPointType GetContact() const;

  /** Direction into the body, of any length above 0. */
  void            SetAxis(const InputVectorType & axis);
  InputVectorType GetAxis() const;

  /** Millimetres beyond which nothing is pushed. */
  void   SetDepth(double depth);
  double GetDepth() const;

  /** p1 and p2, mm. */
  void SetPressure(TParametersValueType p1, TParametersValueType p2);

  /** Take over a rigid transform's pose and centre, which may be any of ITK's. */
  void SetRigidTransform(const MatrixOffsetTransformType & rigid);

  /** What follows the push. */
  const RigidTransformType *
  GetRigidTransform() const
  {
    return m_Rigid;
  }

  /** What comes before the rigid transform. */
  const disa::ProbePush &
  GetPush() const
  {
    return m_Push;
  }

  OutputPointType TransformPoint(const InputPointType & point) const override;

  void ComputeJacobianWithRespectToParameters(const InputPointType & point, JacobianType & jacobian) const override;

  using Superclass::ComputeJacobianWithRespectToPosition;
  void ComputeJacobianWithRespectToPosition(const InputPointType & point,
                                            JacobianPositionType & jacobian) const override;

  using Superclass::ComputeInverseJacobianWithRespectToPosition;
  void ComputeInverseJacobianWithRespectToPosition(const InputPointType &        point,
                                                   InverseJacobianPositionType & jacobian) const override;

  /** False if the push folds space, which it does from some pressure on. */
  bool
  IsInvertible() const
  {
    return m_Push.IsInvertible();
  }

  /** The inverse, in closed form. False if there is none. */
  bool GetInverse(InverseTransformType * inverse) const;

  /** A new InverseProbePressureTransform, or null if there is none. */
  InverseTransformBasePointer GetInverseTransform() const override;

protected:
  ProbePressureTransform();
  ~ProbePressureTransform() override = default;

  void PrintSelf(std::ostream & os, Indent indent) const override;

private:
  /** Set three fixed parameters from a first one on. */
  template <typename TVector>
  void SetFixedVector(unsigned int first, const TVector & vector);

  /** p1 and p2 become those of the parameters. */
  void UpdatePush();

  typename RigidTransformType::Pointer m_Rigid;
  disa::ProbePush                      m_Push;
};

} // namespace itk

#ifndef ITK_MANUAL_INSTANTIATION
#  include "itkProbePressureTransform.hxx"
#endif

#endif
