#ifndef disaLattice_h
#define disaLattice_h

#include "disaGeometry.h"

#include <functional>
#include <vector>

namespace disa
{

/** \brief Calls a function with 0 .. count - 1, in any order and on any threads. */
using ParallelFor = std::function<void(std::size_t count, const std::function<void(std::size_t)> & function)>;

/** \brief The map x -> x + u(x) whose displacement u is blended from the nodes of a lattice.
 *
 * A view: parameters are neither copied nor owned. A point costs the same however many nodes there are, for 4^3 or 2^3
 * of them act on it. Outside its domain a lattice displaces nothing, as in ITK. */
class Lattice
{
public:
  enum class Kind
  {
    CubicBSpline,     ///< itk::BSplineTransform of order 3; parameters are all x, then all y, then all z
    DisplacementField ///< itk::DisplacementFieldTransform, blended linearly; parameters are x, y, z of each node
  };

  /** \brief A point at which a derivative is taken. */
  struct Sample
  {
    Vector3 index{};    ///< in nodes
    Vector3 gradient{}; ///< derivative by the displaced point
    int     plane = -1; ///< first of the planes of nodes (z) that act on the point; -1: none does
  };

  /** \param nodes      where the nodes lie; 4 or more along each axis of a cubic B-spline.
   *  \param parameters three displacements, mm, for each node. */
  Lattice(Kind kind, const Frame & nodes, const double * parameters);

  /** \brief x + u(x), mm. */
  Vector3 operator()(const Vector3 & point) const;

  /** \brief Derivative by x of a function whose derivative by x + u(x) is given. */
  Vector3 PullBack(const Vector3 & point, const Vector3 & gradient) const;

  /** \brief The sample of a point and a gradient. */
  Sample MakeSample(const Vector3 & point, const Vector3 & gradient) const;

  /** \brief Add the derivative by each parameter, summed over the samples.
   *
   * Every plane of nodes is one task, which adds its samples in a fixed order, so the sums do not depend on the threads
   * and no task needs a copy of the parameters. */
  void AddDerivative(const std::vector<Sample> & samples, double * derivative, const ParallelFor & parallelFor) const;

private:
  // The same for N nodes an axis, 4 or 2, known at compile time.
  template <std::size_t N>
  Vector3 Displace(const Vector3 & point) const;
  template <std::size_t N>
  Vector3 PullBackThrough(const Vector3 & point, const Vector3 & gradient) const;
  template <std::size_t N>
  Sample MakeSampleOf(const Vector3 & point, const Vector3 & gradient) const;
  template <std::size_t N>
  void AddToPlane(std::size_t plane, const Sample & sample, double * derivative) const;

  Kind                       m_Kind;
  std::array<std::size_t, 3> m_Size;
  AffineMap                  m_ToIndex;
  const double *             m_Parameters;
  std::array<std::size_t, 3> m_Stride; ///< parameters to the next node along each axis; 0 along an axis of one node
  std::size_t                m_ComponentStride;
};

} // namespace disa

#endif
