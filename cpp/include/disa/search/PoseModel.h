// SPDX-License-Identifier: Apache-2.0
#ifndef disa_search_PoseModel_h
#define disa_search_PoseModel_h

#include "disa/metric/ProbePressure.h"

#include <optional>
#include <vector>

namespace disa
{

/** \brief What a pose may do. */
enum class PoseKind
{
  Translation,
  Rigid,
  Similarity,
  Affine
};

/** \brief Poses x -> E M (x - c) + A c + t about an initial affine map A of matrix M, by parameters that are all mm.
 *
 * c is a centre, t a translation and E, by kind, the identity, a rotation exp([r]), that times a scale exp(s), or any
 * matrix I + L. Parameters are those of E times the radius of the volume, so that a mm of any of them moves the volume
 * by about a mm, and then t: an optimiser needs no further scales. With probe pressure p1 and p2 come last. */
class PoseModel
{
public:
  /** \param centre of rotation, mm.
   *  \param radius mean distance of the samples from it, mm. */
  PoseModel(PoseKind                     kind,
            const AffineMap &            initial,
            const Vector3 &              centre,
            double                       radius,
            std::optional<ProbePressure> pressure = std::nullopt);

  std::size_t GetNumberOfParameters() const;

  const std::optional<ProbePressure> &
  GetPressure() const
  {
    return m_Pressure;
  }

  const Vector3 &
  GetCentre() const
  {
    return m_Centre;
  }

  double
  GetRadius() const
  {
    return m_Radius;
  }

  /** \brief Parameters of a rotation by Euler angles (radians, ITK's order: about y, then x, then z) and a
   *  translation (mm) on top of the initial map. A pose without rotations ignores the angles. */
  std::vector<double> ParametersOf(const Vector3 & angles, const Vector3 & translation) const;

  /** \brief The pose's affine part. */
  AffineMap Map(const std::vector<double> & parameters) const;

  /** \brief Derivatives of the affine part by its parameters. */
  std::vector<AffineMap> Derivatives(const std::vector<double> & parameters) const;

  /** \brief Where a pose takes a point, probe pressure and all. */
  Vector3 Apply(const std::vector<double> & parameters, const Vector3 & x) const;

private:
  std::size_t NumberOfMatrixParameters() const;

  AffineMap AboutCentre(const Matrix3 & matrix, const Vector3 & image) const;

  PoseKind                     m_Kind;
  AffineMap                    m_Initial;
  Vector3                      m_Centre;
  double                       m_Radius;
  std::optional<ProbePressure> m_Pressure;
};

} // namespace disa

#endif
