// SPDX-License-Identifier: Apache-2.0
#include "bindings.h"
#include "grid_caster.h"
#include "python_extractor.h"

#include "disa/core/Error.h"
#include "itkDISARegistrationEngine.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <exception>
#include <regex>
#include <sstream>

namespace py = pybind11;
using itk::DISA::ImageDescription;
using itk::DISA::MetricSettings;
using itk::DISA::OptimizerSettings;
using itk::DISA::RegistrationEngine;
using itk::DISA::RegistrationSettings;
using itk::DISA::ScalesSettings;
using itk::DISA::TransformDescription;

namespace
{

using DoubleArray = py::array_t<double, py::array::c_style | py::array::forcecast>;

std::vector<double>
to_vector(const DoubleArray & array)
{
  return std::vector<double>(array.data(), array.data() + array.size());
}

/** Shared ownership of a Python object by C++ code that does not hold the interpreter's lock. */
template <typename T>
std::shared_ptr<const T>
share(py::object object, const T * content)
{
  return { content,
           [held = object.release()](const T *) mutable
           {
             const py::gil_scoped_acquire gil;
             held.dec_ref();
           } };
}

template <typename TPixel>
void
bind_image(py::module_ & module, const char * name)
{
  using ArrayType = py::array_t<TPixel, py::array::c_style>;
  py::class_<ImageDescription<TPixel>>(module, name)
    .def(py::init(
           [](const ArrayType & pixels, const disa::Frame & frame)
           {
             if (static_cast<std::size_t>(pixels.size()) != frame.NumberOfCells())
             {
               throw disa::ImageError("an image's pixels do not fill its frame");
             }
             return ImageDescription<TPixel>{ share(pixels, pixels.data()), frame };
           }),
         py::arg("pixels").noconvert(),
         py::arg("grid"));
}

/** Throws what an exception of ITK was made from, if anything: Python's exception, or the library's. */
void
rethrow_cause(const itk::ExceptionObject & error)
{
  try
  {
    std::rethrow_if_nested(error);
  }
  catch (const disa::Error & cause)
  {
    std::rethrow_if_nested(cause);
    throw;
  }
}

/** Runs ITK; what it throws becomes its cause, or one line. */
template <typename TFunction>
auto
in_one_line(TFunction function)
{
  try
  {
    return function();
  }
  catch (const itk::ProcessAborted &)
  {
    throw disa::RegistrationError("the registration was aborted");
  }
  catch (const itk::ExceptionObject & error)
  {
    rethrow_cause(error);
    std::istringstream lines(error.GetDescription());
    std::string        all, line;
    while (std::getline(lines, line))
    {
      all += all.empty() || line.empty() ? line : "; " + line;
    }
    // ITK begins with the object's class and address.
    throw disa::RegistrationError(std::regex_replace(all, std::regex("^ITK ERROR: |\\(0x[0-9a-f]+\\)"), ""));
  }
}

void
raise_pending_signals()
{
  const py::gil_scoped_acquire gil;
  if (PyErr_CheckSignals() != 0)
  {
    throw py::error_already_set();
  }
}

std::function<void()>
to_callback(const py::function & function)
{
  const auto held = share(function, function.ptr());
  return [held]
  {
    const py::gil_scoped_acquire gil;
    py::reinterpret_borrow<py::function>(const_cast<PyObject *>(held.get()))();
  };
}

void
bind_settings(py::module_ & module)
{
  py::class_<TransformDescription>(module, "TransformDescription")
    .def(py::init(
           [](const std::string &                                name,
              const DoubleArray &                                fixedParameters,
              const DoubleArray &                                parameters,
              const std::vector<TransformDescription> &          parts,
              const std::map<std::string, std::vector<double>> & options)
           { return TransformDescription{ name, to_vector(fixedParameters), to_vector(parameters), parts, options }; }),
         py::arg("name"),
         py::kw_only(),
         py::arg("fixed_parameters") = DoubleArray(),
         py::arg("parameters") = DoubleArray(),
         py::arg("parts") = std::vector<TransformDescription>(),
         py::arg("options") = std::map<std::string, std::vector<double>>())
    .def_property_readonly("fixed_parameters",
                           [](const TransformDescription & self) { return py::array(py::cast(self.fixedParameters)); })
    .def_property_readonly("parameters",
                           [](const TransformDescription & self)
                           { return py::array_t<double>(self.parameters.size(), self.parameters.data()); })
    .def_readonly("parts", &TransformDescription::parts);

  py::class_<MetricSettings>(module, "MetricSettings")
    .def(py::init<>())
    .def_readwrite("name", &MetricSettings::name)
    .def_readwrite("numbers", &MetricSettings::numbers)
    .def_readwrite("model", &MetricSettings::model)
    .def_readwrite("voxel_spacing", &MetricSettings::voxelSpacing)
    .def_readwrite("fixed_stride", &MetricSettings::fixedStride)
    .def_readwrite("moving_stride", &MetricSettings::movingStride)
    .def_readwrite("reorientation_angle", &MetricSettings::reorientationAngle)
    .def_readwrite("smoothing", &MetricSettings::smoothing)
    .def_readwrite("providers", &MetricSettings::providers)
    .def("set_extractor",
         [](MetricSettings & self, py::function extractor)
         { self.extractor = std::make_shared<PythonExtractor>(std::move(extractor)); })
    .def("set_fixed_features",
         [](MetricSettings & self, const std::shared_ptr<disa::FeatureVolume> & features)
         { self.fixedFeatures = features; })
    .def("set_moving_features",
         [](MetricSettings & self, const std::shared_ptr<disa::FeatureVolume> & features)
         { self.movingFeatures = features; });

  py::class_<OptimizerSettings>(module, "OptimizerSettings")
    .def(py::init<>())
    .def_readwrite("name", &OptimizerSettings::name)
    .def_readwrite("numbers", &OptimizerSettings::numbers)
    .def_readwrite("number_of_steps", &OptimizerSettings::numberOfSteps);

  py::class_<ScalesSettings>(module, "ScalesSettings")
    .def(py::init<>())
    .def_readwrite("estimator", &ScalesSettings::estimator)
    .def_readwrite("numbers", &ScalesSettings::numbers)
    .def_readwrite("scales", &ScalesSettings::scales);

  py::class_<RegistrationSettings>(module, "RegistrationSettings")
    .def(py::init<>())
    .def_readwrite("fixed", &RegistrationSettings::fixed)
    .def_readwrite("moving", &RegistrationSettings::moving)
    .def_readwrite("fixed_mask", &RegistrationSettings::fixedMask)
    .def_readwrite("moving_mask", &RegistrationSettings::movingMask)
    .def_readwrite("initial", &RegistrationSettings::initial)
    .def_readwrite("fixed_initial", &RegistrationSettings::fixedInitial)
    .def_readwrite("moving_initial", &RegistrationSettings::movingInitial)
    .def_readwrite("spline_scale_factors", &RegistrationSettings::splineScaleFactors)
    .def_readwrite("virtual_domain", &RegistrationSettings::virtualDomain)
    .def_readwrite("metric", &RegistrationSettings::metric)
    .def_readwrite("optimizer", &RegistrationSettings::optimizer)
    .def_readwrite("scales", &RegistrationSettings::scales)
    .def_readwrite("weights", &RegistrationSettings::weights)
    .def_readwrite("shrink_factors", &RegistrationSettings::shrinkFactors)
    .def_readwrite("smoothing_sigmas", &RegistrationSettings::smoothingSigmas)
    .def_readwrite("sigmas_are_in_physical_units", &RegistrationSettings::sigmasAreInPhysicalUnits)
    .def_readwrite("sampling_strategy", &RegistrationSettings::samplingStrategy)
    .def_readwrite("sampling_percentages", &RegistrationSettings::samplingPercentages)
    .def_readwrite("sampling_seed", &RegistrationSettings::samplingSeed)
    .def_readwrite("use_fixed_gradient_filter", &RegistrationSettings::useFixedGradientFilter)
    .def_readwrite("use_moving_gradient_filter", &RegistrationSettings::useMovingGradientFilter)
    .def_readwrite("number_of_work_units", &RegistrationSettings::numberOfWorkUnits);
}

void
bind_engine(py::module_ & module)
{
  py::class_<RegistrationEngine>(module, "RegistrationEngine")
    .def(py::init([](const RegistrationSettings & settings)
                  { return in_one_line([&] { return std::make_unique<RegistrationEngine>(settings); }); }),
         py::arg("settings"))
    .def("run",
         [](RegistrationEngine & self)
         {
           const py::gil_scoped_release noGil;
           in_one_line([&] { self.Run(raise_pending_signals); });
         })
    .def("evaluate",
         [](RegistrationEngine & self)
         {
           const py::gil_scoped_release noGil;
           return in_one_line([&] { return self.Evaluate(); });
         })
    .def("add_observer",
         [](RegistrationEngine & self, const std::string & event, const py::function & function)
         { self.AddObserver(event, to_callback(function)); })
    .def("remove_all_observers", &RegistrationEngine::RemoveAllObservers)
    .def("stop", &RegistrationEngine::Stop)
    .def("abort", &RegistrationEngine::Abort)
    .def("get_transform", &RegistrationEngine::GetTransform)
    .def("get_current_level", &RegistrationEngine::GetCurrentLevel)
    .def("get_iteration", &RegistrationEngine::GetIteration)
    .def("get_position", &RegistrationEngine::GetPosition)
    .def("get_scales", &RegistrationEngine::GetScales)
    .def("get_metric_value", &RegistrationEngine::GetMetricValue)
    .def("get_learning_rate", &RegistrationEngine::GetLearningRate)
    .def("get_convergence_value", &RegistrationEngine::GetConvergenceValue)
    .def("get_number_of_valid_points", &RegistrationEngine::GetNumberOfValidPoints)
    .def("get_progress", &RegistrationEngine::GetProgress)
    .def("get_stop_condition_description", &RegistrationEngine::GetStopConditionDescription)
    .def("__str__", &RegistrationEngine::Print);
}

} // namespace

void
bind_registration_engine(py::module_ & module)
{
  bind_image<float>(module, "FloatImage");
  bind_image<unsigned char>(module, "MaskImage");
  bind_settings(module);
  bind_engine(module);
}
