// SPDX-License-Identifier: Apache-2.0
#include "disa/search/PoseModel.h"

#include <algorithm>
#include <cmath>

namespace disa
{
namespace
{

constexpr Matrix3 Identity{ 1, 0, 0, 0, 1, 0, 0, 0, 1 };

/** The matrix of the cross product with v. */
Matrix3
Cross(const Vector3 & v)
{
  return { 0, -v[2], v[1], v[2], 0, -v[0], -v[1], v[0], 0 };
}

/** I + a [v] + b [v]^2. */
Matrix3
Polynomial(const Vector3 & v, double a, double b)
{
  const Matrix3 cross = Cross(v);
  const Matrix3 square = Multiply(cross, cross);
  Matrix3       sum = Identity;
  for (int i = 0; i < 9; ++i)
  {
    sum[i] += a * cross[i] + b * square[i];
  }
  return sum;
}

/** sin(x) / x, (1 - cos(x)) / x^2 and (x - sin(x)) / x^3. */
struct RotationFactors
{
  double sine = 1.0, cosine = 0.5, rest = 1.0 / 6.0;

  explicit RotationFactors(const Vector3 & v)
  {
    const double square = v[0] * v[0] + v[1] * v[1] + v[2] * v[2];
    if (square > 1e-8)
    {
      const double angle = std::sqrt(square);
      sine = std::sin(angle) / angle;
      cosine = (1.0 - std::cos(angle)) / square;
      rest = (1.0 - sine) / square;
    }
  }
};

/** exp([v]), Rodrigues' formula. */
Matrix3
Rotation(const Vector3 & v)
{
  const RotationFactors factors(v);
  return Polynomial(v, factors.sine, factors.cosine);
}

/** Columns u_i with d exp([v]) / d v_i = [u_i] exp([v]). */
Matrix3
LeftJacobian(const Vector3 & v)
{
  const RotationFactors factors(v);
  return Polynomial(v, factors.cosine, factors.rest);
}

/** The rotation of ITK's Euler3DTransform, Z X Y. */
Matrix3
EulerRotation(const Vector3 & angles)
{
  const Matrix3 x = Rotation({ angles[0], 0, 0 });
  const Matrix3 y = Rotation({ 0, angles[1], 0 });
  const Matrix3 z = Rotation({ 0, 0, angles[2] });
  return Multiply(z, Multiply(x, y));
}

/** The v of a rotation exp([v]) by less than 180 degrees. */
Vector3
RotationVector(const Matrix3 & r)
{
  const Vector3 twice{ r[7] - r[5], r[2] - r[6], r[3] - r[1] }; // 2 sin(angle) times the axis
  const double  sine = 0.5 * std::sqrt(twice[0] * twice[0] + twice[1] * twice[1] + twice[2] * twice[2]);
  const double  angle = std::atan2(sine, 0.5 * (r[0] + r[4] + r[8] - 1.0));
  const double  factor = sine > 1e-12 ? 0.5 * angle / sine : 0.5;
  return { factor * twice[0], factor * twice[1], factor * twice[2] };
}

} // namespace

PoseModel::PoseModel(PoseKind                     kind,
                     const AffineMap &            initial,
                     const Vector3 &              centre,
                     double                       radius,
                     std::optional<ProbePressure> pressure)
  : m_Kind(kind)
  , m_Initial(initial)
  , m_Centre(centre)
  , m_Radius(radius)
  , m_Pressure(pressure)
{
}

std::size_t
PoseModel::NumberOfMatrixParameters() const
{
  switch (m_Kind)
  {
    case PoseKind::Translation:
      return 0;
    case PoseKind::Rigid:
      return 3;
    case PoseKind::Similarity:
      return 4;
    case PoseKind::Affine:
      break;
  }
  return 9;
}

std::size_t
PoseModel::GetNumberOfParameters() const
{
  return NumberOfMatrixParameters() + 3 + (m_Pressure ? 2 : 0);
}

std::vector<double>
PoseModel::ParametersOf(const Vector3 & angles, const Vector3 & translation) const
{
  std::vector<double> parameters(GetNumberOfParameters());
  const Matrix3       rotation = EulerRotation(angles);
  const std::size_t   count = NumberOfMatrixParameters();
  if (m_Kind == PoseKind::Affine)
  {
    for (std::size_t i = 0; i < count; ++i)
    {
      parameters[i] = m_Radius * (rotation[i] - Identity[i]);
    }
  }
  else if (count > 0)
  {
    const Vector3 vector = RotationVector(rotation);
    std::transform(vector.begin(), vector.end(), parameters.begin(), [this](double r) { return m_Radius * r; });
  }
  std::copy(translation.begin(), translation.end(), parameters.begin() + std::ptrdiff_t(count));
  return parameters;
}

AffineMap
PoseModel::AboutCentre(const Matrix3 & matrix, const Vector3 & image) const
{
  AffineMap     map{ Multiply(matrix, m_Initial.matrix), {} };
  const Vector3 moved = map(m_Centre);
  for (int i = 0; i < 3; ++i)
  {
    map.offset[i] = image[i] - moved[i];
  }
  return map;
}

AffineMap
PoseModel::Map(const std::vector<double> & parameters) const
{
  Matrix3 matrix = Identity;
  if (m_Kind == PoseKind::Affine)
  {
    for (int i = 0; i < 9; ++i)
    {
      matrix[i] += parameters[i] / m_Radius;
    }
  }
  else if (m_Kind != PoseKind::Translation)
  {
    matrix = Rotation({ parameters[0] / m_Radius, parameters[1] / m_Radius, parameters[2] / m_Radius });
  }
  if (m_Kind == PoseKind::Similarity)
  {
    const double scale = std::exp(parameters[3] / m_Radius);
    std::transform(matrix.begin(), matrix.end(), matrix.begin(), [scale](double m) { return scale * m; });
  }
  Vector3           image = m_Initial(m_Centre);
  const std::size_t first = NumberOfMatrixParameters();
  for (int i = 0; i < 3; ++i)
  {
    image[i] += parameters[first + i];
  }
  return AboutCentre(matrix, image);
}

std::vector<AffineMap>
PoseModel::Derivatives(const std::vector<double> & parameters) const
{
  std::vector<Matrix3> matrices(NumberOfMatrixParameters());
  if (m_Kind == PoseKind::Affine)
  {
    for (int i = 0; i < 9; ++i)
    {
      matrices[i] = Matrix3{};
      matrices[i][i] = 1.0 / m_Radius;
    }
  }
  else if (m_Kind != PoseKind::Translation)
  {
    const Vector3 vector{ parameters[0] / m_Radius, parameters[1] / m_Radius, parameters[2] / m_Radius };
    const Matrix3 jacobian = LeftJacobian(vector);
    Matrix3       matrix = Rotation(vector);
    const double  scale = m_Kind == PoseKind::Similarity ? std::exp(parameters[3] / m_Radius) : 1.0;
    std::transform(matrix.begin(), matrix.end(), matrix.begin(), [&](double m) { return scale * m / m_Radius; });
    for (int i = 0; i < 3; ++i)
    {
      matrices[i] = Multiply(Cross({ jacobian[i], jacobian[3 + i], jacobian[6 + i] }), matrix);
    }
    if (m_Kind == PoseKind::Similarity)
    {
      matrices[3] = matrix;
    }
  }
  std::vector<AffineMap> derivatives;
  derivatives.reserve(matrices.size());
  for (const Matrix3 & matrix : matrices)
  {
    derivatives.push_back(AboutCentre(matrix, {}));
  }
  for (int i = 0; i < 3; ++i)
  {
    AffineMap shift{ Matrix3{}, Vector3{} };
    shift.offset[i] = 1.0;
    derivatives.push_back(shift);
  }
  return derivatives;
}

Vector3
PoseModel::Apply(const std::vector<double> & parameters, const Vector3 & x) const
{
  const AffineMap map = Map(parameters);
  const double *  p = parameters.data() + parameters.size() - 2;
  return map(m_Pressure ? ProbePush{ *m_Pressure, { p[0], p[1] } }(x) : x);
}

} // namespace disa
