#include "disaEvaluate.h"
#include "disaEvaluateLoop.h"

namespace disa
{
namespace
{

template <typename TChannel, typename TSum>
struct PortableDots
{
  using Channel = TChannel;
  using Sum = TSum;

  static void
  Run(const Channel * fixed, const Channel * cell, std::size_t row, std::size_t slice, Sum * dots)
  {
    for (int corner = 0; corner < 8; ++corner)
    {
      const Channel * moving = cell + (corner >> 2) * slice + (corner >> 1 & 1) * row + (corner & 1) * 16;
      Sum             sum = 0;
      for (int c = 0; c < 16; ++c)
      {
        // int8: 16 products of 2^14 at most in size, so 2^18 at most, far within int32. Descriptors from the network
        // are within 127, so 16 * 127 * 127 = 258064; dots are blended in double and never added up as integers.
        sum += Sum(fixed[c]) * Sum(moving[c]);
      }
      dots[corner] = sum;
    }
  }
};

} // namespace

std::size_t
EvaluatePortable(const Cells<std::int8_t> & cells,
                 const std::int8_t *        descriptors,
                 const double *             index,
                 std::size_t                count,
                 double *                   value,
                 double *                   gradient)
{
  return EvaluateLoop<PortableDots<std::int8_t, std::int32_t>>::Run(cells, descriptors, index, count, value, gradient);
}

std::size_t
EvaluatePortable(const Cells<float> & cells,
                 const float *        descriptors,
                 const double *       index,
                 std::size_t          count,
                 double *             value,
                 double *             gradient)
{
  return EvaluateLoop<PortableDots<float, double>>::Run(cells, descriptors, index, count, value, gradient);
}

} // namespace disa
