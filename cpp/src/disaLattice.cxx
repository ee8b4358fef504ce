#include "disaLattice.h"

#include <algorithm>
#include <cmath>

namespace disa
{
namespace
{

/** A point this close to the border of a cubic lattice's domain, in nodes, is inside, whatever the rounding. */
constexpr double BorderTolerance = 1e-9;

/** The nodes that act on a point along one axis. */
template <std::size_t N>
struct Taps
{
  std::size_t first;
  double      weight[N];
  double      slope[N]; ///< derivative of the weight by the index
};

inline bool
FindTaps(double index, std::size_t size, Taps<4> & taps)
{
  const double last = static_cast<double>(size) - 2.0;
  if (!(index >= 1.0 - BorderTolerance && index <= last + BorderTolerance))
  {
    return false;
  }
  taps.first = std::min(static_cast<std::size_t>(std::max(index, 1.0)) - 1, size - 4);
  const double     t = index - static_cast<double>(taps.first + 1);
  const double     s = 1.0 - t;
  constexpr double sixth = 1.0 / 6.0; // six divisions a point would be felt
  taps.weight[0] = s * s * s * sixth;
  taps.weight[1] = 2.0 / 3.0 - t * t * (1.0 - 0.5 * t);
  taps.weight[2] = 2.0 / 3.0 - s * s * (1.0 - 0.5 * s);
  taps.weight[3] = t * t * t * sixth;
  taps.slope[0] = -0.5 * s * s;
  taps.slope[1] = t * (1.5 * t - 2.0);
  taps.slope[2] = s * (2.0 - 1.5 * s);
  taps.slope[3] = 0.5 * t * t;
  return true;
}

inline bool
FindTaps(double index, std::size_t size, Taps<2> & taps)
{
  const double last = static_cast<double>(size) - 1.0;
  if (!(index >= -0.5 && index < last + 0.5))
  {
    return false;
  }
  // In the half cell around the outermost nodes the displacement is theirs.
  const double clamped = std::clamp(index, 0.0, last);
  taps.first = size == 1 ? 0 : std::min(static_cast<std::size_t>(clamped), size - 2);
  taps.weight[1] = clamped - static_cast<double>(taps.first);
  taps.weight[0] = 1.0 - taps.weight[1];
  taps.slope[1] = clamped == index ? 1.0 : 0.0;
  taps.slope[0] = -taps.slope[1];
  return true;
}

template <std::size_t N>
inline bool
FindTaps(const Vector3 & index, const std::array<std::size_t, 3> & size, std::array<Taps<N>, 3> & taps)
{
  return FindTaps(index[0], size[0], taps[0]) && FindTaps(index[1], size[1], taps[1]) &&
         FindTaps(index[2], size[2], taps[2]);
}

} // namespace

Lattice::Lattice(Kind kind, const Frame & nodes, const double * parameters)
  : m_Kind(kind)
  , m_Size(nodes.size)
  , m_ToIndex(nodes.PhysicalToIndex())
  , m_Parameters(parameters)
  , m_ComponentStride(kind == Kind::CubicBSpline ? nodes.NumberOfCells() : 1)
{
  std::size_t stride = kind == Kind::CubicBSpline ? 1 : 3;
  for (int axis = 0; axis < 3; ++axis)
  {
    m_Stride[axis] = m_Size[axis] > 1 ? stride : 0;
    stride *= m_Size[axis];
  }
}

Vector3
Lattice::operator()(const Vector3 & point) const
{
  return m_Kind == Kind::CubicBSpline ? Displace<4>(point) : Displace<2>(point);
}

Vector3
Lattice::PullBack(const Vector3 & point, const Vector3 & gradient) const
{
  return m_Kind == Kind::CubicBSpline ? PullBackThrough<4>(point, gradient) : PullBackThrough<2>(point, gradient);
}

Lattice::Sample
Lattice::MakeSample(const Vector3 & point, const Vector3 & gradient) const
{
  return m_Kind == Kind::CubicBSpline ? MakeSampleOf<4>(point, gradient) : MakeSampleOf<2>(point, gradient);
}

template <std::size_t N>
Vector3
Lattice::Displace(const Vector3 & point) const
{
  std::array<Taps<N>, 3> taps;
  if (!FindTaps(m_ToIndex(point), m_Size, taps))
  {
    return point;
  }
  const auto & [x, y, z] = taps;
  const double *    corner = m_Parameters + x.first * m_Stride[0] + y.first * m_Stride[1] + z.first * m_Stride[2];
  const std::size_t step = N == 4 ? 1 : m_Stride[0]; // a constant lets the compiler vectorise
  Vector3           displaced = point;
  for (std::size_t k = 0; k < N; ++k)
  {
    for (std::size_t j = 0; j < N; ++j)
    {
      const double weight = z.weight[k] * y.weight[j];
      for (std::size_t component = 0; component < 3; ++component)
      {
        const double * node = corner + component * m_ComponentStride + k * m_Stride[2] + j * m_Stride[1];
        double         sum = 0.0;
        for (std::size_t i = 0; i < N; ++i)
        {
          sum += x.weight[i] * node[i * step];
        }
        displaced[component] += weight * sum;
      }
    }
  }
  return displaced;
}

template <std::size_t N>
Vector3
Lattice::PullBackThrough(const Vector3 & point, const Vector3 & gradient) const
{
  std::array<Taps<N>, 3> taps;
  if (!FindTaps(m_ToIndex(point), m_Size, taps))
  {
    return gradient;
  }
  const auto & [x, y, z] = taps;
  const double * corner = m_Parameters + x.first * m_Stride[0] + y.first * m_Stride[1] + z.first * m_Stride[2];
  Vector3        byIndex{};
  for (std::size_t k = 0; k < N; ++k)
  {
    for (std::size_t j = 0; j < N; ++j)
    {
      for (std::size_t i = 0; i < N; ++i)
      {
        const double * node = corner + k * m_Stride[2] + j * m_Stride[1] + i * m_Stride[0];
        const double   along =
          gradient[0] * node[0] + gradient[1] * node[m_ComponentStride] + gradient[2] * node[2 * m_ComponentStride];
        byIndex[0] += along * x.slope[i] * y.weight[j] * z.weight[k];
        byIndex[1] += along * x.weight[i] * y.slope[j] * z.weight[k];
        byIndex[2] += along * x.weight[i] * y.weight[j] * z.slope[k];
      }
    }
  }
  return AffineMap{ Transpose(m_ToIndex.matrix), gradient }(byIndex);
}

template <std::size_t N>
Lattice::Sample
Lattice::MakeSampleOf(const Vector3 & point, const Vector3 & gradient) const
{
  Sample                 sample{ m_ToIndex(point), gradient, -1 };
  std::array<Taps<N>, 3> taps;
  if ((gradient[0] != 0.0 || gradient[1] != 0.0 || gradient[2] != 0.0) && FindTaps(sample.index, m_Size, taps))
  {
    sample.plane = static_cast<int>(taps[2].first);
  }
  return sample;
}

void
Lattice::AddDerivative(const std::vector<Sample> & samples, double * derivative, const ParallelFor & parallelFor) const
{
  // Samples by their first plane, each plane's in their own order.
  std::vector<std::size_t> begin(m_Size[2] + 1, 0);
  for (const Sample & sample : samples)
  {
    if (sample.plane >= 0)
    {
      ++begin[static_cast<std::size_t>(sample.plane) + 1];
    }
  }
  for (std::size_t plane = 0; plane < m_Size[2]; ++plane)
  {
    begin[plane + 1] += begin[plane];
  }
  std::vector<std::size_t> order(begin.back());
  std::vector<std::size_t> next = begin;
  for (std::size_t i = 0; i < samples.size(); ++i)
  {
    if (samples[i].plane >= 0)
    {
      order[next[static_cast<std::size_t>(samples[i].plane)]++] = i;
    }
  }
  parallelFor(m_Size[2],
              [&](std::size_t plane)
              {
                const std::size_t reach = m_Kind == Kind::CubicBSpline ? 3 : 1;
                const std::size_t first = plane > reach ? plane - reach : 0;
                for (std::size_t n = begin[first]; n < begin[plane + 1]; ++n)
                {
                  m_Kind == Kind::CubicBSpline ? AddToPlane<4>(plane, samples[order[n]], derivative)
                                               : AddToPlane<2>(plane, samples[order[n]], derivative);
                }
              });
}

template <std::size_t N>
void
Lattice::AddToPlane(std::size_t plane, const Sample & sample, double * derivative) const
{
  std::array<Taps<N>, 3> taps;
  if (!FindTaps(sample.index, m_Size, taps))
  {
    return; // never: it was inside when the sample was made
  }
  const auto & [x, y, z] = taps;
  double *          corner = derivative + x.first * m_Stride[0] + y.first * m_Stride[1] + plane * m_Stride[2];
  const double      weightZ = z.weight[plane - z.first];
  const std::size_t step = N == 4 ? 1 : m_Stride[0];
  for (std::size_t j = 0; j < N; ++j)
  {
    for (std::size_t component = 0; component < 3; ++component)
    {
      double *     node = corner + component * m_ComponentStride + j * m_Stride[1];
      const double along = weightZ * y.weight[j] * sample.gradient[component];
      for (std::size_t i = 0; i < N; ++i)
      {
        node[i * step] += along * x.weight[i];
      }
    }
  }
}

} // namespace disa
