// SPDX-License-Identifier: Apache-2.0
// Tests of what shares work out to threads: parallel_tests NAME runs one.
#include "disa/core/Parallel.h"
#include "run_test.h"

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <sys/mman.h>
#include <sys/resource.h>

namespace
{

void
Check(bool condition, const char * what)
{
  if (!condition)
  {
    throw std::runtime_error(what);
  }
}

void
CheckIndices(unsigned threads)
{
  std::vector<std::atomic<int>> calls(401);
  disa::ParallelFor(calls.size(), threads, [&](std::size_t i) { ++calls[i]; });
  for (const auto & count : calls)
  {
    Check(count == 1, "each index once");
  }
}

void
TestIndices()
{
  for (const unsigned threads : { 0u, 1u, 3u, 16u })
  {
    CheckIndices(threads);
  }
  disa::ParallelFor(0, 4, [](std::size_t) { Check(false, "nothing to do"); });
}

void
TestException()
{
  constexpr std::size_t count = 100000;
  for (const unsigned threads : { 1u, 2u, 7u })
  {
    std::atomic<std::size_t> begun{ 0 }, running{ 0 };
    std::string              what;
    try
    {
      disa::ParallelFor(count,
                        threads,
                        [&](std::size_t i)
                        {
                          ++running;
                          ++begun;
                          std::this_thread::sleep_for(std::chrono::microseconds(100));
                          --running;
                          if (i >= 20)
                          {
                            throw std::out_of_range("task");
                          }
                        });
    }
    catch (const std::out_of_range & error)
    {
      what = error.what();
    }
    Check(what == "task", "the exception arrives");
    Check(running == 0, "after all threads have ended");
    Check(begun >= 21 && begun <= 20 + threads, "other work stops");
  }
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

void
TestLittleMemory()
{
  std::puts("skipped: sanitizers need address space");
}

#else

/** How many threads there can be beside this one, of so many. */
std::size_t
CountThreads(std::size_t wanted)
{
  std::atomic<bool>        isOver{ false };
  std::vector<std::thread> threads;
  threads.reserve(wanted);
  try
  {
    while (threads.size() < wanted)
    {
      threads.emplace_back(
        [&]
        {
          while (!isOver)
          {
            std::this_thread::yield();
          }
        });
    }
  }
  catch (const std::exception &)
  {
  }
  isOver = true;
  for (std::thread & thread : threads)
  {
    thread.join();
  }
  return threads.size();
}

void
TestLittleMemory()
{
  constexpr rlim_t   megabyte = 1 << 20;
  constexpr unsigned threads = 200;
  constexpr rlimit   limit{ 256 * megabyte, 256 * megabyte };
  Check(setrlimit(RLIMIT_AS, &limit) == 0, "the limit is set");
  void * const more = mmap(nullptr, limit.rlim_cur, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (more != MAP_FAILED)
  {
    munmap(more, limit.rlim_cur);
    std::puts("skipped: the limit is not kept here"); // by qemu's user mode
    return;
  }
  Check(CountThreads(threads) < threads, "threads run out");
  CheckIndices(threads);
}

#endif

} // namespace

int
main(int argc, char ** argv)
{
  return RunTest(
    argc,
    argv,
    { { "indices", &TestIndices }, { "exception", &TestException }, { "little_memory", &TestLittleMemory } });
}
