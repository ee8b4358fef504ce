// SPDX-License-Identifier: Apache-2.0
#include "bindings.h"

#include "disa/features/FeatureExtractor.h"

#include <pybind11/stl.h>

namespace py = pybind11;

void
bind_feature_request(py::module_ & module)
{
  py::class_<disa::FeatureRequest>(module, "FeatureRequest")
    .def_readonly("model", &disa::FeatureRequest::model)
    .def_readonly("voxel_spacing", &disa::FeatureRequest::voxelSpacing)
    .def_readonly("stride", &disa::FeatureRequest::stride)
    .def_readonly("providers", &disa::FeatureRequest::providers)
    .def_readonly("direction", &disa::FeatureRequest::direction);
}
