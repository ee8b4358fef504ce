// SPDX-License-Identifier: Apache-2.0
#ifndef itkDISATransformDescription_h
#define itkDISATransformDescription_h

#include "itkDISARegistrationSettings.h"

#include "itkTransform.h"

namespace itk
{
namespace DISA
{

/** \brief A new transform of ITK as described. Throws DISAError if there is no such class. */
Transform<double, 3, 3>::Pointer MakeTransform(const TransformDescription & description);

/** \brief The numbers of a transform and of its parts; what else it was made from is not repeated. */
TransformDescription DescribeTransform(const Transform<double, 3, 3> & transform);

} // namespace DISA
} // namespace itk

#endif
