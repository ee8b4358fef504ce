// SPDX-License-Identifier: Apache-2.0
#include "disa/metric/DisplacementMap.h"

#include "kernels/Kernels.h"

namespace disa
{

DisplacementMap::DisplacementMap(Kind kind, const Frame & nodes, const double * parameters)
  : m_ToIndex(nodes.PhysicalToIndex())
{
  m_Nodes.isCubic = kind == Kind::CubicBSpline;
  m_Nodes.componentStride = m_Nodes.isCubic ? nodes.NumberOfCells() : 1;
  m_Nodes.displacements = parameters;
  ToRows(m_ToIndex, m_Nodes.toIndex);
  std::size_t stride = m_Nodes.isCubic ? 1 : 3;
  for (int axis = 0; axis < 3; ++axis)
  {
    m_Nodes.size[axis] = nodes.size[axis];
    m_Nodes.stride[axis] = nodes.size[axis] > 1 ? stride : 0;
    stride *= nodes.size[axis];
  }
}

Vector3
DisplacementMap::operator()(const Vector3 & point) const
{
  const PointFunctions & functions = *ChosenKernel().points;
  double                 placement[PlacementSize];
  Vector3                displaced;
  functions.place(m_Nodes, point.data(), 1, placement);
  functions.displace(m_Nodes, placement, point.data(), 1, displaced.data());
  return displaced;
}

Vector3
DisplacementMap::PullBack(const Vector3 & point, const Vector3 & gradient) const
{
  const PointFunctions & functions = *ChosenKernel().points;
  double                 placement[PlacementSize];
  Vector3                pulled;
  functions.place(m_Nodes, point.data(), 1, placement);
  functions.pullBack(m_Nodes, placement, point.data(), gradient.data(), 1, pulled.data());
  return pulled;
}

} // namespace disa
