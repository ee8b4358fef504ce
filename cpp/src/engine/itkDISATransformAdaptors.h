// SPDX-License-Identifier: Apache-2.0
#ifndef itkDISATransformAdaptors_h
#define itkDISATransformAdaptors_h

#include "itkDISARegistrationMetric.h"

#include "itkFixedArray.h"
#include "itkTransformParametersAdaptorBase.h"

namespace itk
{
namespace DISA
{

using TransformAdaptorType = TransformParametersAdaptorBase<Transform<double, 3, 3>>;

/** \brief What gives a deformable transform its nodes at one level, as SimpleITK does: a displacement field is shrunk
 * as the level's domain is, a B-spline's mesh multiplied by its factor over the fixed image. Null if nothing changes.
 *  \param shrinkFactors of the level, an axis each.
 *  \param splineScale   factor of a B-spline's mesh, 0: as it is. */
TransformAdaptorType::Pointer MakeTransformAdaptor(Transform<double, 3, 3> &           transform,
                                                   const RegistrationImageType &       fixedImage,
                                                   const FixedArray<unsigned int, 3> & shrinkFactors,
                                                   unsigned int                        splineScale);

} // namespace DISA
} // namespace itk

#endif
