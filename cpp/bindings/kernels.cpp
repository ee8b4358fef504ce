// SPDX-License-Identifier: Apache-2.0
#include "bindings.h"

#include "kernels/Kernels.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

namespace py = pybind11;

namespace
{

using Int8Array = py::array_t<std::int8_t, py::array::c_style>;
using DoubleArray = py::array_t<double, py::array::c_style>;

/** Runs one kernel on plain arrays, points as (3, n); for tests. */
py::tuple
evaluate(const std::string & name, const Int8Array & cells, const Int8Array & descriptors, const DoubleArray & index)
{
  const disa::Kernel &           kernel = disa::FindKernel(name, "evaluate_kernel");
  const py::ssize_t              count = index.shape(1);
  DoubleArray                    value(count);
  DoubleArray                    gradient({ py::ssize_t(3), count });
  const disa::Cells<std::int8_t> view{
    cells.data(), { std::size_t(cells.shape(2)), std::size_t(cells.shape(1)), std::size_t(cells.shape(0)) }
  };
  const std::size_t inside = kernel.functions->evaluate(
    view, descriptors.data(), index.data(), std::size_t(count), value.mutable_data(), gradient.mutable_data());
  return py::make_tuple(inside, value, gradient);
}

std::vector<std::string>
kernels()
{
  std::vector<std::string> names;
  for (const disa::Kernel & kernel : disa::AvailableKernels())
  {
    names.push_back(kernel.name);
  }
  return names;
}

} // namespace

void
bind_kernels(py::module_ & module)
{
  module.def("kernel", [] { return disa::ChosenKernel().name; });
  module.def("kernels", &kernels);
  module.def("evaluate_kernel", &evaluate, py::arg("name"), py::arg("cells"), py::arg("descriptors"), py::arg("index"));
}
