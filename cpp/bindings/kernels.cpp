#include "bindings.h"

#include "disaError.h"
#include "disaEvaluate.h"

#include <pybind11/numpy.h>

namespace py = pybind11;

namespace
{

using Int8Array = py::array_t<std::int8_t, py::array::c_style>;
using DoubleArray = py::array_t<double, py::array::c_style>;

/** Runs one kernel on plain arrays; for tests and benchmarks. */
py::tuple
evaluate(const std::string & name, const Int8Array & cells, const Int8Array & descriptors, const DoubleArray & index)
{
  const auto kernel = disa::FindKernel(name.c_str());
  if (kernel == nullptr)
  {
    throw disa::RegistrationError("kernel " + name + " does not run on this processor");
  }
  const auto                     count = static_cast<std::size_t>(index.shape(0));
  DoubleArray                    value(index.shape(0));
  DoubleArray                    gradient({ index.shape(0), py::ssize_t(3) });
  const disa::Cells<std::int8_t> view{
    cells.data(), { std::size_t(cells.shape(2)), std::size_t(cells.shape(1)), std::size_t(cells.shape(0)) }
  };
  const std::size_t inside =
    kernel(view, descriptors.data(), index.data(), count, value.mutable_data(), gradient.mutable_data());
  return py::make_tuple(inside, value, gradient);
}

} // namespace

void
bind_kernels(py::module_ & module)
{
  module.attr("kernel") = disa::BestKernel().name;
  module.def("has_kernel", [](const std::string & name) { return disa::FindKernel(name.c_str()) != nullptr; });
  module.def("evaluate_kernel", &evaluate, py::arg("name"), py::arg("cells"), py::arg("descriptors"), py::arg("index"));
}
