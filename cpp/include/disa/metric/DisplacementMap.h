// SPDX-License-Identifier: Apache-2.0
#ifndef disa_metric_DisplacementMap_h
#define disa_metric_DisplacementMap_h

#include "disa/core/Geometry.h"
#include "disa/kernels/Points.h"

namespace disa
{

/** \brief The map x -> x + u(x) whose displacement u is blended from the nodes of a lattice.
 *
 * A view: parameters are neither copied nor owned. A point costs the same however many nodes there are, for 4^3 or 2^3
 * of them act on it. Outside its domain it displaces nothing, as in ITK. */
class DisplacementMap
{
public:
  enum class Kind
  {
    CubicBSpline,     ///< itk::BSplineTransform of order 3; parameters are all x, then all y, then all z
    DisplacementField ///< itk::DisplacementFieldTransform, blended linearly; parameters are x, y, z of each node
  };

  /** \param nodes      where the nodes lie; 4 or more along each axis of a cubic B-spline.
   *  \param parameters three displacements, mm, for each node. */
  DisplacementMap(Kind kind, const Frame & nodes, const double * parameters);

  /** \brief x + u(x), mm. */
  Vector3 operator()(const Vector3 & point) const;

  /** \brief Derivative by x of a function whose derivative by x + u(x) is given. */
  Vector3 PullBack(const Vector3 & point, const Vector3 & gradient) const;

  /** \brief From a point to its continuous index among the nodes. */
  const AffineMap &
  GetToIndex() const
  {
    return m_ToIndex;
  }

  /** \brief What PointFunctions take. */
  const DisplacementNodes &
  GetNodes() const
  {
    return m_Nodes;
  }

private:
  AffineMap         m_ToIndex;
  DisplacementNodes m_Nodes;
};

} // namespace disa

#endif
