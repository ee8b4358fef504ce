// SPDX-License-Identifier: Apache-2.0
#include "disa/core/Parallel.h"

#include "disa/core/FirstException.h"

#include <algorithm>
#include <atomic>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

namespace disa
{

void
ParallelFor(std::size_t count, unsigned threads, const std::function<void(std::size_t)> & function)
{
  const std::size_t        wanted = threads > 0 ? threads : std::max(1u, std::thread::hardware_concurrency());
  std::atomic<std::size_t> next{ 0 };
  FirstException           exception;
  const auto               work = [&]
  {
    for (std::size_t i = next++; i < count && !exception.HasThrown(); i = next++)
    {
      exception.Guard([&] { function(i); });
    }
  };
  std::vector<std::thread> helpers;
  helpers.reserve(std::min(wanted, count));
  try
  {
    while (helpers.size() + 1 < std::min(wanted, count))
    {
      helpers.emplace_back(work);
    }
  }
  catch (const std::system_error &) // no room for another: these are enough
  {
  }
  catch (const std::bad_alloc &)
  {
  }
  work();
  for (std::thread & helper : helpers)
  {
    helper.join();
  }
  exception.Rethrow();
}

} // namespace disa
