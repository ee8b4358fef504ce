// SPDX-License-Identifier: Apache-2.0
#ifndef itkDISARegistrationSettings_h
#define itkDISARegistrationSettings_h

#include "disa/features/FeatureExtractor.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace itk
{
namespace DISA
{

using NumberMap = std::map<std::string, double>;

/** \brief A scalar image: its pixels, x fastest, and its place. */
template <typename TPixel>
struct ImageDescription
{
  std::shared_ptr<const TPixel> pixels{};
  disa::Frame                   frame{};
};

/** \brief A transform by value. */
struct TransformDescription
{
  std::string                                name{}; ///< as GetNameOfClass() gives it
  std::vector<double>                        fixedParameters{};
  std::vector<double>                        parameters{};
  std::vector<TransformDescription>          parts{};   ///< of a composite, in the order of AddTransform()
  std::map<std::string, std::vector<double>> options{}; ///< of a displacement field that smooths its updates
};

/** \brief A metric: DISA's if it has no name, or one of ITK's. */
struct MetricSettings
{
  std::string                                   name{};    ///< of ITK's metric, without ImageToImageMetricv4
  NumberMap                                     numbers{}; ///< its settings, by SimpleITK's names of arguments
  std::string                                   model{ "disa-lc2" };
  std::optional<double>                         voxelSpacing; ///< mm; none: by the images
  int                                           fixedStride = 4;
  int                                           movingStride = 2;
  double                                        reorientationAngle = 3.0; ///< degrees
  std::vector<double>                           smoothing{}; ///< mm, of each level or of all; none: by the levels
  std::vector<std::string>                      providers{};
  std::shared_ptr<const disa::FeatureExtractor> extractor{};
  std::shared_ptr<const disa::FeatureVolume>    fixedFeatures{};
  std::shared_ptr<const disa::FeatureVolume>    movingFeatures{};
};

/** \brief An optimiser of SimpleITK by the name in its setter, and its numbers by SimpleITK's names of arguments. */
struct OptimizerSettings
{
  std::string               name{};
  NumberMap                 numbers{};
  std::vector<unsigned int> numberOfSteps{}; ///< of Exhaustive
};

/** \brief Where an optimiser's scales come from: given, or an estimator by the name in SimpleITK's setter. */
struct ScalesSettings
{
  std::string         estimator{}; ///< Jacobian, IndexShift, PhysicalShift; empty: `scales`
  NumberMap           numbers{};
  std::vector<double> scales{};
};

/** \brief All that a registration is made of, after SimpleITK's ImageRegistrationMethod. */
struct RegistrationSettings
{
  ImageDescription<float>                        fixed{};
  ImageDescription<float>                        moving{};
  std::optional<ImageDescription<unsigned char>> fixedMask{};
  std::optional<ImageDescription<unsigned char>> movingMask{};
  TransformDescription                           initial{};
  std::optional<TransformDescription>            fixedInitial{};
  std::optional<TransformDescription>            movingInitial{};
  std::vector<unsigned int>                      splineScaleFactors{};
  std::optional<disa::Frame>                     virtualDomain{};
  MetricSettings                                 metric{};
  OptimizerSettings                              optimizer{};
  ScalesSettings                                 scales{};
  std::vector<double>                            weights{};
  std::vector<unsigned int>                      shrinkFactors{ 1 };
  std::vector<double>                            smoothingSigmas{ 0.0 };
  bool                                           sigmasAreInPhysicalUnits = true;
  int                                            samplingStrategy = 0; ///< 0 none, 1 regular, 2 random
  std::vector<double>                            samplingPercentages{ 1.0 };
  unsigned int                                   samplingSeed = 0; ///< 0: the wall clock
  bool                                           useFixedGradientFilter = true;
  bool                                           useMovingGradientFilter = true;
  unsigned int                                   numberOfWorkUnits = 1;
};

} // namespace DISA
} // namespace itk

#endif
