// SPDX-License-Identifier: Apache-2.0
// Constants that are stored in fewer bytes are widened when the program is made.
#include "tests/catch.h"
#include "tests/graph/builder.h"

using namespace medulla;
using namespace medulla::test;

namespace {

// x [2, 3] times weights [3, 2]: those of float32, or what a node makes of `stored`.
std::vector<float> product(GraphBuilder& b, int32_t weights, const char* backend) {
  b.output(b.node("MatMul", {b.input("x", {2, 3}), weights}));
  mdl_program_options options = MDL_PROGRAM_OPTIONS_INIT;
  options.backends = backend;
  const ProgramHandle program = make_program(b.graph(), &options);
  CHECK(program->program.steps.size() == 1);
  const SessionHandle session = make_session(program.get());
  set_input(session.get(), 0, {1, -2, 3, 0.5f, 4, -1});
  REQUIRE(mdl_session_run(session.get()) == MDL_OK);
  return get_output(session.get(), 0);
}

TEST_CASE("stored constants give the bytes of wide ones") {
  for (const char* backend : {"reference", "cpu"}) {
    INFO(backend);
    GraphBuilder wide;
    const std::vector<float> values = {0.5f, -1, 1.5f, -63.5f, 0, 2};
    const auto expected = product(wide, wide.constant("w", {3, 2}, values), backend);
    GraphBuilder integers;
    const int32_t q = integers.constant<int8_t>("q", {3, 2}, {3, 0, 5, -125, 2, 6}, MDL_INT8);
    integers.quantized(q, {0.5f}, {2});
    CHECK(product(integers, integers.node("DequantizeLinear", {q}), backend) == expected);
    GraphBuilder halves;
    const int32_t h = halves.constant<uint16_t>(
        "h", {3, 2}, {0x3800, 0xBC00, 0x3E00, 0xD3F0, 0, 0x4000}, MDL_FLOAT16);
    const int32_t w = halves.node("Cast", {h}, {{"to", int64_t{MDL_FLOAT32}}});
    CHECK(product(halves, w, backend) == expected);
  }
}

TEST_CASE("what is an output is made by a step") {
  GraphBuilder b;
  const int32_t h = b.constant<uint16_t>("h", {2}, {0x3800, 0xBC00}, MDL_FLOAT16);
  const int32_t w = b.node("Cast", {h}, {{"to", int64_t{MDL_FLOAT32}}});
  b.output(w);
  b.output(b.node("Add", {b.input("x", {2}), w}));
  const ProgramHandle program = make_program(b.graph());
  CHECK(program->program.steps.size() == 2);
  const SessionHandle session = make_session(program.get());
  set_input(session.get(), 0, {1, 2});
  REQUIRE(mdl_session_run(session.get()) == MDL_OK);
  CHECK(get_output(session.get(), 0) == std::vector<float>{0.5f, -1});
  CHECK(get_output(session.get(), 1) == std::vector<float>{1.5f, 1});
}

}  // namespace
