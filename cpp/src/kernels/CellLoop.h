// SPDX-License-Identifier: Apache-2.0
#ifndef disa_kernels_CellLoop_h
#define disa_kernels_CellLoop_h

#include "disa/kernels/Cells.h"

#include <cmath>
#include <limits>

namespace disa
{

/** \brief The loop that all kernels share; `TDots` is the instruction set's part, a struct with
 *
 * \code
 * using Channel, Sum;
 * static void Run(const Channel * fixed, const Channel * const cell[4], std::size_t row, std::size_t slice, Sum * dots,
 *                 std::size_t step);
 * \endcode
 *
 * which, for 4 points at once, dots 16 fixed channels each with those of the 8 cells from `cell` on, `row` and `slice`
 * channels apart, and writes the 4 sums of each cell side by side, those of the next cell `step` further on, cells in
 * the order (z, y, x), x fastest. Everything else is plain C++ over strips of points, one array for each quantity,
 * which compilers vectorise for the instruction set of the file at hand. The kernels are compiled without contraction
 * of floating-point expressions and add up in lanes of a fixed number, so all of them come to the same bits.
 *
 * The blend has a kink where a point crosses from cell to cell. A point on such a border, to within 1e-7 cells, gets
 * the mean of the two one-sided derivatives, which is what a central difference tends to.
 *
 * Everything here is a template on the instruction set's own type, so that no code compiled for one set is ever linked
 * into another. */
template <typename TDots>
class CellLoop
{
public:
  using Channel = typename TDots::Channel;
  using Sum = typename TDots::Sum;

  /** An EvaluateFunction. */
  static std::size_t
  Evaluate(const Cells<Channel> & cells,
           const Channel *        descriptors,
           const double *         index,
           std::size_t            count,
           double *               value,
           double *               gradient)
  {
    const CellLoop loop(cells);
    double         inside = 0.0;
    loop.ForEachStrip(
      count,
      [&](std::size_t begin, std::size_t n, Strip & strip)
      {
        for (int axis = 0; axis < 3; ++axis)
        {
          Copy(index + std::size_t(axis) * count + begin, n, NotANumber, strip.index[axis]);
        }
        Fill(1.0, strip.isInside);
      },
      [&](std::size_t begin, std::size_t n, Strip & strip)
      {
        loop.Run(descriptors + Channels * begin, n, gradient != nullptr, strip);
        inside += strip.numberInside;
        for (std::size_t i = 0; i < n; ++i)
        {
          value[begin + i] = strip.isInside[i] * strip.value[i];
        }
        for (int axis = 0; axis < 3 && gradient != nullptr; ++axis)
        {
          for (std::size_t i = 0; i < n; ++i)
          {
            gradient[std::size_t(axis) * count + begin + i] = strip.isInside[i] * strip.gradient[axis][i];
          }
        }
      });
    return static_cast<std::size_t>(inside);
  }

  /** An AccumulateFunction. */
  static Moments
  Accumulate(const Cells<Channel> & cells, const Samples<Channel> & samples, const double (&map)[12], bool wantGradient)
  {
    const CellLoop loop(cells);
    double         inside = 0.0;
    Lanes          value, gradient[3], moment[9];
    loop.ForEachStrip(
      samples.count,
      [&](std::size_t begin, std::size_t n, Strip & strip) { Load(samples, begin, n, map, strip); },
      [&](std::size_t begin, std::size_t n, Strip & strip)
      {
        loop.Run(samples.descriptors + Channels * begin, n, wantGradient, strip);
        inside += strip.numberInside;
        for (std::size_t i = 0; i < StripSize; ++i)
        {
          strip.weight[i] *= strip.isInside[i];
        }
        value.Add(strip.weight, strip.value);
        for (int row = 0; row < 3 && wantGradient; ++row)
        {
          for (std::size_t i = 0; i < StripSize; ++i)
          {
            strip.gradient[row][i] *= strip.weight[i];
          }
          gradient[row].Add(strip.gradient[row]);
          for (int column = 0; column < 3; ++column)
          {
            moment[3 * row + column].Add(strip.gradient[row], strip.coordinate[column]);
          }
        }
      });
    Moments sums{ static_cast<std::size_t>(inside), value.Sum(), {}, {} };
    for (int i = 0; i < 3; ++i)
    {
      sums.gradient[i] = gradient[i].Sum();
    }
    for (int i = 0; i < 9; ++i)
    {
      sums.moment[i] = moment[i].Sum();
    }
    return sums;
  }

private:
  static constexpr std::size_t Channels = 16;
  static constexpr std::size_t StripSize = 32;
  static constexpr std::size_t GroupSize = 4; ///< points that are dotted at once
  static constexpr double      Border = 1e-7;
  static constexpr double      NotANumber = std::numeric_limits<double>::quiet_NaN();

  struct alignas(64) Strip
  {
    double       coordinate[3][StripSize]; ///< of a sample; without samples of no use
    double       weight[StripSize];        ///< likewise
    double       index[3][StripSize];
    double       isInside[StripSize];    ///< 1 or 0
    double       share[3][StripSize];    ///< of the upper of two cells
    double       onBorder[StripSize];    ///< more than 0 if inside and on a border between cells
    double       number[StripSize];      ///< of the lowest of the 8 cells
    std::int32_t cell[StripSize];        ///< the same
    Sum          dots[8][StripSize];     ///< those of a point outside are any number
    double       value[StripSize];       ///< likewise
    double       gradient[3][StripSize]; ///< likewise
    double       numberInside;
  };

  /** A sum in as many parts as the widest instruction set has lanes. */
  class Lanes
  {
  public:
    void
    Add(const double (&terms)[StripSize])
    {
      for (std::size_t begin = 0; begin < StripSize; begin += Count)
      {
        for (std::size_t lane = 0; lane < Count; ++lane)
        {
          m_Parts[lane] += terms[begin + lane];
        }
      }
    }
    void
    Add(const double (&a)[StripSize], const double (&b)[StripSize])
    {
      for (std::size_t begin = 0; begin < StripSize; begin += Count)
      {
        for (std::size_t lane = 0; lane < Count; ++lane)
        {
          m_Parts[lane] += a[begin + lane] * b[begin + lane];
        }
      }
    }
    double
    Sum() const
    {
      double sum = 0.0;
      for (const double part : m_Parts)
      {
        sum += part;
      }
      return sum;
    }

  private:
    static constexpr std::size_t Count = 8;
    double                       m_Parts[Count] = {};
  };

  explicit CellLoop(const Cells<Channel> & cells)
    : m_Cells(cells.data)
    , m_Size{ cells.size[0], cells.size[1], cells.size[2] }
    , m_Last{ Below(cells.size[0] - 1), Below(cells.size[1] - 1), Below(cells.size[2] - 1) }
    , m_Step{ Channels, cells.size[0] * Channels, cells.size[1] * cells.size[0] * Channels }
  {
  }

  static double
  Below(std::size_t index)
  {
    return std::nextafter(double(index), 0.0);
  }

  /** Calls load and then use with the begin and length of each strip; a strip is loaded, and its cells on their way to
   * the cache, while the one before is in use. */
  template <typename TLoad, typename TUse>
  void
  ForEachStrip(std::size_t count, const TLoad & load, const TUse & use) const
  {
    Strip strips[2];
    for (std::size_t begin = 0, number = 0; begin < count + StripSize; begin += StripSize, ++number)
    {
      if (begin < count)
      {
        Strip & strip = strips[number % 2];
        load(begin, Shorter(count - begin), strip);
        Place(strip);
        Prefetch(strip);
      }
      if (begin > 0)
      {
        use(begin - StripSize, Shorter(count - (begin - StripSize)), strips[(number + 1) % 2]);
      }
    }
  }

  static std::size_t
  Shorter(std::size_t count)
  {
    return count < StripSize ? count : StripSize;
  }

  static void
  Fill(double value, double (&to)[StripSize])
  {
    for (double & number : to)
    {
      number = value;
    }
  }

  /** Samples, and where the map takes them. */
  static void
  Load(const Samples<Channel> & samples, std::size_t begin, std::size_t n, const double (&map)[12], Strip & strip)
  {
    for (int axis = 0; axis < 3; ++axis)
    {
      Copy(samples.coordinates[axis] + begin, n, 0.0, strip.coordinate[axis]);
    }
    Copy(samples.weights + begin, n, 0.0, strip.weight);
    for (std::size_t i = 0; i < StripSize; ++i)
    {
      strip.isInside[i] = i < n ? 1.0 : 0.0;
    }
    for (int axis = 0; axis < 3; ++axis)
    {
      const double * row = map + 4 * axis;
      for (std::size_t i = 0; i < StripSize; ++i)
      {
        strip.index[axis][i] = row[0] * strip.coordinate[0][i] + row[1] * strip.coordinate[1][i] +
                               (row[2] * strip.coordinate[2][i] + row[3]);
      }
    }
  }

  /** The first n numbers, and others up to a whole strip. */
  template <typename TNumber>
  static void
  Copy(const TNumber * from, std::size_t n, double rest, double (&to)[StripSize])
  {
    if (n == StripSize)
    {
      for (std::size_t i = 0; i < StripSize; ++i)
      {
        to[i] = from[i];
      }
      return;
    }
    for (std::size_t i = 0; i < StripSize; ++i)
    {
      to[i] = i < n ? double(from[i]) : rest;
    }
  }

  static void
  CopyDescriptors(const Channel * from, std::size_t n, Channel * to)
  {
    for (std::size_t c = 0; c < n * Channels; ++c)
    {
      to[c] = from[c];
    }
  }

  /** From the places to all the rest. Only the first n points have descriptors. */
  void
  Run(const Channel * fixed, std::size_t n, bool wantGradient, Strip & strip) const
  {
    if (!(strip.numberInside > 0.0))
    {
      Fill(0.0, strip.value);
      for (auto & slope : strip.gradient)
      {
        Fill(0.0, slope);
      }
      return;
    }
    if (n == StripSize)
    {
      Dot(fixed, strip);
    }
    else
    {
      Channel padded[StripSize * Channels] = {};
      CopyDescriptors(fixed, n, padded);
      Dot(padded, strip);
    }
    if (!wantGradient)
    {
      Blend(strip);
      return;
    }
    BlendWithGradient(strip);
    Lanes onBorder;
    onBorder.Add(strip.onBorder);
    if (onBorder.Sum() > 0.0)
    {
      MeanOfBothSides(fixed, n, strip);
    }
  }

  /** Cells and shares of the points; one outside comes to lie on the nearest border. */
  void
  Place(Strip & strip) const
  {
    PlaceAlong<0>(1.0, strip);
    PlaceAlong<1>(double(m_Size[0]), strip);
    PlaceAlong<2>(double(m_Size[0]) * double(m_Size[1]), strip);
    for (std::size_t i = 0; i < StripSize; ++i)
    {
      strip.cell[i] = static_cast<std::int32_t>(strip.number[i]);
      strip.onBorder[i] *= strip.isInside[i];
    }
    Lanes inside;
    inside.Add(strip.isInside);
    strip.numberInside = inside.Sum();
  }

  template <int VAxis>
  void
  PlaceAlong(double step, Strip & strip) const
  {
    const double last = m_Last[VAxis];
    double       place[StripSize];
    for (std::size_t i = 0; i < StripSize; ++i)
    {
      const double p = strip.index[VAxis][i];
      const double above = p > 0.0 ? p : 0.0; // 0 if p is not a number
      place[i] = above < last ? above : last;
    }
    for (std::size_t i = 0; i < StripSize; ++i)
    {
      const auto base = double(static_cast<std::int32_t>(place[i]));
      strip.share[VAxis][i] = place[i] - base;
      strip.number[i] = (VAxis == 0 ? 0.0 : strip.number[i]) + step * base;
    }
    for (std::size_t i = 0; i < StripSize; ++i)
    {
      const double onBorder = std::fabs(strip.share[VAxis][i] - 0.5) > 0.5 - Border ? 1.0 : 0.0;
      strip.isInside[i] = place[i] == strip.index[VAxis][i] ? strip.isInside[i] : 0.0;
      strip.onBorder[i] = (VAxis == 0 ? 0.0 : strip.onBorder[i]) + onBorder;
    }
  }

  const Channel *
  CellOf(const Strip & strip, std::size_t i) const
  {
    return m_Cells + std::size_t(strip.cell[i]) * Channels;
  }

  /** Ask for the 4 rows of 2 cells that each point needs. */
  void
  Prefetch(const Strip & strip) const
  {
    for (std::size_t i = 0; i < StripSize; ++i)
    {
      const Channel * cell = CellOf(strip, i);
      __builtin_prefetch(cell);
      __builtin_prefetch(cell + m_Step[1]);
      __builtin_prefetch(cell + m_Step[2]);
      __builtin_prefetch(cell + m_Step[2] + m_Step[1]);
    }
  }

  void
  Dot(const Channel * fixed, Strip & strip) const
  {
    for (std::size_t begin = 0; begin < StripSize; begin += GroupSize)
    {
      const Channel * cell[GroupSize];
      for (std::size_t i = 0; i < GroupSize; ++i)
      {
        cell[i] = CellOf(strip, begin + i);
      }
      TDots::Run(fixed + Channels * begin, cell, m_Step[1], m_Step[2], &strip.dots[0][begin], StripSize);
    }
  }

  /** The 8 dots at one point; int32 ones and their differences are exact in double. */
  struct Corners
  {
    double value[2][2]; ///< blended along z: [y][x]
    double alongZ[2][2];

    Corners(const Sum * dots, std::size_t step, double z)
    {
      for (std::size_t y = 0; y < 2; ++y)
      {
        for (std::size_t x = 0; x < 2; ++x)
        {
          const Sum * near = dots + (2 * y + x) * step;
          alongZ[y][x] = double(near[4 * step] - near[0]);
          value[y][x] = double(near[0]) + z * alongZ[y][x];
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
      const double low = value[0][1] - value[0][0];
      const double high = value[1][1] - value[1][0];
      return low + y * (high - low);
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
  Blend(Strip & strip)
  {
    for (std::size_t i = 0; i < StripSize; ++i)
    {
      const Corners corners(&strip.dots[0][i], StripSize, strip.share[2][i]);
      strip.value[i] = corners.Value(strip.share[0][i], strip.share[1][i]);
    }
  }

  static void
  BlendWithGradient(Strip & strip)
  {
    for (std::size_t i = 0; i < StripSize; ++i)
    {
      const double  x = strip.share[0][i], y = strip.share[1][i];
      const Corners corners(&strip.dots[0][i], StripSize, strip.share[2][i]);
      strip.value[i] = corners.Value(x, y);
      strip.gradient[0][i] = corners.AlongX(y);
      strip.gradient[1][i] = corners.AlongY(x);
      strip.gradient[2][i] = corners.AlongZ(x, y);
    }
  }

  void
  MeanOfBothSides(const Channel * fixed, std::size_t n, Strip & strip) const
  {
    for (std::size_t i = 0; i < n; ++i)
    {
      for (int axis = 0; axis < 3 && strip.onBorder[i] > 0.0; ++axis)
      {
        const double share = strip.share[axis][i];
        if (std::fabs(share - 0.5) > 0.5 - Border)
        {
          double & slope = strip.gradient[axis][i];
          slope = 0.5 * (slope + OtherSide(fixed + Channels * i, i, axis, share < 0.5, strip));
        }
      }
    }
  }

  /** Derivative along an axis in the next cells, which begin where the point lies. */
  double
  OtherSide(const Channel * fixed, std::size_t i, int axis, bool lower, const Strip & strip) const
  {
    const auto base = static_cast<std::size_t>(strip.index[axis][i]);
    if (lower ? base == 0 : base + 2 >= m_Size[axis])
    {
      return 0.0;
    }
    const Channel * const cell = lower ? CellOf(strip, i) - m_Step[axis] : CellOf(strip, i) + m_Step[axis];
    const Channel * const group[GroupSize] = { cell, cell, cell, cell };
    Channel               padded[GroupSize * Channels] = {};
    Sum                   dots[8 * GroupSize];
    CopyDescriptors(fixed, 1, padded);
    TDots::Run(padded, group, m_Step[1], m_Step[2], dots, GroupSize);
    double across[3] = { strip.share[0][i], strip.share[1][i], strip.share[2][i] };
    across[axis] = lower ? 1.0 : 0.0;
    const Corners corners(dots, GroupSize, across[2]);
    return axis == 0   ? corners.AlongX(across[1])
           : axis == 1 ? corners.AlongY(across[0])
                       : corners.AlongZ(across[0], across[1]);
  }

  const Channel * m_Cells;
  std::size_t     m_Size[3];
  double          m_Last[3]; ///< greatest index inside
  std::size_t     m_Step[3];
};

} // namespace disa

#endif
