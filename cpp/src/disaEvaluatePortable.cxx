#include "disaEvaluate.h"
#include "disaEvaluateLoop.h"

namespace disa
{
namespace
{

template <typename TChannel, typename TSum>
struct PortableBlend
{
  static TSum
  Dot(const TChannel * a, const TChannel * b)
  {
    TSum sum = 0;
    for (int c = 0; c < 16; ++c)
    {
      sum += TSum(a[c]) * TSum(b[c]); // int8: at most 16 * 128 * 128 = 2^18
    }
    return sum;
  }

  static double
  Run(const TChannel * fixed,
      const TChannel * cell,
      std::size_t      row,
      std::size_t      slice,
      double           fx,
      double           fy,
      double           fz,
      double *         gradient)
  {
    double d[2][2][2];
    for (int z = 0; z < 2; ++z)
    {
      for (int y = 0; y < 2; ++y)
      {
        for (int x = 0; x < 2; ++x)
        {
          d[z][y][x] = double(Dot(fixed, cell + z * slice + y * row + x * 16));
        }
      }
    }
    double value[2][2]; // blended along z: [y][x]
    double alongZ[2][2];
    for (int y = 0; y < 2; ++y)
    {
      for (int x = 0; x < 2; ++x)
      {
        alongZ[y][x] = d[1][y][x] - d[0][y][x];
        value[y][x] = d[0][y][x] + fz * alongZ[y][x];
      }
    }
    const double low = value[0][0] + fx * (value[0][1] - value[0][0]);
    const double high = value[1][0] + fx * (value[1][1] - value[1][0]);
    const double lowZ = alongZ[0][0] + fx * (alongZ[0][1] - alongZ[0][0]);
    const double highZ = alongZ[1][0] + fx * (alongZ[1][1] - alongZ[1][0]);
    gradient[0] = (1.0 - fy) * (value[0][1] - value[0][0]) + fy * (value[1][1] - value[1][0]);
    gradient[1] = high - low;
    gradient[2] = lowZ + fy * (highZ - lowZ);
    return low + fy * (high - low);
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
  return EvaluateLoop<PortableBlend<std::int8_t, std::int32_t>>(cells, descriptors, index, count, value, gradient);
}

std::size_t
EvaluatePortable(const Cells<float> & cells,
                 const float *        descriptors,
                 const double *       index,
                 std::size_t          count,
                 double *             value,
                 double *             gradient)
{
  return EvaluateLoop<PortableBlend<float, double>>(cells, descriptors, index, count, value, gradient);
}

} // namespace disa
