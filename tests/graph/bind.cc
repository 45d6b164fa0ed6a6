// SPDX-License-Identifier: Apache-2.0
// Buffers of the caller that lie on each other.
#include "tests/catch.h"
#include "tests/graph/builder.h"

using namespace medulla;
using namespace medulla::test;

TEST_CASE("buffers that are bound may not overlap, but inputs may") {
  GraphBuilder b;
  const int32_t x = b.input("x", {16});
  const int32_t z = b.input("z", {16});
  b.output(b.node("Add", {x, z}, {}, "sum"));
  b.output(b.node("Mul", {x, z}, {}, "product"));
  const ProgramHandle program = make_program(b.graph());
  const SessionHandle handle = make_session(program.get());
  mdl_session* s = handle.get();
  alignas(64) float m[64] = {};
  mdl_error error = MDL_ERROR_INIT;
  REQUIRE(mdl_session_bind_input(s, 0, m, sizeof(m), nullptr) == MDL_OK);
  REQUIRE(mdl_session_bind_input(s, 1, m, sizeof(m), nullptr) == MDL_OK);
  CHECK(mdl_session_bind_output(s, 0, m, sizeof(m), &error) == MDL_ERROR_INVALID_ARGUMENT);
  CHECK(std::string(error.text).find("output 'sum': the buffer overlaps that of input 'x'") == 0);
  REQUIRE(mdl_session_bind_output(s, 0, m + 16, sizeof(m) / 2, nullptr) == MDL_OK);
  REQUIRE(mdl_session_bind_output(s, 0, m + 16, sizeof(m) / 2, nullptr) == MDL_OK);
  CHECK(mdl_session_bind_output(s, 1, m + 16, sizeof(m) / 2, &error) == MDL_ERROR_INVALID_ARGUMENT);
  CHECK(std::string(error.text).find("output 'product'") == 0);
  CHECK(std::string(error.text).find("output 'sum'") != std::string::npos);
  CHECK(mdl_session_bind_input(s, 1, m + 16, sizeof(m) / 2, &error) == MDL_ERROR_INVALID_ARGUMENT);
  CHECK(std::string(error.text).find("input 'z': the buffer overlaps that of output 'sum'") == 0);
  REQUIRE(mdl_session_bind_output(s, 1, m + 32, sizeof(m) / 2, nullptr) == MDL_OK);
  m[3] = 3;
  REQUIRE(mdl_session_run(s) == MDL_OK);
  CHECK(m[16 + 3] == 6);
  CHECK(m[32 + 3] == 9);
  REQUIRE(mdl_session_bind_output(s, 0, nullptr, 0, nullptr) == MDL_OK);
  REQUIRE(mdl_session_bind_output(s, 1, m + 16, sizeof(m) / 2, nullptr) == MDL_OK);
}
