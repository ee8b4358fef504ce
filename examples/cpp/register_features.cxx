// SPDX-License-Identifier: Apache-2.0
// Registers two feature volumes, written by FeatureVolume::Save or disa.FeatureVolume.save, rigidly and prints the
// parameters of the transform:  register_features FIXED.disa MOVING.disa
#include "itkDISAImageToImageMetricv4.h"

#include "itkEuler3DTransform.h"
#include "itkImage.h"
#include "itkLBFGS2Optimizerv4.h"

#include <cstdio>

namespace
{

using ImageType = itk::Image<float, 3>;

/** An image that covers the features; the metric asks for one, of its geometry only where features are given. */
ImageType::Pointer
MakeImage(const disa::Frame & frame)
{
  ImageType::SizeType      size;
  ImageType::PointType     origin;
  ImageType::SpacingType   spacing;
  ImageType::DirectionType direction;
  for (unsigned int i = 0; i < 3; ++i)
  {
    size[i] = frame.size[i];
    origin[i] = frame.origin[i];
    spacing[i] = frame.spacing[i];
    for (unsigned int j = 0; j < 3; ++j)
    {
      direction(i, j) = frame.direction[3 * i + j];
    }
  }
  const auto image = ImageType::New();
  image->SetRegions(size);
  image->SetOrigin(origin);
  image->SetSpacing(spacing);
  image->SetDirection(direction);
  image->AllocateInitialized();
  return image;
}

std::shared_ptr<const disa::FeatureVolume>
Load(const char * file)
{
  return std::make_shared<disa::FeatureVolume>(disa::FeatureVolume::Load(file));
}

} // namespace

int
main(int argc, char ** argv)
try
{
  if (argc != 3)
  {
    std::fprintf(stderr, "usage: register_features FIXED.disa MOVING.disa\n");
    return 2;
  }
  const auto fixed = Load(argv[1]);
  const auto moving = Load(argv[2]);
  const auto fixedImage = MakeImage(fixed->GetFrame());

  const auto                      transform = itk::Euler3DTransform<double>::New();
  itk::ContinuousIndex<double, 3> middle;
  for (unsigned int i = 0; i < 3; ++i)
  {
    middle[i] = 0.5 * (static_cast<double>(fixed->GetFrame().size[i]) - 1.0);
  }
  itk::Point<double, 3> centre;
  fixedImage->TransformContinuousIndexToPhysicalPoint(middle, centre);
  transform->SetCenter(centre);

  const auto metric = itk::DISAImageToImageMetricv4<ImageType, ImageType>::New();
  metric->SetFixedImage(fixedImage);
  metric->SetMovingImage(MakeImage(moving->GetFrame()));
  metric->SetFixedFeatures(fixed);
  metric->SetMovingFeatures(moving);
  metric->SetMovingTransform(transform);
  metric->Initialize();
  std::printf("value before: %.6f\n", metric->GetValue());

  const auto optimizer = itk::LBFGS2Optimizerv4Template<double>::New();
  optimizer->SetMetric(metric);
  optimizer->StartOptimization();
  std::printf("value after:  %.6f\nparameters:  ", metric->GetValue());
  for (const double parameter : transform->GetParameters())
  {
    std::printf(" %.4f", parameter);
  }
  std::printf("  (radians, mm)\n");
  return 0;
}
catch (const std::exception & error)
{
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
