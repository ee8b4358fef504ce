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
  const auto    cut = [&inside](FeatureVolume whole) { return inside.empty() ? whole : Cut(whole, inside); };
  FeatureVolume field = cut(features);
  if (settings.mean)
  {
    field = Centred(field, *settings.mean);
  }
  return settings.sigma > 0.0 ? cut(Widen(field, image, settings.sigma)) : field;
}

} // namespace disa
