// SPDX-License-Identifier: Apache-2.0
#include "bindings.h"
#include "errors.h"

// disa._engine: ITK's registration method as SimpleITK's class runs it.
PYBIND11_MODULE(_engine, module)
{
  pybind11::module_::import("disa._core"); // has the classes of what is handed over
  module.attr("itk_version") = DISA_ENGINE_ITK_VERSION;
  register_errors();
  bind_registration_engine(module);
}
