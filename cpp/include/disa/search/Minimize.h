// SPDX-License-Identifier: Apache-2.0
#ifndef disa_search_Minimize_h
#define disa_search_Minimize_h

#include <cstddef>
#include <functional>
#include <vector>

namespace disa
{

/** \brief A function to minimise: its value at x; writes its derivative, of x's size. */
using DifferentiableFunction = std::function<double(const std::vector<double> & x, std::vector<double> & gradient)>;

/** \brief How far to go. */
struct MinimizeSettings
{
  double      firstStep = 4.0;      ///< length of the first trial step
  double      longestStep = 40.0;   ///< of any trial step
  double      stepTolerance = 0.01; ///< ends the search once an accepted step is shorter
  std::size_t maximumIterations = 100;
};

/** \brief Where it ended. */
struct Minimum
{
  std::vector<double> x;
  double              value;
  std::size_t         evaluations;
  std::vector<double> trace; ///< values at the start and after each iteration
};

/** \brief Local minimum of a function of few variables by BFGS.
 *
 * The line search is the bisection for the weak Wolfe conditions of Lewis and Overton (Nonsmooth optimization via
 * quasi-Newton methods, 2013), which does not fail at kinks, as the trilinear blend has where samples cross cells. All
 * variables should be of like units: the first step goes down the plain gradient. A start where the derivative is 0 is
 * returned as it is. */
Minimum Minimize(const DifferentiableFunction & function, std::vector<double> start, const MinimizeSettings & settings);

} // namespace disa

#endif
