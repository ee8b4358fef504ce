// SPDX-License-Identifier: Apache-2.0
#ifndef disa_core_Checksum_h
#define disa_core_Checksum_h

#include <array>
#include <cstddef>
#include <cstdint>

namespace disa
{

/** \brief CRC-32 of bytes, as zlib, gzip and PNG have it (ISO 3309, polynomial 0xEDB88320).
 *
 * \param sofar of the bytes before these; 0 for none. */
inline std::uint32_t
Checksum(const void * bytes, std::size_t count, std::uint32_t sofar = 0)
{
  static const std::array<std::uint32_t, 256> table = []
  {
    std::array<std::uint32_t, 256> remainders{};
    for (std::uint32_t i = 0; i < 256; ++i)
    {
      std::uint32_t remainder = i;
      for (int bit = 0; bit < 8; ++bit)
      {
        remainder = (remainder & 1u) != 0 ? 0xEDB88320u ^ (remainder >> 1) : remainder >> 1;
      }
      remainders[i] = remainder;
    }
    return remainders;
  }();
  const auto *  at = static_cast<const unsigned char *>(bytes);
  std::uint32_t sum = ~sofar;
  for (std::size_t i = 0; i < count; ++i)
  {
    sum = table[(sum ^ at[i]) & 0xFFu] ^ (sum >> 8);
  }
  return ~sum;
}

} // namespace disa

#endif
