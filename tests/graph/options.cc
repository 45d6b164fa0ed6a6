// SPDX-License-Identifier: Apache-2.0
// How a program's options go together.
#include "tests/catch.h"
#include "tests/graph/builder.h"

using namespace medulla;
using namespace medulla::test;

TEST_CASE("low precision is fast, and exact numerics refuse it") {
  GraphBuilder b;
  b.output(b.node("Relu", {b.input("x", {3})}));
  mdl_program_options options = MDL_PROGRAM_OPTIONS_INIT;
  options.precision = MDL_PRECISION_LOW;
  CHECK(make_program(b.graph(), &options)->program.context.numerics == MDL_NUMERICS_FAST);
  options.numerics = MDL_NUMERICS_EXACT;
  mdl_program* program = nullptr;
  mdl_error error = MDL_ERROR_INIT;
  CHECK(create_program(b.graph(), nullptr, &options, true, &program, &error) ==
        MDL_ERROR_INVALID_ARGUMENT);
  const std::string text = error.text;
  INFO(text);
  CHECK(text.find("numerics is EXACT") != std::string::npos);
  CHECK(text.find("precision is LOW") != std::string::npos);
  options.precision = MDL_PRECISION_MODEL;
  CHECK(make_program(b.graph(), &options)->program.context.numerics == MDL_NUMERICS_EXACT);
}

TEST_CASE("an empty list of backends stands for all") {
  GraphBuilder b;
  b.output(b.node("Relu", {b.input("x", {3})}));
  mdl_program_options options = MDL_PROGRAM_OPTIONS_INIT;
  options.backends = "";
  options.placement = MDL_PLACEMENT_STRICT;
  const ProgramHandle all = make_program(b.graph(), &options);
  options.backends = nullptr;
  CHECK(all->program.backends.size() == make_program(b.graph(), &options)->program.backends.size());
}
