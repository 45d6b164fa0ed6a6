// SPDX-License-Identifier: Apache-2.0
#define CATCH_CONFIG_RUNNER
#include "tests/catch.h"
#include "tests/paths.h"

namespace medulla::test {

const char kSourceDir[] = MEDULLA_SOURCE_DIR;
const char kBinaryDir[] = MEDULLA_BINARY_DIR;
const char kCommand[] = MEDULLA_COMMAND;

}  // namespace medulla::test

int main(int argc, char** argv) { return Catch::Session().run(argc, argv); }
