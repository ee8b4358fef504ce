// SPDX-License-Identifier: Apache-2.0
#ifndef itkDISAImageToImageMetricv4_h
#define itkDISAImageToImageMetricv4_h

#include "disa/core/Error.h"
#include "disa/core/FirstException.h"
#include "disa/features/FeatureExtractor.h"
#include "disa/features/Field.h"
#include "disa/features/Selection.h"
#include "disa/features/VoxelSpacing.h"
#include "disa/metric/Objective.h"
#include "itkDISAFeaturesInUse.h"
#include "itkDISAFieldOfView.h"
#include "itkDISATransformChain.h"

#include "itkDefaultImageToImageMetricTraitsv4.h"
#include "itkImageToImageMetricv4.h"
#include "itkMultiThreaderBase.h"

#include <optional>
#include <type_traits>

namespace itk
{

/** \class DISAImageToImageMetricv4
 * \brief Multimodal similarity as the inner product of CNN descriptors.
 *
 * The network runs once per image. Where both transforms are linear in ITK's sense, images are compared both ways:
 * \f$ f(T) = (f_F(T) + f_M(T^{-1})) / 2 \f$ with
 * \f$ f_F = -\frac{1}{W_F} \sum_p w(p) \langle \phi_F(p), \phi_M(T(p)) \rangle \f$ over samples of the fixed
 * image and \f$ f_M \f$ the same over samples of the moving one, read in the fixed one. Each takes as many samples as
 * half of the fixed descriptors that lie inside the virtual domain and the fixed mask; \f$ W \f$ is the samples'
 * weight and constant over a run. Otherwise, over a sampled point set, and over ready-made descriptors
 * \f$ f = f_F \f$. It lies between -1 (all alike) and 1; lower is better.
 *
 * Descriptors are 0 outside of an image and outside of its mask, so where overlap is lost the value tends to 0 and the
 * derivative with it; Initialize() warns where less than a tenth of the weight overlaps either way, and throws only
 * where nothing does. They are centred, less the mean of their image's, but under the widest kernel, 12 voxels, and
 * where they are ready-made: what all have in common makes overlap pay, which leads images together and is wrong once
 * they are. As for every v4 metric the derivative points downhill: it is \f$ -df/d\theta \f$.
 *
 * Transforms: those that are linear in ITK's sense (translation, rigid, similarity, scale, affine), cubic B-splines,
 * displacement fields with linear interpolation, ProbePressureTransform, and composites of them in any order, any of
 * them optimised; the same for the fixed transform. The derivative is the value's exact one. So with a displacement
 * field each sample's gradient is shared out among the 8 voxels around it, as it would be if ITK's metrics sampled
 * other points than voxels; where samples are further apart than the field's voxels, the voxels in between get nothing
 * until the transform smooths the update, which is to reach from one sample to the next.
 *
 * Initialize() places the moving descriptors on a grid parallel to the fixed one under the transform that it finds, for
 * descriptors do not turn with the transform. A deformable transform turns them by the rotation nearest to the affine
 * map that fits it best over the samples. They are kept (those of the last two images), and extracted again only when
 * the transform has turned by more than the reorientation angle since, the image was modified, or a setting has
 * changed. Within an optimisation nothing changes.
 *
 * Source: Ronchetti et al., DISA, MICCAI 2023, Eq. 2.
 *
 * \ingroup ITKMetricsv4 */
template <typename TFixedImage, typename TMovingImage, typename TVirtualImage = TFixedImage>
class ITK_TEMPLATE_EXPORT DISAImageToImageMetricv4
  : public ImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage, double>
{
public:
  ITK_DISALLOW_COPY_AND_MOVE(DISAImageToImageMetricv4);

  using Self = DISAImageToImageMetricv4;
  using Superclass = ImageToImageMetricv4<TFixedImage, TMovingImage, TVirtualImage, double>;
  using Pointer = SmartPointer<Self>;
  using ConstPointer = SmartPointer<const Self>;

  itkNewMacro(Self);
  itkOverrideGetNameOfClassMacro(DISAImageToImageMetricv4);

  using typename Superclass::DerivativeType;
  using typename Superclass::JacobianType;
  using typename Superclass::MeasureType;
  using FeatureVolumeConstPointer = std::shared_ptr<const disa::FeatureVolume>;
  using FeatureExtractorConstPointer = std::shared_ptr<const disa::FeatureExtractor>;
  using ProviderList = std::vector<std::string>;

  static_assert(TFixedImage::ImageDimension == 3 && TMovingImage::ImageDimension == 3, "DISA descriptors are 3-D");
  static_assert(std::is_floating_point<typename TFixedImage::PixelType>::value &&
                  std::is_floating_point<typename TMovingImage::PixelType>::value,
                "DISA takes float or double images");

  /** Name of a shipped model or path of an .onnx file. Default "disa-lc2". */
  void SetModel(const std::string & model);
  itkGetConstReferenceMacro(Model, std::string);

  /** Millimetres between the voxels that the network sees. Unless it is set it follows from the images' fields of view
   * and voxels, disa::AutomaticVoxelSpacing; 2 as long as there are none. */
  void   SetVoxelSpacing(double spacing);
  double GetVoxelSpacing() const;

  /** Voxels between samples, in either image. Default 4. */
  void SetFixedStride(int stride);
  itkGetConstMacro(FixedStride, int);

  /** Voxels between the descriptors that samples are read in. Default 2, denser than the samples. */
  void SetMovingStride(int stride);
  itkGetConstMacro(MovingStride, int);

  /** A moving voxel's side as a share of VoxelSpacing, 2 / sqrt(5). Descriptors blended between cells are shorter
   * than those at cells, so poses that lay one grid on the other would win. With this ratio a step of the fixed cells
   * is sqrt(5) steps of the moving ones, which hardly any fraction comes near: the samples fall at every phase of the
   * moving cells in whatever pose, and no pose is favoured; benchmarks/results/grid-lock.md has the figures. */
  static constexpr double MovingSpacingRatio = 0.894427190999916;

  /** Where a rigid registration begins: standard deviation of the wide part of the kernel, voxels. */
  static constexpr double WidestSmoothing = 12.0;

  /** Standard deviation, mm, of the wide part of the kernel over the descriptors that samples are read in. It widens
   * the capture range at no cost a point. A narrow part of the kernel keeps the optimum sharp. 0: none.
   *
   * Unless it is set it follows from the levels that remain: 12 voxels where there are 2 or more, 6 where there is
   * one, and none at the last. Where the moving transform may scale or deform there is none: smoothed descriptors are
   * longest in the middle of the body, so a transform that contracts the samples towards it would win. Once set it
   * holds until it is set anew. */
  void   SetFeatureSmoothing(double mm);
  double GetFeatureSmoothing() const;

  /** Levels that follow the present one. Unless it is set it follows from how much coarser than the fixed image the
   * virtual domain is: shrink factors of 4, 2 and 1 are 2, 1 and 0 remaining levels. */
  void         SetRemainingLevels(unsigned int levels);
  unsigned int GetRemainingLevels() const;

  /** The smoothing in use since the last Initialize(). */
  itkGetConstMacro(CurrentFeatureSmoothing, double);

  /** Degrees that the transform may turn before Initialize() extracts the moving descriptors anew. Default 3; 0: never
   * anew. */
  void SetReorientationAngle(double degrees);
  itkGetConstMacro(ReorientationAngle, double);

  /** ONNX Runtime execution providers, best first. Empty (default): CUDA, OpenVINO or the CPU, as is available. */
  void SetExecutionProviders(const ProviderList & providers);
  itkGetConstReferenceMacro(ExecutionProviders, ProviderList);

  /** Ready-made descriptors instead of extracted ones; null takes them back. They are used as they are: moving ones are
   * never re-oriented nor smoothed, none are centred, and they are compared one way. The getters answer the fixed
   * samples and what they are read in, as compared; null before Initialize(). */
  void                      SetFixedFeatures(FeatureVolumeConstPointer features);
  FeatureVolumeConstPointer GetFixedFeatures() const;
  void                      SetMovingFeatures(FeatureVolumeConstPointer features);
  FeatureVolumeConstPointer GetMovingFeatures() const;

  /** What runs the network. */
  void SetFeatureExtractor(FeatureExtractorConstPointer extractor);

  /** Throws DISAError in one line; where its cause is a disa::Error, that is nested in it. */
  void Initialize() override;

  MeasureType GetValue() const override;

  void GetDerivative(DerivativeType & derivative) const override;

  void GetValueAndDerivative(MeasureType & value, DerivativeType & derivative) const override;

  void         SetMaximumNumberOfWorkUnits(const ThreadIdType number) override;
  ThreadIdType GetMaximumNumberOfWorkUnits() const override;
  ThreadIdType GetNumberOfWorkUnitsUsed() const override;

protected:
  DISAImageToImageMetricv4();
  ~DISAImageToImageMetricv4() override = default;

  void PrintSelf(std::ostream & os, Indent indent) const override;

  /** No image gradient is ever needed, whatever the flags say. */
  void
  ComputeFixedImageGradientFilterImage() override
  {
  }
  void
  ComputeMovingImageGradientFilterImage() const override
  {
  }
  void
  InitializeDefaultFixedImageGradientFilter() override
  {
  }
  void
  InitializeDefaultMovingImageGradientFilter() override
  {
  }

private:
  static constexpr std::uint64_t Seed = 0; ///< of the samples that are drawn

  static void CheckStride(const char * setter, int stride);

  disa::FeatureRequest MakeRequest(int stride, double voxelSpacing) const;

  /** Where one image ends at its mask and the other does not, as an ultrasound sector in an MR, the network is to see
   * it continued. Where both do, the edge is structure that they share. */
  void RequestFieldsOfView(disa::FeatureRequest & fixed, disa::FeatureRequest & moving);

  /** Run the network; the result becomes the cache's current features. */
  template <typename TImage>
  void Extract(DISA::FeaturesInUse<TImage> & cache,
               const TImage *                image,
               const char *                  name,
               const disa::FeatureRequest &  request) const;

  void InitializeSuperclass();
  void CheckTransforms() const;
  void UpdateFeatures();
  void UpdateMovingFeatures(const disa::FeatureRequest & request, bool isCurrent);

  /** False under ready-made descriptors, sampled points and transforms that are not linear. */
  bool ComparesBothWays() const;

  /** False under the widest kernel and under ready-made descriptors. */
  bool IsCentred() const;

  /** Fixed descriptors as extracted or given. */
  FeatureVolumeConstPointer GetDenseFixedFeatures() const;

  /** Moving descriptors as extracted or given, and what they are compared as. */
  DISA::ComparedFeatures & GetComparedMovingFeatures();
  void                     CompareMovingFeatures();

  /** Axes on which moving descriptors lie parallel to the fixed ones under the present transform. */
  disa::Matrix3 GetParallelDirection() const;

  /** Choose fixed samples and read them in the moving image; then the other way, if it is wanted. */
  void UpdateFixedSamples();
  void UpdateSampledPoints();
  void UpdateFixedCells();
  void UpdateMovingCells();

  /** 1 for each cell of fixed descriptors inside the fixed mask and the virtual domain, the fixed transform linear. */
  std::vector<std::uint8_t> FindFixedInside(const disa::FeatureVolume & features) const;

  bool IsInsideFixedMask(const disa::Vector3 & point) const;
  bool IsInsideVirtual(const disa::Vector3 & point) const;

  /** Throws where nothing overlaps; warns where little does, for the value then says little. */
  void CheckOverlap() const;

  /** Share of the samples' weight that lies in the other image and its mask; of the image that has more of it there. */
  double ComputeOverlap() const;

  bool IsInsideMovingMask(const disa::Vector3 & point) const;

  /** Call a function with 0 .. count - 1 on the work units; the first exception reaches the caller. */
  void RunInParallel(std::size_t count, const std::function<void(std::size_t)> & function) const;

  /** Value and valid points, kept as ITK's metrics do, and the derivative if there is one to write to. */
  void Evaluate(DerivativeType * derivative) const;

  disa::Sums EvaluateLinear(DerivativeType * derivative) const;
  disa::Sums EvaluateChain(DerivativeType * derivative) const;

  std::string                             m_Model{ "disa-lc2" };
  std::optional<double>                   m_VoxelSpacing; ///< if it was set
  int                                     m_FixedStride{ 4 };
  int                                     m_MovingStride{ 2 };
  std::optional<double>                   m_FeatureSmoothing; ///< if it was set
  std::optional<unsigned int>             m_RemainingLevels;  ///< if it was set
  double                                  m_CurrentFeatureSmoothing{ 0.0 };
  double                                  m_ReorientationAngle{ 3.0 };
  ProviderList                            m_ExecutionProviders;
  FeatureExtractorConstPointer            m_FeatureExtractor;
  FeatureVolumeConstPointer               m_GivenFixedFeatures;
  FeatureVolumeConstPointer               m_GivenMovingFeatures;
  FeatureVolumeConstPointer               m_FixedSamples;
  DISA::ComparedFeatures                  m_GivenCompared; ///< of the given moving features
  DISA::FeaturesInUse<TFixedImage>        m_FixedInUse;
  DISA::FeaturesInUse<TMovingImage>       m_MovingInUse;
  mutable DISA::FieldOfView<TFixedImage>  m_FixedFieldOfView; ///< looked at where needed
  mutable DISA::FieldOfView<TMovingImage> m_MovingFieldOfView;
  disa::Objective                         m_Forward; ///< fixed samples, read in the moving image
  std::size_t                             m_SamplesEachWay{ 0 };
  disa::Objective            m_Backward; ///< moving samples, read in the fixed image; none if there is one way
  MultiThreaderBase::Pointer m_Threader;
  mutable ThreadIdType       m_NumberOfWorkUnitsUsed{ 0 };
};

} // namespace itk

#ifndef ITK_MANUAL_INSTANTIATION
#  include "itkDISAImageToImageMetricv4.hxx"
#endif

#endif
