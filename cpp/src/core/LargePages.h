// SPDX-License-Identifier: Apache-2.0
#ifndef disa_core_LargePages_h
#define disa_core_LargePages_h

#include <cstdint>
#include <vector>

#ifdef __linux__
#  include <sys/mman.h>
#endif

namespace disa
{

/** \brief Resize an empty vector, on pages of 2 MB if it is large and the system has them.
 *
 * A point's 8 cells lie on up to 4 pages of 4 KB, more than the processor keeps the addresses of. */
template <typename T>
void
ResizeOnLargePages(std::vector<T> & values, std::size_t count)
{
  values.reserve(count);
#ifdef __linux__
  constexpr std::uintptr_t page = 1u << 21;
  const auto               begin = (reinterpret_cast<std::uintptr_t>(values.data()) + page - 1) / page * page;
  const auto               end = reinterpret_cast<std::uintptr_t>(values.data() + count) / page * page;
  if (begin < end)
  {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the address of a whole page
    madvise(reinterpret_cast<void *>(begin), end - begin, MADV_HUGEPAGE); // a wish, so it may fail
  }
#endif
  values.resize(count);
}

} // namespace disa

#endif
