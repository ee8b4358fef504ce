// SPDX-License-Identifier: Apache-2.0
#ifndef bindings_h
#define bindings_h

#include <pybind11/pybind11.h>

// Each binds one thing into one of the private modules disa._core, disa._engine and disa._itk.
void bind_displacement_search(pybind11::module_ & module);
void bind_feature_request(pybind11::module_ & module);
void bind_feature_volume(pybind11::module_ & module);
void bind_geometry(pybind11::module_ & module);
void bind_kernels(pybind11::module_ & module);
void bind_metric(pybind11::module_ & module);
void bind_multi_metric(pybind11::module_ & module);
void bind_pose_search(pybind11::module_ & module);
void bind_registration_engine(pybind11::module_ & module);
void bind_smoothing(pybind11::module_ & module);
void bind_transforms(pybind11::module_ & module);

#endif
