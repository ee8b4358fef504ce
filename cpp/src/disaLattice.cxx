#include "disaLattice.h"

#include <algorithm>
#include <cmath>

namespace disa
{
namespace
{

/** A point this close to the border of a cubic lattice's domain, in nodes, is inside, whatever the rounding. */
constexpr double BorderTolerance = 1e-9;

bool
FindCubicTaps(double index, std::size_t size, std::size_t & first, double * weight, double * slope)
{
  const double last = static_cast<double>(size) - 2.0;
  if (!(index >= 1.0 - BorderTolerance && index <= last + BorderTolerance))
  {
    return false;
  }
  first = std::min(static_cast<std::size_t>(std::max(index, 1.0)) - 1, size - 4);
  const double t = index - static_cast<double>(first + 1);
  const double s = 1.0 - t;
  weight[0] = s * s * s / 6.0;
  weight[1] = 2.0 / 3.0 - t * t * (1.0 - 0.5 * t);
  weight[2] = 2.0 / 3.0 - s * s * (1.0 - 0.5 * s);
  weight[3] = t * t * t / 6.0;
  slope[0] = -0.5 * s * s;
  slope[1] = t * (1.5 * t - 2.0);
  slope[2] = s * (2.0 - 1.5 * s);
  slope[3] = 0.5 * t * t;
  return true;
}

bool
FindLinearTaps(double index, std::size_t size, std::size_t & first, double * weight, double * slope)
{
  const double last = static_cast<double>(size) - 1.0;
  if (!(index >= -0.5 && index < last + 0.5))
  {
    return false;
  }
  // In the half cell around the outermost nodes the displacement is theirs.
  const double clamped = std::clamp(index, 0.0, last);
  first = size == 1 ? 0 : std::min(static_cast<std::size_t>(clamped), size - 2);
  weight[1] = clamped - static_cast<double>(first);
  weight[0] = 1.0 - weight[1];
  slope[1] = clamped == index ? 1.0 : 0.0;
  slope[0] = -slope[1];
  return true;
}

} // namespace

Lattice::Lattice(Kind kind, const Frame & nodes, const double * parameters)
  : m_Kind(kind)
  , m_Size(nodes.size)
  , m_ToIndex(nodes.PhysicalToIndex())
  , m_Parameters(parameters)
  , m_NodeStride(kind == Kind::CubicBSpline ? 1 : 3)
  , m_ComponentStride(kind == Kind::CubicBSpline ? nodes.NumberOfCells() : 1)
{
  for (int axis = 0; axis < 3; ++axis)
  {
    m_NumberOfTaps[axis] = kind == Kind::CubicBSpline ? 4 : std::min<std::size_t>(2, m_Size[axis]);
  }
}

std::optional<std::array<Lattice::Taps, 3>>
Lattice::FindTaps(const Vector3 & point) const
{
  const Vector3       index = m_ToIndex(point);
  std::array<Taps, 3> taps;
  for (int axis = 0; axis < 3; ++axis)
  {
    Taps &     t = taps[axis];
    const auto find = m_Kind == Kind::CubicBSpline ? &FindCubicTaps : &FindLinearTaps;
    if (!find(index[axis], m_Size[axis], t.first, t.weight, t.slope))
    {
      return std::nullopt;
    }
  }
  return taps;
}

Vector3
Lattice::operator()(const Vector3 & point) const
{
  const auto taps = FindTaps(point);
  if (!taps)
  {
    return point;
  }
  const auto & [x, y, z] = *taps;
  Vector3 displaced = point;
  for (std::size_t k = 0; k < m_NumberOfTaps[2]; ++k)
  {
    for (std::size_t j = 0; j < m_NumberOfTaps[1]; ++j)
    {
      const std::size_t row = ((z.first + k) * m_Size[1] + y.first + j) * m_Size[0] + x.first;
      const double      weight = z.weight[k] * y.weight[j];
      for (std::size_t component = 0; component < 3; ++component)
      {
        const double * node = m_Parameters + component * m_ComponentStride + row * m_NodeStride;
        double         sum = 0.0;
        for (std::size_t i = 0; i < m_NumberOfTaps[0]; ++i)
        {
          sum += x.weight[i] * node[i * m_NodeStride];
        }
        displaced[component] += weight * sum;
      }
    }
  }
  return displaced;
}

Vector3
Lattice::PullBack(const Vector3 & point, const Vector3 & gradient) const
{
  const auto taps = FindTaps(point);
  if (!taps)
  {
    return gradient;
  }
  const auto & [x, y, z] = *taps;
  Vector3 byIndex{};
  for (std::size_t k = 0; k < m_NumberOfTaps[2]; ++k)
  {
    for (std::size_t j = 0; j < m_NumberOfTaps[1]; ++j)
    {
      for (std::size_t i = 0; i < m_NumberOfTaps[0]; ++i)
      {
        const std::size_t number = ((z.first + k) * m_Size[1] + y.first + j) * m_Size[0] + x.first + i;
        const double *    node = m_Parameters + number * m_NodeStride;
        const double      along =
          gradient[0] * node[0] + gradient[1] * node[m_ComponentStride] + gradient[2] * node[2 * m_ComponentStride];
        byIndex[0] += along * x.slope[i] * y.weight[j] * z.weight[k];
        byIndex[1] += along * x.weight[i] * y.slope[j] * z.weight[k];
        byIndex[2] += along * x.weight[i] * y.weight[j] * z.slope[k];
      }
    }
  }
  const Matrix3 transposed = Transpose(m_ToIndex.matrix);
  return AffineMap{ transposed, gradient }(byIndex);
}

Lattice::Sample
Lattice::MakeSample(const Vector3 & point, const Vector3 & gradient) const
{
  Sample     sample{ point, gradient, -1 };
  const auto taps = FindTaps(point);
  if (taps && (gradient[0] != 0.0 || gradient[1] != 0.0 || gradient[2] != 0.0))
  {
    sample.plane = static_cast<int>((*taps)[2].first);
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
                const std::size_t reach = m_NumberOfTaps[2] - 1;
                const std::size_t first = plane > reach ? plane - reach : 0;
                for (std::size_t n = begin[first]; n < begin[plane + 1]; ++n)
                {
                  AddToPlane(plane, samples[order[n]], derivative);
                }
              });
}

void
Lattice::AddToPlane(std::size_t plane, const Sample & sample, double * derivative) const
{
  const auto taps = FindTaps(sample.point);
  const auto & [x, y, z] = *taps;
  const double weightZ = z.weight[plane - z.first];
  for (std::size_t j = 0; j < m_NumberOfTaps[1]; ++j)
  {
    const std::size_t row = (plane * m_Size[1] + y.first + j) * m_Size[0] + x.first;
    for (std::size_t component = 0; component < 3; ++component)
    {
      double *     node = derivative + component * m_ComponentStride + row * m_NodeStride;
      const double along = weightZ * y.weight[j] * sample.gradient[component];
      for (std::size_t i = 0; i < m_NumberOfTaps[0]; ++i)
      {
        node[i * m_NodeStride] += along * x.weight[i];
      }
    }
  }
}

} // namespace disa
