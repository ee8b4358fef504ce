// SPDX-License-Identifier: Apache-2.0
#include "swig_objects.h"

#include "disa/core/Error.h"

#if defined(__GNUC__)
#  pragma GCC diagnostic ignored "-Wunused-function"
#  pragma GCC diagnostic ignored "-Wcast-function-type"
#endif
#include <swigpyrun.h>

namespace py = pybind11;

namespace
{

swig_type_info *
find_type(const char * name)
{
  swig_type_info * type = SWIG_TypeQuery(name);
  if (type == nullptr)
  {
    throw disa::RegistrationError(std::string("the itk package has not loaded its type ") + name);
  }
  return type;
}

} // namespace

py::object
to_swig(void * pointer, const char * type)
{
  return py::reinterpret_steal<py::object>(SWIG_NewPointerObj(pointer, find_type(type), SWIG_POINTER_OWN));
}

void *
from_swig(const py::handle & proxy, const char * type)
{
  void * pointer = nullptr;
  return SWIG_IsOK(SWIG_ConvertPtr(proxy.ptr(), &pointer, find_type(type), 0)) ? pointer : nullptr;
}
