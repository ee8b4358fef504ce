#include "disa/core/Parallel.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace disa
{

void
ParallelFor(std::size_t count, unsigned threads, const std::function<void(std::size_t)> & function)
{
  const unsigned           wanted = threads > 0 ? threads : std::max(1u, std::thread::hardware_concurrency());
  std::atomic<std::size_t> next{ 0 };
  const auto               work = [&]
  {
    for (std::size_t i = next++; i < count; i = next++)
    {
      function(i);
    }
  };
  std::vector<std::thread> helpers;
  for (std::size_t i = 1; i < std::min<std::size_t>(wanted, count); ++i)
  {
    helpers.emplace_back(work);
  }
  work();
  for (std::thread & helper : helpers)
  {
    helper.join();
  }
}

} // namespace disa
