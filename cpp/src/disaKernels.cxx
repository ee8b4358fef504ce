#include "disaEvaluate.h"

#include <cstring>
#include <initializer_list>

namespace disa
{

EvaluateFunction<std::int8_t>
FindKernel(const char * name)
{
#ifdef DISA_HAVE_AVX2
  if (std::strcmp(name, "avx2") == 0 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
  {
    return &EvaluateAVX2;
  }
#endif
  if (std::strcmp(name, "portable") == 0)
  {
    return static_cast<EvaluateFunction<std::int8_t>>(&EvaluatePortable);
  }
  return nullptr;
}

const Kernel &
BestKernel()
{
  static const Kernel best = []
  {
    for (const char * name : { "avx2", "portable" })
    {
      if (const auto evaluate = FindKernel(name))
      {
        return Kernel{ name, evaluate };
      }
    }
    return Kernel{};
  }();
  return best;
}

} // namespace disa
