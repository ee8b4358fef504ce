// SPDX-License-Identifier: Apache-2.0
#include "bindings.h"

#include "disa/core/Error.h"

namespace py = pybind11;

PYBIND11_MODULE(_core, module)
{
  module.attr("__version__") = DISA_VERSION;
  module.attr("itk_version") = DISA_ITK_VERSION;
  py::register_exception_translator(
    [](std::exception_ptr pointer)
    {
      const auto raise = [](const char * type, const std::exception & error)
      { PyErr_SetString(py::module_::import("disa.errors").attr(type).ptr(), error.what()); };
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
    });
  bind_feature_volume(module);
  bind_displacement_search(module);
  bind_geometry(module);
  bind_kernels(module);
  bind_metric(module);
  bind_multi_metric(module);
  bind_smoothing(module);
  bind_pose_search(module);
  bind_registration_engine(module);
  bind_transforms(module);
}
