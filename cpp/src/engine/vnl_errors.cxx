// SPDX-License-Identifier: Apache-2.0
// The itk wheel keeps this one function of VNL hidden; templates compiled here call it.
#include <stdexcept>
#include <string>

void
vnl_error_matrix_dimension(const char * function, int rows, int columns, int otherRows, int otherColumns)
{
  throw std::length_error(std::string(function) + ": " + std::to_string(rows) + "x" + std::to_string(columns) +
                          " does not fit " + std::to_string(otherRows) + "x" + std::to_string(otherColumns));
}
