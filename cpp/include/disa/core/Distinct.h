// SPDX-License-Identifier: Apache-2.0
#ifndef disa_core_Distinct_h
#define disa_core_Distinct_h

#include "disa/core/Geometry.h"

#include <vector>

namespace disa
{

/** \brief Mean distance in mm between corresponding points, of which there are as many. */
double MeanDistance(const std::vector<Vector3> & one, const std::vector<Vector3> & other);

/** \brief Which candidates are kept, the best first: each lies further than a distance from every better one.
 *  \param places   where each takes the same points, mm.
 *  \param values   of each, the lower the better; of equal ones the first counts as better.
 *  \param distance mean over the points, mm.
 *  \param keep     candidates at most. */
std::vector<std::size_t> Distinct(const std::vector<std::vector<Vector3>> & places,
                                  const std::vector<double> &               values,
                                  double                                    distance,
                                  std::size_t                               keep);

} // namespace disa

#endif
