// SPDX-License-Identifier: Apache-2.0
#ifndef itkDISARegistrationMetric_h
#define itkDISARegistrationMetric_h

#include "itkDISARegistrationSettings.h"

#include "itkImage.h"
#include "itkImageToImageMetricv4.h"

namespace itk
{
namespace DISA
{

using RegistrationImageType = Image<float, 3>;
using RegistrationMetricType = ImageToImageMetricv4<RegistrationImageType, RegistrationImageType>;
using RegistrationTransformType = Transform<double, 3, 3>;

/** \brief DISA's metric or one of ITK's, set up as SimpleITK does. Throws DISAError if there is none of that name. */
RegistrationMetricType::Pointer MakeMetric(const MetricSettings & settings);

/** \brief Tell DISA's metric which level is about to begin; other metrics need not know.
 *  Throws DISAError if the settings are for another number of levels. */
void SetLevel(RegistrationMetricType & metric, const MetricSettings & settings, std::size_t level, std::size_t levels);

/** \brief Whether DISA's metric smooths descriptors at its present level under a transform; false for other metrics.
 *  Then the images are not to be smoothed, too. */
bool SmoothsDescriptors(RegistrationMetricType & metric, RegistrationTransformType & transform);

} // namespace DISA
} // namespace itk

#endif
