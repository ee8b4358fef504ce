#ifndef disaSmoothing_h
#define disaSmoothing_h

#include <array>
#include <cstddef>

namespace disa
{

/** \brief Convolve every channel of a descriptor grid with a Gaussian, in place; zeros lie beyond the grid.
 *
 * \param data     (z, y, x, channel), the channel fastest.
 * \param size     cells along x, y, z.
 * \param channels numbers a cell.
 * \param sigma    standard deviation in cells; the kernel ends after four of them. */
void SmoothDescriptors(float * data, const std::array<std::size_t, 3> & size, std::size_t channels, double sigma);

} // namespace disa

#endif
