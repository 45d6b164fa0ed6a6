// SPDX-License-Identifier: Apache-2.0
// Models and data that lie beside the tree, and what a test does that lacks them.
#ifndef MEDULLA_TESTS_SHARED_H_
#define MEDULLA_TESTS_SHARED_H_

#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/paths.h"

namespace medulla::test {

// Says that the test case at hand asserts nothing, and why. A program all of whose cases said so
// exits with 77, which ctest shows as skipped.
void skip(const std::string& why);

inline std::string shared(const std::string& path) {
  const char* given = std::getenv("MEDULLA_SHARED");
  return (given != nullptr ? std::string(given) : std::string(kSourceDir) + "/../shared") + "/" +
         path;
}

inline bool absent(const std::string& path) {
  if (std::filesystem::exists(shared(path))) return false;
  skip(shared(path) + " is not there (MEDULLA_SHARED names its folder)");
  return true;
}

}  // namespace medulla::test

#endif  // MEDULLA_TESTS_SHARED_H_
