// SPDX-License-Identifier: Apache-2.0
#include "errors.h"

#include "disa/core/Error.h"

#include <pybind11/pybind11.h>

namespace py = pybind11;

namespace
{

void
raise(const char * type, const std::exception & error)
{
  PyErr_SetString(py::module_::import("disa.errors").attr(type).ptr(), error.what());
}

void
translate(std::exception_ptr pointer)
{
  try
  {
    std::rethrow_exception(pointer);
  }
  catch (const disa::ImageError & error)
  {
    raise("ImageError", error);
  }
  catch (const disa::Error & error)
  {
    raise("RegistrationError", error);
  }
}

} // namespace

void
register_errors()
{
  py::register_local_exception_translator(&translate);
}
