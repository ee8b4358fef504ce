// SPDX-License-Identifier: Apache-2.0
#include "bindings.h"
#include "errors.h"

// disa._core: everything that needs no ITK.
PYBIND11_MODULE(_core, module)
{
  module.attr("__version__") = DISA_VERSION;
  module.attr("engine_needs_itk") = DISA_ENGINE_NEEDS_ITK;
  register_errors();
  bind_feature_volume(module);
  bind_feature_request(module);
  bind_displacement_search(module);
  bind_geometry(module);
  bind_kernels(module);
  bind_smoothing(module);
  bind_pose_search(module);
}
