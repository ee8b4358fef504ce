// SPDX-License-Identifier: Apache-2.0
#ifndef disa_features_FeatureExtractor_h
#define disa_features_FeatureExtractor_h

#include "disa/features/FeatureVolume.h"
#include "disa/features/VoxelSpacing.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace disa
{

/** \brief A view of a scalar 3-D image; nothing is copied or owned. */
struct ImageView
{
  std::string  name; ///< what messages call it
  const void * pixels;
  bool         isDouble; ///< pixels are double, otherwise float
  Frame        frame;
};

/** \brief What features are asked for. */
struct FeatureRequest
{
  std::string              model = "disa-lc2"; ///< name of a shipped model or path of an .onnx file
  double                   voxelSpacing = 2.0; ///< mm between the voxels that the network sees
  int                      stride = 4;         ///< voxels between descriptors
  std::vector<std::string> providers;          ///< ONNX Runtime execution providers, best first; empty: automatic
  std::optional<Matrix3>   direction;          ///< axes of the descriptor grid; the image's own if absent

  /** \brief 1 for each voxel, x fastest, of the field of view that the image ends at: the network is to see the image
   *  continued beyond it. Null: the image as it is. */
  std::shared_ptr<const std::vector<std::uint8_t>> fieldOfView;

  /** \brief True if descriptors for one request serve another one, axes aside. */
  bool
  IsLike(const FeatureRequest & other) const
  {
    return model == other.model && voxelSpacing == other.voxelSpacing && stride == other.stride &&
           providers == other.providers && fieldOfView == other.fieldOfView;
  }
};

/** \brief Whatever runs the network. The metric knows only this. */
class FeatureExtractor
{
public:
  virtual ~FeatureExtractor() = default;

  /** \brief Descriptors of an image. Throws Error in one line. */
  virtual std::shared_ptr<const FeatureVolume> Extract(const ImageView &      image,
                                                       const FeatureRequest & request) const = 0;

  /** \brief mm^3 of what an image shows, without what it was filled up with when it was turned onto its grid. The voxel
   * spacing that nobody sets goes by it. Throws Error in one line. */
  virtual double
  ShownVolume(const ImageView & image) const
  {
    return VolumeOf(image.frame);
  }
};

} // namespace disa

#endif
