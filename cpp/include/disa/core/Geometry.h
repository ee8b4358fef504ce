// SPDX-License-Identifier: Apache-2.0
#ifndef disa_core_Geometry_h
#define disa_core_Geometry_h

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace disa
{

using Vector3 = std::array<double, 3>;
using Matrix3 = std::array<double, 9>; ///< row-major

/** \brief y = matrix x + offset. */
struct AffineMap
{
  Matrix3 matrix{ 1, 0, 0, 0, 1, 0, 0, 0, 1 };
  Vector3 offset{};

  Vector3
  operator()(const Vector3 & x) const
  {
    Vector3 y = offset;
    for (int i = 0; i < 3; ++i)
    {
      for (int j = 0; j < 3; ++j)
      {
        y[i] += matrix[3 * i + j] * x[j];
      }
    }
    return y;
  }
};

/** \brief Where a grid of cells lies in physical space (mm, ITK's LPS). */
struct Frame
{
  std::array<std::size_t, 3> size{}; ///< cells along x, y, z
  Vector3                    origin{};
  Vector3                    spacing{ 1, 1, 1 };                     ///< mm between cells
  Matrix3                    direction{ 1, 0, 0, 0, 1, 0, 0, 0, 1 }; ///< columns are the grid's axes

  std::size_t
  NumberOfCells() const
  {
    return size[0] * size[1] * size[2];
  }

  /** True if a continuous index lies inside the cells, which reach half a cell beyond their centres, and `margin` cells
   *  or more from their border. */
  bool
  Contains(const Vector3 & index, double margin) const
  {
    bool isInside = true;
    for (int axis = 0; axis < 3; ++axis)
    {
      isInside = isInside && index[axis] >= -0.5 + margin && index[axis] <= double(size[axis]) - 0.5 - margin;
    }
    return isInside;
  }

  /** Index of a cell by its number in memory order, x fastest. */
  Vector3
  IndexOf(std::size_t cell) const
  {
    return { double(cell % size[0]), double(cell / size[0] % size[1]), double(cell / (size[0] * size[1])) };
  }

  /** Physical point of the cell at a continuous index. */
  AffineMap IndexToPhysical() const;

  /** Continuous index of a physical point. */
  AffineMap PhysicalToIndex() const;
};

/** \brief For each cell, x fastest, 1 if it lies inside an image and 0 if not.
 *
 * Cells on the image's very border are left out on every side: an image region takes only one of two opposite borders,
 * and samples on one side only would pull a registration to the other. */
std::vector<std::uint8_t> CellsInside(const Frame & cells, const Frame & image);

double Determinant(const Matrix3 & a);

/** \brief Inverse of a matrix whose determinant is not 0. */
Matrix3 Inverse(const Matrix3 & a);

Matrix3 Multiply(const Matrix3 & a, const Matrix3 & b);

Matrix3 Transpose(const Matrix3 & a);

/** \brief The map x -> outer(inner(x)). */
AffineMap Compose(const AffineMap & outer, const AffineMap & inner);

/** \brief False where a map is so flat, or so far from a number, that it has no inverse. */
bool IsInvertible(const AffineMap & map);

/** \brief The inverse of a map whose determinant is not 0. */
AffineMap Invert(const AffineMap & map);

/** \brief A map as rows of matrix and offset, which the kernels take. */
void ToRows(const AffineMap & map, double (&rows)[12]);

/** \brief The orthogonal matrix nearest to an invertible one (polar decomposition, Higham's Newton iteration). */
Matrix3 NearestRotation(const Matrix3 & a);

/** \brief Matrix of the affine map that takes one set of points nearest to another, in the least-squares sense.
 *
 * Where the points do not tell, for they lie in a plane or on a line, it is the identity's. */
Matrix3 FitMatrix(const std::vector<Vector3> & from, const std::vector<Vector3> & to);

/** \brief Angle in degrees of the rotation that leads from one orthogonal matrix to another; 180 if one mirrors. */
double AngleBetween(const Matrix3 & from, const Matrix3 & to);

} // namespace disa

#endif
