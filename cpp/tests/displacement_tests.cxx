// SPDX-License-Identifier: Apache-2.0
// Tests of the search for displacements that need neither ITK nor Python: displacement_tests NAME runs one.
#include "disa/core/Error.h"
#include "disa/search/DisplacementSearch.h"
#include "run_test.h"

#include <random>
#include <stdexcept>

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

/** Noise whose cell (i, j, k) is that of cell (i, j, k) + shift of the volume without a shift. */
disa::FeatureVolume
MakeNoise(std::size_t n, std::size_t shift)
{
  disa::Frame frame;
  frame.size = { n, n, n };
  std::vector<std::int8_t> data;
  for (std::size_t cell = 0; cell < n * n * n; ++cell)
  {
    const std::size_t                  x = cell % n + shift, y = cell / n % n + shift, z = cell / n / n + shift;
    std::mt19937                       random(static_cast<unsigned>((z * 100 + y) * 100 + x));
    std::uniform_int_distribution<int> value(-60, 60);
    for (int c = 0; c < 16; ++c)
    {
      data.push_back(static_cast<std::int8_t>(value(random)));
    }
  }
  return { frame, std::move(data), 0.01f, std::vector<float>(n * n * n, 1.0f) };
}

void
TestShift()
{
  const disa::DisplacementSearch search(MakeNoise(9, 2), MakeNoise(14, 0), { 1, 1, 2, 0 }, 0);
  const auto                     nearest = search.Nearest(disa::Displacements(3 * 9 * 9 * 9, 0.0f), 0.0);
  for (const float steps : nearest)
  {
    Check(steps == 2.0f, "a shift is found at every control point");
  }
}

void
TestThreads()
{
  const auto run = [](unsigned threads)
  { return disa::DisplacementSearch(MakeNoise(17, 1), MakeNoise(11, 0), { 2, 1, 2, 1 }, threads).Run({ 0.01, 0.1 }); };
  Check(run(1) == run(3), "threads change nothing");
}

void
TestLattice()
{
  const disa::FeatureVolume moving = MakeNoise(6, 0);
  disa::Frame               frame = moving.GetFrame();
  frame.origin[0] = 0.5;
  const disa::FeatureVolume off(frame, moving.GetDescriptors(), 0.01f, moving.GetWeights());
  try
  {
    const disa::DisplacementSearch search(moving, off, { 1, 1, 1, 1 }, 1);
    Check(false, "another lattice is refused");
  }
  catch (const disa::RegistrationError &)
  {
  }
}

} // namespace

int
main(int argc, char ** argv)
{
  return RunTest(argc, argv, { { "shift", &TestShift }, { "threads", &TestThreads }, { "lattice", &TestLattice } });
}
