// SPDX-License-Identifier: Apache-2.0
#include "bindings.h"
#include "errors.h"

// disa._itk: what proxies of the itk package need, linked to the libraries of its wheel.
PYBIND11_MODULE(_itk, module)
{
  pybind11::module_::import("disa._core"); // has the classes of what is handed over
  module.attr("itk_version") = DISA_ITK_VERSION;
  register_errors();
  bind_metric(module);
  bind_multi_metric(module);
  bind_transforms(module);
}
