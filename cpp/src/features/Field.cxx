// SPDX-License-Identifier: Apache-2.0
#include "disa/features/Field.h"

#include "disa/features/Selection.h"
#include "disa/features/Smoothing.h"

namespace disa
{

FeatureVolume
MakeField(const FeatureVolume &             features,
          const Frame &                     image,
          const std::vector<std::uint8_t> & inside,
          const FieldSettings &             settings)
{
  FeatureVolume field = inside.empty() ? features : Cut(features, inside);
  if (settings.mean)
  {
    field = Centred(field, *settings.mean);
  }
  if (!(settings.sigma > 0.0))
  {
    return field;
  }
  field = Widen(field, image, settings.sigma);
  return inside.empty() ? field : Cut(field, inside);
}

} // namespace disa
