#ifndef disaEvaluateLoop_h
#define disaEvaluateLoop_h

#include "disaCells.h"

#include <cmath>
#include <cstdint>

namespace disa
{

/** \brief The loop that all kernels share; `TDots` is the instruction set's part, a struct with
 *
 * \code
 * using Channel, Sum;
 * static void Run(const Channel * fixed, const Channel * cell, std::size_t row, std::size_t slice, Sum * dots);
 * \endcode
 *
 * which dots 16 fixed channels with those of the 8 cells from `cell` on, `row` and `slice` channels apart, and writes
 * the sums in the order (z, y, x), x fastest. Everything else is plain C++ over strips of points, which compilers
 * vectorise for the instruction set of the file at hand. The kernels are compiled without contraction of floating-point
 * expressions, so all of them blend to the same bits.
 *
 * The blend has a kink where a point crosses from cell to cell. A point on such a border, to within 1e-7 cells, gets
 * the mean of the two one-sided derivatives, which is what a central difference tends to.
 *
 * Everything here is a template on the instruction set's own type, so that no code compiled for one set is ever linked
 * into another. */
template <typename TDots>
class EvaluateLoop
{
public:
  using Channel = typename TDots::Channel;
  using Sum = typename TDots::Sum;

  static std::size_t
  Run(const Cells<Channel> & cells,
      const Channel *        descriptors,
      const double *         index,
      std::size_t            count,
      double *               value,
      double *               gradient)
  {
    const EvaluateLoop loop(cells);
    std::size_t        inside = 0;
    Strip              strip;
    for (std::size_t begin = 0; begin < count; begin += StripSize)
    {
      const std::size_t    n = count - begin < StripSize ? count - begin : StripSize;
      const double * const place[3] = { index + begin, index + count + begin, index + 2 * count + begin };
      loop.Place(place, n, strip);
      inside += loop.Dot(descriptors + Channels * begin, n, strip);
      if (gradient == nullptr)
      {
        Blend(n, strip, value + begin);
        continue;
      }
      double * const slope[3] = { gradient + begin, gradient + count + begin, gradient + 2 * count + begin };
      Blend(n, strip, value + begin, slope);
      if (strip.onBorder)
      {
        loop.MeanOfBothSides(descriptors + Channels * begin, n, strip, slope);
      }
    }
    return inside;
  }

private:
  static constexpr std::size_t Channels = 16;
  static constexpr std::size_t StripSize = 32;
  static constexpr double      Border = 1e-7;

  struct Strip
  {
    std::int32_t base[3][StripSize]; ///< the lowest of the 8 cells; an axis has fewer than 2^31
    double       share[3][StripSize];
    std::int32_t isInside[StripSize];
    std::int32_t onBorder; ///< true if any of those inside is, false if none
    Sum          dots[StripSize][8];
  };

  explicit EvaluateLoop(const Cells<Channel> & cells)
    : m_Cells(cells.data)
    , m_Size{ cells.size[0], cells.size[1], cells.size[2] }
    , m_Step{ Channels, cells.size[0] * Channels, cells.size[1] * cells.size[0] * Channels }
  {
  }

  /** Cells and shares of the points; one outside comes to lie on the nearest border. */
  void
  Place(const double * const index[3], std::size_t n, Strip & strip) const
  {
    for (std::size_t i = 0; i < n; ++i)
    {
      strip.isInside[i] = 1;
    }
    std::int32_t onBorder = 0;
    for (int axis = 0; axis < 3; ++axis)
    {
      const double last = std::nextafter(double(m_Size[axis] - 1), 0.0);
      for (std::size_t i = 0; i < n; ++i)
      {
        const double       p = index[axis][i];
        const double       above = p > 0.0 ? p : 0.0; // 0 if p is not a number
        const double       place = above < last ? above : last;
        const std::int32_t base = static_cast<std::int32_t>(place);
        const double       share = place - double(base);
        strip.base[axis][i] = base;
        strip.share[axis][i] = share;
        const std::int32_t isInside = std::int32_t(place == p);
        strip.isInside[i] &= isInside;
        onBorder |= isInside & (std::int32_t(share < Border) | std::int32_t(share > 1.0 - Border));
      }
    }
    strip.onBorder = onBorder;
  }

  const Channel *
  CellOf(const Strip & strip, std::size_t i) const
  {
    return m_Cells + std::size_t(strip.base[0][i]) * m_Step[0] + std::size_t(strip.base[1][i]) * m_Step[1] +
           std::size_t(strip.base[2][i]) * m_Step[2];
  }

  std::size_t
  Dot(const Channel * fixed, std::size_t n, Strip & strip) const
  {
    std::size_t inside = 0;
    for (std::size_t i = 0; i < n; ++i)
    {
      if (strip.isInside[i])
      {
        TDots::Run(fixed + Channels * i, CellOf(strip, i), m_Step[1], m_Step[2], strip.dots[i]);
        ++inside;
      }
      else
      {
        for (Sum & dot : strip.dots[i])
        {
          dot = 0;
        }
      }
    }
    return inside;
  }

  /** The 8 dots at one point; int32 ones are exact in double. */
  struct Corners
  {
    double value[2][2]; ///< blended along z: [y][x]
    double alongZ[2][2];

    Corners(const Sum * dots, double z)
    {
      for (int y = 0; y < 2; ++y)
      {
        for (int x = 0; x < 2; ++x)
        {
          const double near = double(dots[2 * y + x]);
          alongZ[y][x] = double(dots[4 + 2 * y + x]) - near;
          value[y][x] = near + z * alongZ[y][x];
        }
      }
    }
    double
    Value(double x, double y) const
    {
      const double low = value[0][0] + x * (value[0][1] - value[0][0]);
      const double high = value[1][0] + x * (value[1][1] - value[1][0]);
      return low + y * (high - low);
    }
    double
    AlongX(double y) const
    {
      return (1.0 - y) * (value[0][1] - value[0][0]) + y * (value[1][1] - value[1][0]);
    }
    double
    AlongY(double x) const
    {
      const double low = value[0][0] + x * (value[0][1] - value[0][0]);
      const double high = value[1][0] + x * (value[1][1] - value[1][0]);
      return high - low;
    }
    double
    AlongZ(double x, double y) const
    {
      const double low = alongZ[0][0] + x * (alongZ[0][1] - alongZ[0][0]);
      const double high = alongZ[1][0] + x * (alongZ[1][1] - alongZ[1][0]);
      return low + y * (high - low);
    }
  };

  static void
  Blend(std::size_t n, const Strip & strip, double * value)
  {
    for (std::size_t i = 0; i < n; ++i)
    {
      value[i] = Corners(strip.dots[i], strip.share[2][i]).Value(strip.share[0][i], strip.share[1][i]);
    }
  }

  static void
  Blend(std::size_t n, const Strip & strip, double * value, double * const gradient[3])
  {
    for (std::size_t i = 0; i < n; ++i)
    {
      const double  x = strip.share[0][i], y = strip.share[1][i];
      const Corners corners(strip.dots[i], strip.share[2][i]);
      value[i] = corners.Value(x, y);
      gradient[0][i] = corners.AlongX(y);
      gradient[1][i] = corners.AlongY(x);
      gradient[2][i] = corners.AlongZ(x, y);
    }
  }

  void
  MeanOfBothSides(const Channel * fixed, std::size_t n, const Strip & strip, double * const gradient[3]) const
  {
    for (std::size_t i = 0; i < n; ++i)
    {
      for (int axis = 0; axis < 3 && strip.isInside[i]; ++axis)
      {
        const double share = strip.share[axis][i];
        const bool   lower = share < Border;
        if (!lower && !(share > 1.0 - Border))
        {
          continue;
        }
        double            other = 0.0;
        const std::size_t base = std::size_t(strip.base[axis][i]);
        if (lower ? base > 0 : base + 2 < m_Size[axis])
        {
          double across[3] = { strip.share[0][i], strip.share[1][i], strip.share[2][i] };
          across[axis] = lower ? 1.0 : 0.0;
          const Channel * cell = CellOf(strip, i);
          Sum             dots[8];
          TDots::Run(
            fixed + Channels * i, lower ? cell - m_Step[axis] : cell + m_Step[axis], m_Step[1], m_Step[2], dots);
          const Corners corners(dots, across[2]);
          other = axis == 0   ? corners.AlongX(across[1])
                  : axis == 1 ? corners.AlongY(across[0])
                              : corners.AlongZ(across[0], across[1]);
        }
        gradient[axis][i] = 0.5 * (gradient[axis][i] + other);
      }
    }
  }

  const Channel * m_Cells;
  std::size_t     m_Size[3];
  std::size_t     m_Step[3];
};

} // namespace disa

#endif
