// SPDX-License-Identifier: Apache-2.0
#ifndef disa_core_Parallel_h
#define disa_core_Parallel_h

#include <cstddef>
#include <functional>

namespace disa
{

/** \brief Call function(0) ... function(count - 1), each once, over some threads, in any order; return once all are
 * done.
 *
 *  Where the system makes fewer threads, it goes on with those. The first exception of a call reaches the caller once
 *  all threads have ended; indices not begun by then are left out.
 *  \param threads at most; 0: as many as the processor runs. */
void ParallelFor(std::size_t count, unsigned threads, const std::function<void(std::size_t)> & function);

} // namespace disa

#endif
