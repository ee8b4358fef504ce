// SPDX-License-Identifier: Apache-2.0
#include "bindings.h"

#include "disa/core/Choice.h"
#include "disa/search/PoseSearch.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

namespace py = pybind11;

namespace
{

disa::PoseKind
kind_of(const std::string & name)
{
  static const std::map<std::string, disa::PoseKind> kinds{ { "translation", disa::PoseKind::Translation },
                                                            { "rigid", disa::PoseKind::Rigid },
                                                            { "similarity", disa::PoseKind::Similarity },
                                                            { "affine", disa::PoseKind::Affine } };
  return disa::Choose("kind", kinds, name);
}

/** A term and what it refers to. */
struct SharedTerm
{
  std::shared_ptr<const disa::FeatureVolume> samples, field;
  double                                     share;

  disa::Term
  view() const
  {
    return { *samples, *field, share };
  }
};

/** What is optimised: one term, or two. */
struct Terms
{
  explicit Terms(const std::vector<SharedTerm> & terms)
  {
    if (terms.empty() || terms.size() > 2)
    {
      throw py::value_error("terms: expected one or two");
    }
    for (const SharedTerm & term : terms)
    {
      views.push_back(term.view());
    }
  }

  const disa::Term *
  backward() const
  {
    return views.size() > 1 ? &views[1] : nullptr;
  }

  std::vector<disa::Term> views;
};

/** Poses about a point, by their parameters (n, number of parameters). */
class PoseSearch
{
public:
  PoseSearch(const std::string &                kind,
             const disa::Matrix3 &              matrix,
             const disa::Vector3 &              offset,
             const disa::Vector3 &              centre,
             double                             radius,
             std::optional<disa::ProbePressure> pressure)
    : m_Model(kind_of(kind), { matrix, offset }, centre, radius, pressure)
  {
  }

  std::vector<std::vector<double>>
  draw(std::size_t count, double rotation, double translation, std::uint64_t seed) const
  {
    std::vector<std::vector<double>> parameters;
    for (disa::Pose & start : disa::DrawStarts(m_Model, { count, rotation, translation, seed }))
    {
      parameters.push_back(std::move(start.parameters));
    }
    return parameters;
  }

  disa::StageResult
  optimize(const std::vector<std::vector<double>> & starts,
           const std::vector<SharedTerm> &          terms,
           const disa::StageSettings &              settings) const
  {
    std::vector<disa::Pose> poses;
    for (const auto & start : starts)
    {
      poses.push_back({ start, 0.0, {} });
    }
    const Terms of(terms);
    return disa::OptimizePoses(m_Model, of.views[0], of.backward(), poses, settings);
  }

  py::tuple
  evaluate(const std::vector<double> & parameters, const std::vector<SharedTerm> & terms, std::size_t samples) const
  {
    const Terms               of(terms);
    const disa::PoseObjective objective(m_Model, of.views[0], of.backward(), samples, 0);
    std::vector<double>       gradient(parameters.size());
    const double              value = objective.Evaluate(parameters, &gradient);
    return py::make_tuple(value, py::array_t<double>(py::ssize_t(gradient.size()), gradient.data()));
  }

  py::tuple
  map(const std::vector<double> & parameters) const
  {
    const disa::AffineMap affine = m_Model.Map(parameters);
    return py::make_tuple(affine.matrix, affine.offset);
  }

  const disa::Vector3 &
  centre() const
  {
    return m_Model.GetCentre();
  }

  double
  radius() const
  {
    return m_Model.GetRadius();
  }

private:
  disa::PoseModel m_Model;
};

/** By what the push displaces points of shape (n, 3), mm. */
py::array_t<double>
shift(const disa::ProbePressure &                                            probe,
      const py::array_t<double, py::array::c_style | py::array::forcecast> & points,
      double                                                                 p1,
      double                                                                 p2)
{
  if (points.ndim() != 2 || points.shape(1) != 3)
  {
    throw py::value_error("points: expected shape (n, 3)");
  }
  py::array_t<double> shifts({ points.shape(0), py::ssize_t(3) });
  const auto          from = points.unchecked<2>();
  auto                to = shifts.mutable_unchecked<2>();
  for (py::ssize_t i = 0; i < points.shape(0); ++i)
  {
    const auto factors = probe.Factors({ from(i, 0), from(i, 1), from(i, 2) });
    for (py::ssize_t k = 0; k < 3; ++k)
    {
      to(i, k) = (p1 * factors[0] + p2 * factors[1]) * probe.axis[std::size_t(k)];
    }
  }
  return shifts;
}

} // namespace

void
bind_pose_search(py::module_ & module)
{
  py::class_<disa::ProbePressure>(module, "ProbePressure")
    .def(py::init([](const disa::Vector3 & contact, const disa::Vector3 & axis, double depth)
                  { return disa::ProbePressure{ contact, axis, depth }; }),
         py::arg("contact"),
         py::arg("axis"),
         py::arg("depth"))
    .def("shift", &shift, py::arg("points"), py::arg("p1"), py::arg("p2"));
  py::class_<disa::StageSettings>(module, "StageSettings")
    .def(py::init(
           [](std::size_t   samples,
              double        tolerance,
              std::size_t   iterations,
              std::size_t   keep,
              double        distinct,
              std::uint64_t seed,
              unsigned      threads)
           {
             disa::StageSettings settings;
             settings.samples = samples;
             settings.minimize.stepTolerance = tolerance;
             settings.minimize.maximumIterations = iterations;
             settings.keep = keep;
             settings.distinct = distinct;
             settings.seed = seed;
             settings.threads = threads;
             return settings;
           }),
         py::kw_only(),
         py::arg("samples"),
         py::arg("tolerance"),
         py::arg("iterations"),
         py::arg("keep"),
         py::arg("distinct"),
         py::arg("seed") = 0,
         py::arg("threads") = 0);
  py::class_<disa::Pose>(module, "Pose")
    .def_readonly("parameters", &disa::Pose::parameters)
    .def_readonly("value", &disa::Pose::value)
    .def_readonly("trace", &disa::Pose::trace);
  py::class_<disa::StageResult>(module, "StageResult")
    .def_readonly("poses", &disa::StageResult::poses)
    .def_readonly("evaluations", &disa::StageResult::evaluations)
    .def_readonly("overlapping_starts", &disa::StageResult::overlappingStarts);
  py::class_<SharedTerm>(module, "Term")
    .def(py::init([](std::shared_ptr<const disa::FeatureVolume> samples,
                     std::shared_ptr<const disa::FeatureVolume> field,
                     double share) { return SharedTerm{ std::move(samples), std::move(field), share }; }),
         py::arg("samples"),
         py::arg("field"),
         py::arg("share") = 1.0)
    .def_readonly("samples", &SharedTerm::samples)
    .def_readonly("field", &SharedTerm::field);
  module.def(
    "sample_cells",
    [](const std::vector<float> & weights, std::size_t count, std::uint64_t seed)
    {
      const disa::WeightedSample sample = disa::SampleCells(weights, count, seed);
      return py::make_tuple(sample.cells, sample.weights);
    },
    py::arg("weights"),
    py::arg("count"),
    py::arg("seed") = 0);
  module.def(
    "extent_of",
    [](const disa::FeatureVolume & features)
    {
      const disa::Extent extent = disa::ExtentOf(features);
      return py::make_tuple(extent.centre, extent.radius);
    },
    py::arg("features"));
  py::class_<PoseSearch>(module, "PoseSearch")
    .def(py::init<const std::string &,
                  const disa::Matrix3 &,
                  const disa::Vector3 &,
                  const disa::Vector3 &,
                  double,
                  std::optional<disa::ProbePressure>>(),
         py::arg("kind"),
         py::arg("matrix"),
         py::arg("offset"),
         py::arg("centre"),
         py::arg("radius"),
         py::arg("pressure") = std::nullopt)
    .def("draw", &PoseSearch::draw, py::arg("count"), py::arg("rotation"), py::arg("translation"), py::arg("seed"))
    .def("optimize",
         &PoseSearch::optimize,
         py::arg("starts"),
         py::arg("terms"),
         py::arg("settings"),
         py::call_guard<py::gil_scoped_release>())
    .def("evaluate", &PoseSearch::evaluate, py::arg("parameters"), py::arg("terms"), py::arg("samples") = 0)
    .def("map", &PoseSearch::map, py::arg("parameters"))
    .def_property_readonly("centre", &PoseSearch::centre)
    .def_property_readonly("radius", &PoseSearch::radius);
}
