// SPDX-License-Identifier: Apache-2.0
// Every function of the public headers has a comment of its own, which a list below another's would
// lack. Doxygen cannot tell: fields that their names explain have none either.
#include <fstream>

#include "tests/catch.h"
#include "tests/paths.h"

TEST_CASE("every function of the C API has a comment") {
  size_t functions = 0;
  for (const std::string name : {"medulla.h", "backend.h"}) {
    std::ifstream in(std::string(medulla::test::kSourceDir) + "/include/medulla/" + name);
    REQUIRE(in);
    std::string before;
    for (std::string line; std::getline(in, line); before = line) {
      if (line.rfind("MDL_API ", 0) != 0) continue;
      ++functions;
      INFO(name << ": " << line);
      CHECK(before.rfind("///", 0) == 0);
    }
  }
  CHECK(functions > 50);
}
