// SPDX-License-Identifier: Apache-2.0
#ifndef disa_metric_Objective_h
#define disa_metric_Objective_h

#include "disa/features/FeatureVolume.h"
#include "disa/kernels/Cells.h"
#include "disa/metric/Sampling.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <variant>
#include <vector>

namespace disa
{

/** \brief What a chunk of samples adds up to; physical units. Weights w are those of the samples over their sum W. */
struct Sums
{
  std::size_t validPoints = 0;
  double      value = 0.0;
  Vector3     gradient{}; ///< sum of w g, with g the gradient by the moving point
  Matrix3     moment{};   ///< sum of w g (q - centre)^T, with q the sample's point

  Sums & operator+=(const Sums & other);

  /** \brief Add the weighted gradient of one sample to gradient and moment. */
  void
  Add(const Vector3 & weighted, const Vector3 & point, const Vector3 & centre)
  {
    for (int row = 0; row < 3; ++row)
    {
      gradient[row] += weighted[row];
      for (int column = 0; column < 3; ++column)
      {
        moment[3 * row + column] += weighted[row] * (point[column] - centre[column]);
      }
    }
  }
};

/** \brief Sums under the inverse of a transform, as sums of that transform.
 *
 * A sample q of the moving image is read at B(q). Where the transform T changes by dT, B(q) changes by -B' dT(p), with
 * p = V(q) the point that T takes to q. So these sums are those over the points p of the gradient by the moving point.
 * \param sums     over moving samples; the gradient is by the point that is read.
 * \param toRead   B: from moving space to that of the reading.
 * \param toDomain V: the inverse of T; the moment is about where it takes the samples' centre. */
Sums ThroughInverse(const Sums & sums, const AffineMap & toRead, const AffineMap & toDomain);

/** \brief Eq. 2 of the paper over the samples of one image and the cells of the other.
 *
 * They are called fixed and moving here. In the backward term of the two-sided objective the moving image's are the
 * samples, and the map is the inverse of the transform.
 *
 * The value is linear in the inner products and an affine map's derivative is affine in the point, so 12 numbers (the
 * gradient's sum and its first moments) give the derivative by the parameters of every such transform. */
class Objective
{
public:
  /** Samples are summed in chunks of this many, and chunks in order, so that no result depends on the threads. */
  static constexpr std::size_t ChunkSize = 512;

  /** \brief One fixed sample. */
  struct Sample
  {
    Vector3 point;      ///< where the transform takes it from: the virtual domain, mm
    Vector3 fixedPoint; ///< in the fixed image, mm
  };

  /** \brief Take the descriptors of the given cells.
   *  \param toPoint from a cell's index to where it lies in the virtual domain, mm. */
  void SetFixedCells(const FeatureVolume & features, const WeightedSample & sample, const AffineMap & toPoint);

  /** \brief The same where no affine map says it; single precision.
   *  \param points where each lies in the virtual domain, mm. */
  void SetFixedCells(const FeatureVolume &        features,
                     const WeightedSample &       sample,
                     const std::vector<Vector3> & points);

  /** \brief Take descriptors and weights between cells, blended trilinearly; 0 outside the volume. Points in single
   *  precision. */
  void SetFixedSamples(const FeatureVolume & features, const std::vector<Sample> & samples);

  /** \brief Take the moving descriptors. Throws RegistrationError unless they are of the fixed ones' kind and
   *  the environment variable DISA_KERNEL, if set, names a kernel that runs here. */
  void SetMoving(const FeatureVolume & features);

  std::size_t
  GetNumberOfSamples() const
  {
    return m_Weights.size();
  }
  std::size_t
  GetNumberOfChunks() const
  {
    return (m_Weights.size() + ChunkSize - 1) / ChunkSize;
  }
  /** \brief Samples of a chunk. */
  std::size_t
  GetChunkLength(std::size_t chunk) const
  {
    return std::min(ChunkSize, m_Weights.size() - chunk * ChunkSize);
  }
  /** \brief W of section 4: the sum of the samples' weights. */
  double
  GetTotalWeight() const
  {
    return m_TotalWeight;
  }
  /** \brief Let W be another, where the samples are a part of what it is summed over. */
  void
  SetTotalWeight(double weight)
  {
    m_TotalWeight = weight;
  }
  /** \brief The point that moments are taken about. */
  const Vector3 &
  GetCentre() const
  {
    return m_Centre;
  }
  /** \brief Where a sample lies in the virtual domain, mm. */
  Vector3
  GetPoint(std::size_t sample) const
  {
    return m_ToPoint({ m_Coordinates[0][sample], m_Coordinates[1][sample], m_Coordinates[2][sample] });
  }
  /** \brief The same of a chunk's samples: the x of all, then the y, then the z. */
  void
  GetPoints(std::size_t chunk, double * points) const
  {
    this->MapCoordinates(chunk, m_ToPoint, points);
  }
  /** \brief From the samples' own coordinates, which are cells of the fixed descriptors wherever that can be, to the
   *  virtual domain. */
  const AffineMap &
  GetToPoint() const
  {
    return m_ToPoint;
  }
  /** \brief Where a map takes the own coordinates of a chunk's samples: the x of all, then the y, then the z. */
  void MapCoordinates(std::size_t chunk, const AffineMap & map, double * mapped) const;

  float
  GetWeight(std::size_t sample) const
  {
    return m_Weights[sample];
  }

  /** \brief Sums over one chunk.
   *  \param map            virtual to moving physical space.
   *  \param wantGradient   otherwise gradient and moment stay 0. */
  Sums EvaluateChunk(std::size_t chunk, const AffineMap & map, bool wantGradient) const;

  /** \brief Value and valid points of one chunk under any map.
   *  \param moved     the samples' points in moving physical space, mm, the x of all, then the y, then the z; one that
   *                   is not a number adds nothing.
   *  \param gradients each sample's weight times its derivative by the moving point, likewise; null: value only. */
  Sums EvaluateMovedChunk(std::size_t chunk, const double * moved, double * gradients) const;

private:
  template <typename TChannel>
  struct Descriptors
  {
    std::vector<TChannel> fixed; ///< 16 a sample
    std::vector<TChannel> cells; ///< padded
  };

  template <typename TGetPoint>
  void TakePoints(std::size_t count, const TGetPoint & getPoint);

  void TakeCells(const FeatureVolume & features, const WeightedSample & sample);

  void FinishFixed();

  /** Calls a function with the kernel for the descriptors at hand, the moving cells and the fixed descriptors. */
  template <typename TFunction>
  auto WithKernel(const TFunction & function) const;

  Sums ToPhysical(const Moments & moments) const;

  /** What a weight times a product of stored numbers is to be multiplied by. */
  double
  GetScale() const
  {
    return static_cast<double>(m_FixedScale) * m_MovingScale / m_TotalWeight;
  }

  /** Coordinates of the samples are small whole numbers wherever that can be, so single precision is exact. */
  std::array<std::vector<float>, 3>                          m_Coordinates;
  AffineMap                                                  m_ToPoint;
  std::vector<float>                                         m_Weights;
  double                                                     m_TotalWeight{ 0.0 };
  Vector3                                                    m_Centre{};
  float                                                      m_FixedScale{ 1.0f };
  float                                                      m_MovingScale{ 1.0f };
  FeatureKind                                                m_FixedKind;
  std::array<std::size_t, 3>                                 m_PaddedSize{};
  AffineMap                                                  m_PhysicalToPaddedIndex;
  std::variant<Descriptors<std::int8_t>, Descriptors<float>> m_Descriptors;
  const KernelFunctions<std::int8_t> *                       m_Kernel{ nullptr };
};

} // namespace disa

#endif
