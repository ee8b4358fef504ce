// SPDX-License-Identifier: Apache-2.0
#ifndef disa_features_Smoothing_h
#define disa_features_Smoothing_h

#include "disa/features/FeatureVolume.h"

namespace disa
{

/** \brief Descriptors convolved with a wide and a narrow Gaussian, so that a registration finds its way from further
 * off.
 *
 * The kernel is 0.15 G(sigma / 8) + 0.85 G(sigma); beyond the image lie zeros, before and after. The inner product is
 * linear, so a metric over these descriptors is the sum of a blurred one, which has few local optima, and a sharp one,
 * which says where the optimum is. The numbers were chosen on CT/T1 limbs, benchmarks/notes.md.
 *
 * \param features int8 or float; the result is of the same kind, with the same weights and frame.
 * \param image    where the image lies that they were extracted from.
 * \param sigma    standard deviation of the wide part, mm; above 0. */
FeatureVolume Widen(const FeatureVolume & features, const Frame & image, double sigma);

} // namespace disa

#endif
