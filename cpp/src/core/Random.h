// SPDX-License-Identifier: Apache-2.0
#ifndef disa_core_Random_h
#define disa_core_Random_h

#include <cstdint>

namespace disa
{

/** \brief SplitMix64: the same numbers from the same seed on every platform, which the standard's distributions do not
 *  promise. */
class Random
{
public:
  explicit Random(std::uint64_t seed)
    : m_State(seed)
  {
  }

  /** \brief A number of [0, 1). */
  double
  Uniform()
  {
    m_State += 0x9E3779B97F4A7C15u;
    std::uint64_t z = m_State;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    return double(z >> 11) * 0x1p-53;
  }

  /** \brief A number of [-range, range). */
  double
  Within(double range)
  {
    return range * (2.0 * Uniform() - 1.0);
  }

private:
  std::uint64_t m_State;
};

} // namespace disa

#endif
