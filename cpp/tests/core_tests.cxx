// SPDX-License-Identifier: Apache-2.0
// Tests of the library that need neither ITK nor Python: core_tests NAME runs one.
#include "core/Checksum.h"
#include "disa/core/Error.h"
#include "disa/metric/ChainEvaluation.h"
#include "kernels/Kernels.h"
#include "run_test.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <numeric>
#include <random>
#include <sstream>
#include <string>

namespace
{

void
Check(bool condition, const char * what)
{
  if (!condition)
  {
    throw std::runtime_error(what);
  }
}

disa::Frame
MakeFrame(std::size_t nx, std::size_t ny, std::size_t nz, double spacing)
{
  disa::Frame frame;
  frame.size = { nx, ny, nz };
  frame.spacing = { spacing, spacing, spacing };
  return frame;
}

disa::FeatureVolume
MakeFeatures(std::size_t n, double spacing, unsigned int seed)
{
  std::mt19937                       random(seed);
  std::uniform_int_distribution<int> value(-60, 60);
  std::vector<std::int8_t>           data(n * n * n * 16);
  for (std::int8_t & d : data)
  {
    d = static_cast<std::int8_t>(value(random));
  }
  return { MakeFrame(n, n, n, spacing), std::move(data), 0.01f, std::vector<float>(n * n * n, 1.0f) };
}

std::vector<double>
MakeParameters(std::size_t count, double amplitude)
{
  std::mt19937                     random(5);
  std::normal_distribution<double> value(0.0, amplitude);
  std::vector<double>              parameters(count);
  for (double & p : parameters)
  {
    p = value(random);
  }
  return parameters;
}

void
TestFeatures()
{
  const char * const        file = "core_tests.disa";
  const disa::FeatureVolume written = MakeFeatures(5, 8.0, 1);
  written.Save(file);
  const disa::FeatureVolume read = disa::FeatureVolume::Load(file);
  Check(read.GetDescriptors() == written.GetDescriptors(), "descriptors survive a file");
  Check(read.GetWeights() == written.GetWeights() && read.GetScale() == written.GetScale(),
        "weights and scale do, too");
  Check(disa::Checksum("123456789", 9) == 0xCBF43926u, "the checksum is CRC-32, by its published check value");
  Check(disa::Checksum("6789", 4, disa::Checksum("12345", 5)) == 0xCBF43926u, "it goes on from where it was");
  std::ifstream      whole(file, std::ios::binary);
  std::ostringstream content;
  content << whole.rdbuf();
  std::string changed = content.str();
  changed[changed.size() / 2] = static_cast<char>(changed[changed.size() / 2] ^ 1);
  for (const std::string & damaged : { std::string("cut short"), changed })
  {
    {
      std::ofstream(file, std::ios::binary) << damaged;
    }
    try
    {
      disa::FeatureVolume::Load(file);
      Check(false, "a damaged file is refused");
    }
    catch (const disa::ImageError & error)
    {
      Check(std::strstr(error.what(), file) != nullptr, "the message names the file");
    }
  }
  std::remove(file);
}

/** Slope and pull-back of a displacement against differences, at points inside, on the border and outside. */
void
TestDisplacement()
{
  const disa::PointFunctions & functions = *disa::FindKernel("portable", "test").points;
  for (const auto kind : { disa::DisplacementMap::Kind::CubicBSpline, disa::DisplacementMap::Kind::DisplacementField })
  {
    const disa::Frame           frame = MakeFrame(6, 5, 7, 10.0);
    std::vector<double>         parameters = MakeParameters(3 * frame.NumberOfCells(), 2.0);
    const disa::DisplacementMap displace(kind, frame, parameters.data());
    const disa::Vector3         outside{ -30.0, 20.0, 20.0 };
    Check(displace(outside) == outside, "outside of its domain it displaces nothing");
    const disa::Vector3 gradient{ 0.3, -0.7, 0.5 };
    for (const disa::Vector3 & point :
         { disa::Vector3{ 21.3, 17.7, 33.1 }, { 10.0, 10.0, 10.0 }, { 38.2, 29.1, 48.8 } })
    {
      std::vector<double> derivative(parameters.size());
      double              placement[disa::PlacementSize];
      functions.place(displace.GetNodes(), point.data(), 1, placement);
      for (std::size_t plane = 0; plane < frame.size[2]; plane += 3)
      {
        functions.spread(displace.GetNodes(),
                         placement,
                         gradient.data(),
                         1,
                         plane,
                         std::min(plane + 3, frame.size[2]),
                         derivative.data());
      }
      const disa::Vector3 at = displace(point);
      for (std::size_t k = 0; k < parameters.size(); ++k)
      {
        parameters[k] += 1.0;
        const disa::Vector3 moved = displace(point); // linear in the parameters
        parameters[k] -= 1.0;
        double change = 0.0;
        for (int axis = 0; axis < 3; ++axis)
        {
          change += gradient[axis] * (moved[axis] - at[axis]);
        }
        Check(std::abs(change - derivative[k]) < 1e-12, "the derivative by a parameter is its slope");
      }
    }
    const disa::Vector3 point{ 21.3, 17.7, 33.1 };
    const disa::Vector3 pulled = displace.PullBack(point, gradient);
    for (int axis = 0; axis < 3; ++axis)
    {
      disa::Vector3 ahead = point, behind = point;
      ahead[axis] += 1e-4;
      behind[axis] -= 1e-4;
      double slope = 0.0;
      for (int i = 0; i < 3; ++i)
      {
        slope += gradient[i] * (displace(ahead)[i] - displace(behind)[i]) / 2e-4;
      }
      Check(std::abs(slope - pulled[axis]) < 1e-7, "the derivative by the point is its slope");
    }
  }
}

/** Cells in rows along a lattice, which go through the kernels together, come to what each comes to by itself. */
void
TestRuns()
{
  std::vector<disa::Vector3> cells;
  for (const double z : { -4.0, 3.0, 31.7 })
  {
    for (const double y : { 0.0, 8.2, 8.2 + 1e-9, 29.9 })
    {
      for (int x = 0; x < 90; ++x)
      {
        cells.push_back({ x % 30 == 29 ? 1.0 : 0.7 * x - 8.0, y, z }); // some beyond either end, and some steps back
      }
    }
  }
  const std::size_t   count = cells.size();
  std::vector<double> points(3 * count), gradients = MakeParameters(3 * count, 1.0);
  for (std::size_t i = 0; i < count; ++i)
  {
    for (std::size_t axis = 0; axis < 3; ++axis)
    {
      points[axis * count + i] = cells[i][axis];
    }
  }
  for (const auto & [kind, size] : { std::pair{ disa::DisplacementMap::Kind::CubicBSpline, 7 },
                                     { disa::DisplacementMap::Kind::DisplacementField, 7 },
                                     { disa::DisplacementMap::Kind::DisplacementField, 1 } })
  {
    const disa::Frame             frame = MakeFrame(std::size_t(size), 5, 6, 8.0);
    const std::vector<double>     parameters = MakeParameters(3 * frame.NumberOfCells(), 2.0);
    const disa::DisplacementMap   displace(kind, frame, parameters.data());
    const disa::DisplacementNodes nodes = displace.GetNodes();
    std::vector<double>           single(disa::PlacementSize), all(disa::PlacementSize * count), displaced(3 * count);
    std::vector<double>           expected(parameters.size()), whole(parameters.size()), shared(parameters.size());
    for (const disa::Kernel & kernel : disa::AvailableKernels())
    {
      const disa::PointFunctions & functions = *kernel.points;
      functions.place(nodes, points.data(), count, all.data());
      functions.displace(nodes, all.data(), points.data(), count, displaced.data());
      std::fill(expected.begin(), expected.end(), 0.0);
      for (std::size_t i = 0; i < count; ++i)
      {
        const disa::Vector3 alone = displace(cells[i]);
        const disa::Vector3 gradient{ gradients[i], gradients[count + i], gradients[2 * count + i] };
        Check(disa::Vector3{ displaced[i], displaced[count + i], displaced[2 * count + i] } == alone, "the same place");
        functions.place(nodes, cells[i].data(), 1, single.data());
        functions.spread(nodes, single.data(), gradient.data(), 1, 0, frame.size[2], expected.data());
      }
      std::fill(whole.begin(), whole.end(), 0.0);
      std::fill(shared.begin(), shared.end(), 0.0);
      functions.spread(nodes, all.data(), gradients.data(), count, 0, frame.size[2], whole.data());
      functions.spread(nodes, all.data(), gradients.data(), count, 2, frame.size[2], shared.data());
      functions.spread(nodes, all.data(), gradients.data(), count, 0, 2, shared.data());
      Check(whole == shared, "planes shared out between threads change no bit");
      for (std::size_t k = 0; k < expected.size(); ++k)
      {
        Check(std::abs(whole[k] - expected[k]) < 1e-12, "the same derivative");
      }
    }
  }
}

/** Every kernel places, displaces, pulls back and spreads points as the portable one does, to the last bit. */
void
TestPoints()
{
  std::mt19937                           random(9);
  std::uniform_real_distribution<double> place(-15.0, 75.0), slope(-1.0, 1.0);
  constexpr std::size_t                  count = 75;
  struct Results
  {
    std::vector<double> placement, displaced, pulled, derivative;
  };
  std::vector<double> points(3 * count), gradients(3 * count);
  std::generate(points.begin(), points.end(), [&] { return place(random); });
  std::generate(gradients.begin(), gradients.end(), [&] { return slope(random); });
  points[5] = std::nan("");
  for (const auto & [kind, size] : { std::pair{ disa::DisplacementMap::Kind::CubicBSpline, 5 },
                                     { disa::DisplacementMap::Kind::DisplacementField, 5 },
                                     { disa::DisplacementMap::Kind::DisplacementField, 1 } })
  {
    const disa::Frame           frame = MakeFrame(std::size_t(size), 5, 7, 10.0);
    const std::vector<double>   parameters = MakeParameters(3 * frame.NumberOfCells(), 2.0);
    const disa::DisplacementMap displace(kind, frame, parameters.data());
    const auto                  run = [&](const disa::PointFunctions & functions)
    {
      Results results{ std::vector<double>(disa::PlacementSize * count),
                       std::vector<double>(3 * count),
                       std::vector<double>(3 * count),
                       std::vector<double>(parameters.size()) };
      functions.place(displace.GetNodes(), points.data(), count, results.placement.data());
      functions.displace(displace.GetNodes(), results.placement.data(), points.data(), count, results.displaced.data());
      functions.spread(displace.GetNodes(),
                       results.placement.data(),
                       gradients.data(),
                       count,
                       0,
                       frame.size[2],
                       results.derivative.data());
      functions.pullBack(
        displace.GetNodes(), results.placement.data(), points.data(), gradients.data(), count, results.pulled.data());
      return results;
    };
    const auto areEqual = [](const std::vector<double> & a, const std::vector<double> & b)
    { return std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0; };
    const Results expected = run(*disa::FindKernel("portable", "test").points);
    Check(!areEqual(expected.pulled, gradients) && !areEqual(expected.displaced, points), "the map does something");
    for (const disa::Kernel & kernel : disa::AvailableKernels())
    {
      const Results results = run(*kernel.points);
      Check(areEqual(results.placement, expected.placement), kernel.name);
      Check(areEqual(results.displaced, expected.displaced), kernel.name);
      Check(areEqual(results.pulled, expected.pulled), kernel.name);
      Check(areEqual(results.derivative, expected.derivative), kernel.name);
    }
  }
}

void
TestChain()
{
  const disa::Frame         frame = MakeFrame(12, 12, 12, 10.0);
  const std::vector<double> parameters = MakeParameters(3 * frame.NumberOfCells(), 1.0);
  disa::AffineMap           affine;
  affine.matrix = { 0.9, -0.3, 0.0, 0.3, 1.1, 0.1, 0.0, 0.0, 1.0 };
  affine.offset = { 3.0, -2.0, 1.0 };
  const disa::TransformChain chain(
    { { disa::DisplacementMap(disa::DisplacementMap::Kind::CubicBSpline, frame, parameters.data()) }, { affine } });
  const disa::Vector3 point{ 45.0, 52.0, 61.0 };
  const auto          back = chain.Invert(chain(point));
  Check(back.has_value(), "a smooth chain has an inverse");
  for (int axis = 0; axis < 3; ++axis)
  {
    Check(std::abs((*back)[axis] - point[axis]) < 1e-5, "and it leads back");
  }
  affine.matrix = {};
  Check(!disa::TransformChain({ { affine } }).Invert(point), "a flat one has none");
}

/** What samples add up to under an affine map is what they are one by one. */
void
TestSums()
{
  const disa::FeatureVolume features = MakeFeatures(13, 8.0, 2);
  disa::WeightedSample      sample;
  for (std::size_t i = 0; i < features.GetFrame().NumberOfCells(); i += 1 + i % 3)
  {
    sample.cells.push_back(i);
    sample.weights.push_back(features.GetWeights()[i]);
  }
  disa::Objective objective;
  objective.SetFixedCells(features, sample, features.GetFrame().IndexToPhysical());
  objective.SetMoving(MakeFeatures(20, 5.0, 3));
  disa::AffineMap map;
  map.matrix = { 0.9, -0.3, 0.0, 0.3, 1.1, 0.1, 0.0, 0.0, 1.0 };
  map.offset = { 13.0, -12.0, 1.0 };

  disa::Sums fast, plain;
  for (std::size_t chunk = 0; chunk < objective.GetNumberOfChunks(); ++chunk)
  {
    fast += objective.EvaluateChunk(chunk, map, true);
    const std::size_t   begin = chunk * disa::Objective::ChunkSize;
    const std::size_t   count = std::min(disa::Objective::ChunkSize, objective.GetNumberOfSamples() - begin);
    std::vector<double> moved(3 * count), gradients(3 * count);
    for (std::size_t i = 0; i < count; ++i)
    {
      const disa::Vector3 point = map(objective.GetPoint(begin + i));
      for (std::size_t axis = 0; axis < 3; ++axis)
      {
        moved[axis * count + i] = point[axis];
      }
    }
    plain += objective.EvaluateMovedChunk(chunk, moved.data(), gradients.data());
    for (std::size_t i = 0; i < count; ++i)
    {
      plain.Add({ gradients[i], gradients[count + i], gradients[2 * count + i] },
                objective.GetPoint(begin + i),
                objective.GetCentre());
    }
  }
  const auto areNear = [](double a, double b) { return std::abs(a - b) <= 1e-11 * std::max(1.0, std::abs(b)); };
  Check(fast.validPoints == plain.validPoints && fast.validPoints > 100, "both see the same points");
  Check(areNear(fast.value, plain.value), "the value is the sum of the samples'");
  for (int i = 0; i < 9; ++i)
  {
    Check(areNear(fast.gradient[i % 3], plain.gradient[i % 3]), "so is the gradient");
    Check(areNear(fast.moment[i], plain.moment[i]), "and so are its moments");
  }
}

/** No result depends on the threads nor on the order in which they do their work. */
void
TestOrder()
{
  const disa::FeatureVolume features = MakeFeatures(27, 4.0, 2); // of 39 chunks
  disa::WeightedSample sample{ std::vector<std::size_t>(features.GetFrame().NumberOfCells()), features.GetWeights() };
  std::iota(sample.cells.begin(), sample.cells.end(), 0);
  disa::Objective objective;
  objective.SetFixedCells(features, sample, features.GetFrame().IndexToPhysical());
  objective.SetMoving(MakeFeatures(20, 5.0, 3));
  const disa::Frame         frame = MakeFrame(9, 9, 9, 15.0);
  const std::vector<double> parameters = MakeParameters(3 * frame.NumberOfCells(), 3.0);
  const disa::Stage         stage{
    disa::DisplacementMap(disa::DisplacementMap::Kind::DisplacementField, frame, parameters.data()), true, 0
  };
  const disa::TransformChain chain({ stage });

  std::vector<double> forth(parameters.size(), 1.0), back(parameters.size(), 2.0);
  const disa::Threads one{ 1,
                           [](std::size_t count, const auto & function)
                           {
                             for (std::size_t i = 0; i < count; ++i)
                             {
                               function(i);
                             }
                           } };
  const disa::Threads three{ 3,
                             [](std::size_t count, const auto & function)
                             {
                               for (std::size_t i = count; i-- > 0;)
                               {
                                 function(i);
                               }
                             } };
  const auto first = disa::EvaluateChain(objective, chain, forth.data(), one);
  const auto second = disa::EvaluateChain(objective, chain, back.data(), three);
  Check(first.validPoints > 100 && first.validPoints == second.validPoints, "both see the same points");
  Check(first.value == second.value && forth == back, "and sum them to the last bit alike, whatever was there before");
}

/** A push is undone to rounding, and its derivative is that of the points, before, within and beyond its reach. */
void
TestPush()
{
  const disa::ProbePressure probe{ { 5.0, -3.0, 10.0 }, { 0.0, 0.6, 0.8 }, 80.0 };
  const disa::ProbePush     push{ probe, { 12.0, -9.0 } };
  const disa::Vector3       gradient{ 0.3, -0.5, 0.8 };
  const auto                dot = [&](const disa::Vector3 & v)
  { return v[0] * gradient[0] + v[1] * gradient[1] + v[2] * gradient[2]; };
  Check(push.IsInvertible(), "a gentle push has an inverse");
  Check(!disa::ProbePush{ probe, { 41.0, 0.0 } }.IsInvertible(), "one by half its depth folds at the skin");
  Check(!disa::ProbePush{ probe, { 0.0, 81.0 } }.IsInvertible(), "one of another kind folds at its end");
  for (int i = 0; i < 23; ++i)
  {
    const double  along = -40.0 + 7.0 * i;
    disa::Vector3 point{ 8.0, 1.0 + 0.6 * along, 7.0 + 0.8 * along };
    const auto    back = push.Invert(push(point));
    const auto    pulled = push.PullBack(point, gradient);
    for (int axis = 0; axis < 3; ++axis)
    {
      constexpr double step = 1e-5;
      disa::Vector3    more = point, less = point;
      more[axis] += step;
      less[axis] -= step;
      Check(std::abs(back[axis] - point[axis]) < 1e-9, "the inverse leads back");
      Check(std::abs(pulled[axis] - (dot(push(more)) - dot(push(less))) / (2.0 * step)) < 1e-7,
            "the slope is the points'");
    }
  }
}

bool
AreEqual(const disa::Moments & a, const disa::Moments & b)
{
  return a.validPoints == b.validPoints && a.value == b.value && std::equal(a.gradient, a.gradient + 3, b.gradient) &&
         std::equal(a.moment, a.moment + 9, b.moment);
}

/** Every kernel writes what the portable one does, to the last bit; with the greatest descriptors, too. */
void
TestKernels()
{
  std::mt19937                           random(7);
  std::uniform_int_distribution<int>     any(-127, 127);
  std::uniform_real_distribution<double> place(-0.5, 5.0);
  std::uniform_real_distribution<float>  weight(0.0f, 1e6f);
  constexpr std::size_t                  count = 75;
  const auto                             fill = [&](std::vector<std::int8_t> & values, int trial)
  {
    for (std::int8_t & value : values)
    {
      const int extreme = any(random) < 0 ? -127 : 127;
      value = static_cast<std::int8_t>(trial % 3 == 0 ? -127 : trial % 3 == 1 ? extreme : any(random));
    }
  };
  const disa::KernelFunctions<std::int8_t> & portable = *disa::FindKernel("portable", "test").functions;
  for (int trial = 0; trial < 60; ++trial)
  {
    std::vector<std::int8_t> data(4 * 5 * 6 * 16), fixed(16 * count);
    fill(data, trial);
    fill(fixed, trial);
    std::vector<double> index(3 * count);
    std::vector<float>  weights(count), coordinates(3 * count);
    for (std::size_t i = 0; i < index.size(); ++i)
    {
      index[i] = i % 7 == 0 ? std::round(place(random)) : place(random);
      coordinates[i] = static_cast<float>(index[i]);
    }
    for (std::size_t i = 0; i < count; ++i)
    {
      weights[i] = weight(random);
    }
    const disa::Cells<std::int8_t>   cells{ data.data(), { 4, 5, 6 } };
    const disa::Samples<std::int8_t> samples{
      fixed.data(),
      weights.data(),
      { coordinates.data(), coordinates.data() + count, coordinates.data() + 2 * count },
      count
    };
    const double map[12] = { 1.0, 0.1, 0.0, 0.0, -0.1, 0.9, 0.1, 0.2, 0.0, 0.0, 1.1, -0.1 };

    std::vector<double> value(count), gradient(3 * count), expectedValue(count), expectedGradient(3 * count);
    const std::size_t   inside =
      portable.evaluate(cells, fixed.data(), index.data(), count, expectedValue.data(), expectedGradient.data());
    Check(inside > 0 && inside < count, "some points lie inside and some outside");
    const disa::Moments expected = portable.accumulate(cells, samples, map, true);
    Check(expected.validPoints > 0 && expected.value != 0.0, "samples add up to something");
    for (const disa::Kernel & kernel : disa::AvailableKernels())
    {
      const disa::KernelFunctions<std::int8_t> & functions = *kernel.functions;
      Check(functions.evaluate(cells, fixed.data(), index.data(), count, value.data(), gradient.data()) == inside,
            kernel.name);
      Check(value == expectedValue && gradient == expectedGradient, kernel.name);
      functions.evaluate(cells, fixed.data(), index.data(), count, value.data(), nullptr);
      Check(value == expectedValue, kernel.name);
      Check(AreEqual(functions.accumulate(cells, samples, map, true), expected), kernel.name);
      Check(functions.accumulate(cells, samples, map, false).value == expected.value, kernel.name);
    }
  }
  try
  {
    disa::FindKernel("fast", "test");
    Check(false, "an unknown kernel is refused");
  }
  catch (const disa::RegistrationError & error)
  {
    Check(std::strstr(error.what(), "portable") != nullptr, "the message says what there is");
  }
}

/** Every kernel's rows are the portable one's to the last bit, and these a plain loop's. */
void
TestRows()
{
  constexpr std::size_t                 count = 24, stride = 28, channels = 16, length = 5, items = count / length;
  std::mt19937                          random(3);
  std::uniform_real_distribution<float> value(-1.0f, 1.0f);
  const auto                            draw = [&](std::size_t size)
  {
    std::vector<float> values(size);
    std::generate(values.begin(), values.end(), [&] { return value(random); });
    return values;
  };
  const std::vector<float> fixed = draw(channels * count), moving = draw(channels * stride), near = draw(3 * count);
  const auto               run = [&](const disa::RowFunctions & functions)
  {
    std::vector<float> dots(disa::MostShifts * count), sums(items * length), about(length), least(count, 9.0f),
      best(count);
    std::vector<std::int32_t> labels(count, 2);
    for (std::size_t shifts = 1; shifts <= disa::MostShifts; ++shifts)
    {
      functions.dotRows(fixed.data(), moving.data(), stride, count, shifts, 0.3f, dots.data());
    }
    functions.sumNeighbours(fixed.data(), items, length, 2, sums.data());
    functions.sumAbout(fixed.data(), 1, items, length, length, 2, about.data());
    Check(std::equal(about.begin(), about.end(), sums.begin() + length), "the sums about an item are those of all");
    const disa::RowState state{ near.data(), count, least.data(), best.data(), labels.data() };
    functions.keepCheaper(state, { 0.1f, -0.2f, 0.3f }, 0.5f, 1, dots.data(), count);
    std::vector<std::vector<float>> results{ dots, sums, about, least, best };
    results.emplace_back(labels.begin(), labels.end());
    return results;
  };
  const auto expected = run(*disa::FindKernel("portable", "test").rows);
  for (std::size_t k = 0; k < disa::MostShifts; ++k)
  {
    for (std::size_t x = 0; x < count; ++x)
    {
      double dot = 0.0;
      for (std::size_t c = 0; c < channels; ++c)
      {
        dot -= 0.3 * double(fixed[c * count + x]) * double(moving[c * stride + x + k]);
      }
      Check(std::abs(expected[0][k * count + x] - dot) < 1e-5, "a dot is that of the descriptors");
    }
  }
  for (std::size_t x = 0; x < count; ++x)
  {
    const float cost = expected[0][x];
    const float apart = std::pow(0.1f - near[x], 2.0f) + std::pow(-0.2f - near[count + x], 2.0f) +
                        std::pow(0.3f - near[2 * count + x], 2.0f);
    Check(expected[3][x] == cost, "the least cost");
    Check(std::abs(expected[4][x] - std::min(0.0f, cost + 0.5f * apart)) < 1e-5f, "the best with the coupling");
    Check(expected[5][x] == (expected[4][x] < 0.0f ? 1.0f : 2.0f), "the label of the best");
  }
  for (const disa::Kernel & kernel : disa::AvailableKernels())
  {
    Check(run(*kernel.rows) == expected, kernel.name);
  }
}

} // namespace

int
main(int argc, char ** argv)
{
  return RunTest(argc,
                 argv,
                 { { "features", &TestFeatures },
                   { "kernels", &TestKernels },
                   { "displacement", &TestDisplacement },
                   { "chain", &TestChain },
                   { "order", &TestOrder },
                   { "push", &TestPush },
                   { "sums", &TestSums },
                   { "points", &TestPoints },
                   { "rows", &TestRows },
                   { "runs", &TestRuns } });
}
