// SPDX-License-Identifier: Apache-2.0
#include "kernels/Kernels.h"
#include "disa/core/Error.h"

#include <cstdlib>

#if defined(DISA_HAVE_ARM) && defined(__linux__)
#  include <asm/hwcap.h>
#  include <sys/auxv.h>
#endif

namespace disa
{
namespace
{

std::vector<Kernel>
ListKernels()
{
  std::vector<Kernel> kernels;
#ifdef DISA_HAVE_X86
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni"))
  {
    kernels.push_back({ "avx512", &KernelAVX512, &PointsAVX512, &RowsAVX2 });
  }
  if (__builtin_cpu_supports("avx2"))
  {
    kernels.push_back({ "avx2", &KernelAVX2, &PointsAVX2, &RowsAVX2 });
  }
#endif
#ifdef DISA_HAVE_ARM
#  ifdef __linux__
  const bool hasDotProducts = (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#  else
  constexpr bool hasDotProducts = true; // Apple's processors
#  endif
  if (hasDotProducts)
  {
    kernels.push_back({ "neon-dotprod", &KernelNEONDot, &PointsNEONDot, &RowsNEON });
  }
  kernels.push_back({ "neon", &KernelNEON, &PointsNEON, &RowsNEON });
#endif
  kernels.push_back({ "portable", &KernelPortable, &PointsPortable, &RowsPortable });
  return kernels;
}

} // namespace

const std::vector<Kernel> &
AvailableKernels()
{
  static const std::vector<Kernel> kernels = ListKernels();
  return kernels;
}

const Kernel &
FindKernel(const std::string & name, const std::string & source)
{
  std::string names;
  for (const Kernel & kernel : AvailableKernels())
  {
    if (name.empty() || name == kernel.name)
    {
      return kernel;
    }
    names += (names.empty() ? "" : ", ") + std::string(kernel.name);
  }
  throw RegistrationError(source + ": no kernel \"" + name + "\" in this build and on this processor; choose from " +
                          names);
}

const Kernel &
ChosenKernel()
{
  static const Kernel & chosen = []() -> const Kernel &
  {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing here changes the environment
    const char * name = std::getenv("DISA_KERNEL");
    return FindKernel(name != nullptr ? name : "", "environment variable DISA_KERNEL");
  }();
  return chosen;
}

} // namespace disa
