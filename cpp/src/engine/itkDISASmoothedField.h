// SPDX-License-Identifier: Apache-2.0
#ifndef itkDISASmoothedField_h
#define itkDISASmoothedField_h

#include "itkGaussianSmoothingOnUpdateDisplacementFieldTransform.h"

namespace itk
{
namespace DISA
{

/** \brief ITK's displacement field that smooths its updates and itself, to the same bits in a fraction of the time.
 *
 * ITK goes through a neighbourhood iterator, voxel by voxel; here whole rows of voxels are weighted and added. */
class SmoothedField : public GaussianSmoothingOnUpdateDisplacementFieldTransform<double, 3>
{
public:
  ITK_DISALLOW_COPY_AND_MOVE(SmoothedField);

  using Self = SmoothedField;
  using Superclass = GaussianSmoothingOnUpdateDisplacementFieldTransform<double, 3>;
  using Pointer = SmartPointer<Self>;
  using ConstPointer = SmartPointer<const Self>;

  itkSimpleNewMacro(Self);

protected:
  SmoothedField() = default;
  ~SmoothedField() override = default;

  /** Smooth a field in its place; what lies on its border is 0. */
  DisplacementFieldPointer GaussianSmoothDisplacementField(DisplacementFieldType * field, ScalarType variance) override;
};

} // namespace DISA
} // namespace itk

#endif
