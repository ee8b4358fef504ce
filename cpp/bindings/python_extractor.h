// SPDX-License-Identifier: Apache-2.0
#ifndef python_extractor_h
#define python_extractor_h

#include "disa/features/FeatureExtractor.h"

#include <pybind11/pybind11.h>

/** \brief Runs the network through a Python function of the package. */
class PythonExtractor : public disa::FeatureExtractor
{
public:
  /** \param function called as function(pixels, origin, spacing, direction, name=, model=, feature_spacing=, stride=,
   *  providers=, feature_direction=), pixels of shape (z, y, x); returns a FeatureVolume.
   *  \param repeatsInterrupts for callers that can hand on a message only: a KeyboardInterrupt of the function comes
   *  again once Python's code goes on. */
  explicit PythonExtractor(pybind11::function function, bool repeatsInterrupts = false);
  ~PythonExtractor() override;

  /** \brief What the function's method shown_volume(pixels, grid) says; all of the grid where it has none. Throws as
   * Extract does. */
  double ShownVolume(const disa::ImageView & image) const override;

  /** \brief Throws disa::Error with the function's exception nested in it. */
  std::shared_ptr<const disa::FeatureVolume> Extract(const disa::ImageView &      image,
                                                     const disa::FeatureRequest & request) const override;

private:
  /** \brief What the error of the function becomes. */
  [[noreturn]] void Rethrow(const pybind11::error_already_set & error) const;

  pybind11::function m_Function;
  bool               m_RepeatsInterrupts;
};

#endif
