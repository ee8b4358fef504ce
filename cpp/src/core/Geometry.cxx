// SPDX-License-Identifier: Apache-2.0
#include "disa/core/Geometry.h"

#include <algorithm>
#include <cmath>

namespace disa
{

AffineMap
Frame::IndexToPhysical() const
{
  AffineMap map;
  for (int i = 0; i < 9; ++i)
  {
    map.matrix[i] = direction[i] * spacing[i % 3];
  }
  map.offset = origin;
  return map;
}

AffineMap
Frame::PhysicalToIndex() const
{
  AffineMap map;
  map.matrix = Inverse(IndexToPhysical().matrix);
  map.offset = {};
  const Vector3 shifted = map(origin);
  for (int i = 0; i < 3; ++i)
  {
    map.offset[i] = -shifted[i];
  }
  return map;
}

std::vector<std::uint8_t>
CellsInside(const Frame & cells, const Frame & image)
{
  constexpr double          tolerance = 1e-6; // voxels, for rounding
  const AffineMap           toVoxel = Compose(image.PhysicalToIndex(), cells.IndexToPhysical());
  std::vector<std::uint8_t> inside(cells.NumberOfCells());
  std::size_t               cell = 0;
  for (std::size_t z = 0; z < cells.size[2]; ++z)
  {
    for (std::size_t y = 0; y < cells.size[1]; ++y)
    {
      for (std::size_t x = 0; x < cells.size[0]; ++x, ++cell)
      {
        inside[cell] = image.Contains(toVoxel({ double(x), double(y), double(z) }), tolerance);
      }
    }
  }
  return inside;
}

double
Determinant(const Matrix3 & a)
{
  return a[0] * (a[4] * a[8] - a[5] * a[7]) - a[1] * (a[3] * a[8] - a[5] * a[6]) + a[2] * (a[3] * a[7] - a[4] * a[6]);
}

Matrix3
Inverse(const Matrix3 & a)
{
  const double d = Determinant(a);
  return { (a[4] * a[8] - a[5] * a[7]) / d, (a[2] * a[7] - a[1] * a[8]) / d, (a[1] * a[5] - a[2] * a[4]) / d,
           (a[5] * a[6] - a[3] * a[8]) / d, (a[0] * a[8] - a[2] * a[6]) / d, (a[2] * a[3] - a[0] * a[5]) / d,
           (a[3] * a[7] - a[4] * a[6]) / d, (a[1] * a[6] - a[0] * a[7]) / d, (a[0] * a[4] - a[1] * a[3]) / d };
}

Matrix3
Multiply(const Matrix3 & a, const Matrix3 & b)
{
  Matrix3 c{};
  for (int i = 0; i < 3; ++i)
  {
    for (int j = 0; j < 3; ++j)
    {
      for (int k = 0; k < 3; ++k)
      {
        c[3 * i + j] += a[3 * i + k] * b[3 * k + j];
      }
    }
  }
  return c;
}

Matrix3
Transpose(const Matrix3 & a)
{
  return { a[0], a[3], a[6], a[1], a[4], a[7], a[2], a[5], a[8] };
}

AffineMap
Compose(const AffineMap & outer, const AffineMap & inner)
{
  return { Multiply(outer.matrix, inner.matrix), outer(inner.offset) };
}

bool
IsInvertible(const AffineMap & map)
{
  return std::abs(Determinant(map.matrix)) > 1e-9;
}

AffineMap
Invert(const AffineMap & map)
{
  AffineMap     inverse{ Inverse(map.matrix), {} };
  const Vector3 shift = inverse(map.offset);
  std::transform(shift.begin(), shift.end(), inverse.offset.begin(), [](double x) { return -x; });
  return inverse;
}

void
ToRows(const AffineMap & map, double (&rows)[12])
{
  for (int axis = 0; axis < 3; ++axis)
  {
    std::copy_n(map.matrix.begin() + 3 * axis, 3, rows + 4 * axis);
    rows[4 * axis + 3] = map.offset[axis];
  }
}

Matrix3
NearestRotation(const Matrix3 & a)
{
  Matrix3 rotation = a;
  for (int iteration = 0; iteration < 100; ++iteration)
  {
    const Matrix3 inverseTranspose = Transpose(Inverse(rotation));
    double        change = 0.0;
    for (int i = 0; i < 9; ++i)
    {
      const double next = 0.5 * (rotation[i] + inverseTranspose[i]);
      change = std::max(change, std::abs(next - rotation[i]));
      rotation[i] = next;
    }
    if (change < 1e-14)
    {
      break;
    }
  }
  return rotation;
}

Matrix3
FitMatrix(const std::vector<Vector3> & from, const std::vector<Vector3> & to)
{
  Vector3 meanFrom{}, meanTo{};
  for (std::size_t i = 0; i < from.size(); ++i)
  {
    for (int axis = 0; axis < 3; ++axis)
    {
      meanFrom[axis] += from[i][axis] / static_cast<double>(from.size());
      meanTo[axis] += to[i][axis] / static_cast<double>(from.size());
    }
  }
  Matrix3 covariance{}, cross{};
  for (std::size_t i = 0; i < from.size(); ++i)
  {
    for (int row = 0; row < 3; ++row)
    {
      for (int column = 0; column < 3; ++column)
      {
        const double arm = from[i][column] - meanFrom[column];
        covariance[3 * row + column] += (from[i][row] - meanFrom[row]) * arm;
        cross[3 * row + column] += (to[i][row] - meanTo[row]) * arm;
      }
    }
  }
  const double ridge = 1e-9 * (covariance[0] + covariance[4] + covariance[8]) + 1e-9;
  for (int i = 0; i < 9; i += 4)
  {
    covariance[i] += ridge;
    cross[i] += ridge;
  }
  return Multiply(cross, Inverse(covariance));
}

double
AngleBetween(const Matrix3 & from, const Matrix3 & to)
{
  const Matrix3 turn = Multiply(to, Transpose(from));
  if (Determinant(turn) < 0.0)
  {
    return 180.0;
  }
  const double cosine = std::clamp(0.5 * (turn[0] + turn[4] + turn[8] - 1.0), -1.0, 1.0);
  return std::acos(cosine) * 180.0 / 3.14159265358979323846;
}

} // namespace disa
