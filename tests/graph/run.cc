// SPDX-License-Identifier: Apache-2.0
// Programs and sessions from end to end, on the reference backend.
#include "kernels/families.h"
#include "tests/catch.h"
#include "tests/graph/builder.h"

using namespace medulla;
using namespace medulla::test;

namespace {

mdl_program_options reference_only() {
  mdl_program_options options = MDL_PROGRAM_OPTIONS_INIT;
  options.backends = "reference";
  options.placement = MDL_PLACEMENT_STRICT;
  return options;
}

std::string plan_of(const mdl_program* program, mdl_plan_format format) {
  size_t needed = 0;
  REQUIRE(mdl_program_plan(program, format, nullptr, 0, &needed, nullptr) == MDL_OK);
  std::string text(needed, 0);
  REQUIRE(mdl_program_plan(program, format, text.data(), needed, &needed, nullptr) == MDL_OK);
  text.pop_back();
  return text;
}

}  // namespace

TEST_CASE("a chain runs") {
  GraphBuilder b;
  const int32_t x = b.input("x", {2, 3});
  const int32_t y = b.node("Relu", {x});
  const int32_t z = b.node("Add", {y, b.constant("c", {3}, {1, 2, 3})});
  b.output(z);
  const mdl_program_options options = reference_only();
  const ProgramHandle program = make_program(b.graph(), &options);
  CHECK(mdl_program_step_count(program.get()) == 2);
  const SessionHandle session = make_session(program.get());
  set_input(session.get(), 0, {-1, 2, 3, 4, -5, 6});
  REQUIRE(mdl_session_run(session.get()) == MDL_OK);
  CHECK(get_output(session.get(), 0) == std::vector<float>{1, 4, 6, 5, 2, 9});
  CHECK(std::string(mdl_session_error(session.get())).empty());
  const std::string text = plan_of(program.get(), MDL_PLAN_TEXT);
  INFO(text);
  CHECK(text.find("on reference, kernel reference (exact)") != std::string::npos);
  CHECK(plan_of(program.get(), MDL_PLAN_JSON).front() == '{');
}

TEST_CASE("views take no step, and outputs have memory of their own") {
  GraphBuilder b;
  const int32_t x = b.input("x", {2, 6});
  const int32_t flat = b.node("Reshape", {x}, {{"shape", Dims{12}}});
  const int32_t y = b.node("Relu", {flat});
  const int32_t z = b.node("Reshape", {y}, {{"shape", Dims{3, 4}}});
  const int32_t copy = b.node("Identity", {x});
  b.output(z);
  b.output(y);     // has the bytes of z: one of the two is copied
  b.output(copy);  // the input's bytes: copied
  const mdl_program_options options = reference_only();
  const ProgramHandle program = make_program(b.graph(), &options);
  CHECK(mdl_program_step_count(program.get()) == 3);
  const SessionHandle session = make_session(program.get());
  const std::vector<float> values = {-1, 2, 3, 4, -5, 6, 7, 8, 9, -1, -1, 0};
  set_input(session.get(), 0, values);
  REQUIRE(mdl_session_run(session.get()) == MDL_OK);
  const std::vector<float> expected = {0, 2, 3, 4, 0, 6, 7, 8, 9, 0, 0, 0};
  CHECK(get_output(session.get(), 0) == expected);
  CHECK(get_output(session.get(), 1) == expected);
  CHECK(get_output(session.get(), 2) == values);
  const void* pointers[3];
  for (size_t o = 0; o < 3; ++o) {
    REQUIRE(mdl_session_output(session.get(), o, &pointers[o], nullptr, nullptr) == MDL_OK);
  }
  CHECK(pointers[0] != pointers[1]);
  CHECK(pointers[1] != pointers[2]);
}

TEST_CASE("a row that is forced and not run is an error") {
  GraphBuilder b;
  b.output(b.node("Relu", {b.input("x", {2})}));
  mdl_program_options options = MDL_PROGRAM_OPTIONS_INIT;
  mdl_program* none = nullptr;
  mdl_error error = MDL_ERROR_INIT;
  options.kernels = "gemm_f32=gemm_f32_portable";  // no node needs the family
  CHECK(create_program(b.graph(), nullptr, &options, true, &none, &error) == MDL_ERROR_UNSUPPORTED);
  CHECK(std::string(error.text).find("gemm_f32_portable") != std::string::npos);
  options.kernels = "gemm_f32";
  CHECK(create_program(b.graph(), nullptr, &options, true, &none, &error) ==
        MDL_ERROR_INVALID_ARGUMENT);
  options.kernels = "elementwise_f32=elementwise_f32_portable,elementwise_f32=elementwise_f32_x8";
  CHECK(create_program(b.graph(), nullptr, &options, true, &none, &error) ==
        MDL_ERROR_INVALID_ARGUMENT);
  CHECK(std::string(error.text).find("are of one family") != std::string::npos);
}

TEST_CASE("a row that is forced beyond the instruction sets is refused for that") {
  GraphBuilder b;
  b.output(b.node("Relu", {b.input("x", {2})}));
  mdl_program_options options = MDL_PROGRAM_OPTIONS_INIT;
  options.isa = "portable";
  for (const KernelName& row : kernel_names()) {
    if (row.isa == Isa::portable) continue;
    const std::string forced = std::string(row.family) + "=" + row.name;
    options.kernels = forced.c_str();
    mdl_program* none = nullptr;
    mdl_error error = MDL_ERROR_INIT;
    CHECK(create_program(b.graph(), nullptr, &options, true, &none, &error) ==
          MDL_ERROR_UNSUPPORTED);
    CHECK(std::string(error.text)
              .find("kernel '" + forced + "' needs " + isa_name(row.isa) + ", there is portable") !=
          std::string::npos);
  }
}

TEST_CASE("a dimension that varies and is declared fixed is refused when it does") {
  GraphBuilder b;
  b.output(b.node("Relu", {b.input("x", {4}, {0})}));
  const ProgramHandle program = make_program(b.graph());
  const SessionHandle session = make_session(program.get());
  const int64_t three = 3;
  const int64_t* dims = &three;
  mdl_error error = MDL_ERROR_INIT;
  CHECK(mdl_session_resize(session.get(), &dims, 1, &error) == MDL_ERROR_SHAPE);
  INFO(error.text);
  CHECK(std::string(error.text).find("dimension 0 becomes 3, the file declares 4") !=
        std::string::npos);
  set_input(session.get(), 0, {1, -2, 3, -4});
  REQUIRE(mdl_session_run(session.get()) == MDL_OK);
  CHECK(get_output(session.get(), 0) == std::vector<float>{1, 0, 3, 0});
}
