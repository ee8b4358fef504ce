// SPDX-License-Identifier: Apache-2.0
#ifndef run_test_h
#define run_test_h

#include <cstdio>
#include <exception>
#include <map>
#include <string>

/** \brief The main of a test program: runs the test that the command line names.
 *
 * Returns 0 if it passed, 1 if it threw, 2 if there is none of that name. */
inline int
RunTest(int argc, char ** argv, const std::map<std::string, void (*)()> & tests)
{
  const auto test = tests.find(argc > 1 ? argv[1] : "");
  if (test == tests.end())
  {
    std::fprintf(stderr, "%s: expected one test of:", argv[0]);
    for (const auto & known : tests)
    {
      std::fprintf(stderr, " %s", known.first.c_str());
    }
    std::fprintf(stderr, "\n");
    return 2;
  }
  try
  {
    test->second();
  }
  catch (const std::exception & error)
  {
    std::fprintf(stderr, "%s: failed: %s\n", argv[1], error.what());
    return 1;
  }
  return 0;
}

#endif
