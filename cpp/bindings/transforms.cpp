// SPDX-License-Identifier: Apache-2.0
#include "bindings.h"
#include "swig_objects.h"

#include "itkProbePressureTransform.h"
#include "itkTransformFactory.h"

namespace py = pybind11;

namespace
{

constexpr char TransformBase[] = "itkTransformD33 *";
constexpr char AnyBase[] = "itkLightObject *";

/** A submodule with what the proxy of one transform needs. */
template <typename TTransform>
void
bind(py::module_ && module)
{
  using Base = typename TTransform::Superclass;
  module.def("make", [] { return hand_over<Base>(TTransform::New(), TransformBase); });
  module.def("cast",
             [](const py::object & proxy)
             {
               auto *                       object = static_cast<itk::LightObject *>(from_swig(proxy, AnyBase));
               typename TTransform::Pointer transform = dynamic_cast<TTransform *>(object);
               if (transform.IsNull())
               {
                 throw py::type_error(std::string("expected a ") + TTransform::New()->GetNameOfClass());
               }
               return hand_over<Base>(transform, TransformBase);
             });
  module.def("register_transform", &itk::TransformFactory<TTransform>::RegisterTransform);
}

} // namespace

void
bind_transforms(py::module_ & module)
{
  bind<itk::ProbePressureTransform<double>>(module.def_submodule("probe_pressure_transform"));
  bind<itk::InverseProbePressureTransform<double>>(module.def_submodule("inverse_probe_pressure_transform"));
}
