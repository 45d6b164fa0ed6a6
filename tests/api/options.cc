// SPDX-License-Identifier: Apache-2.0
// What the fields of option structs may not be, and what the refusal says.
#include "tests/catch.h"
#include "tests/graph/allocator.h"
#include "tests/graph/builder.h"
#include "tests/graph/running.h"

using namespace medulla::test;

namespace {

ModelBuilder relu() {
  ModelBuilder b;
  b.output(b.node("Relu", {b.input("x", {2})}, "y"));
  return b;
}

void check_text(const mdl_error& error, mdl_status status, const std::string& part) {
  const std::string text = error.text;
  INFO(text);
  CHECK(error.status == status);
  CHECK(text.find(part) != std::string::npos);
}

}  // namespace

TEST_CASE("lists that name what is not there, or nothing, are refused") {
  ModelBuilder b = relu();
  const Running running(b, nullptr);
  mdl_program_options options = MDL_PROGRAM_OPTIONS_INIT;
  mdl_program* program = nullptr;
  mdl_error error = MDL_ERROR_INIT;
  const auto check = [&](const std::string& part) {
    CHECK(mdl_program_create(running.model.get(), &options, &program, &error) ==
          MDL_ERROR_INVALID_ARGUMENT);
    check_text(error, MDL_ERROR_INVALID_ARGUMENT, part);
    options = MDL_PROGRAM_OPTIONS_INIT;
  };
  options.isa = "avx2,,foo";
  check("no instruction set is called 'foo'; there are portable,avx2,");
  options.isa = ",";
  check("isa is ','");
  options.backends = " , ";
  options.placement = MDL_PLACEMENT_STRICT;
  check("backends is ' , ', which names nothing");
  options.kernels = ",";
  check("kernels is ','");
  options.keep = ",";
  check("keep is ','");
  const mdl_backend* const none = nullptr;
  options.extra_backends = &none;
  options.extra_backend_count = 1;
  check("extra_backends[0] is null");
}

TEST_CASE("a rank that no tensor can have is no limit") {
  mdl_model_options options = MDL_MODEL_OPTIONS_INIT;
  options.max_rank = MDL_MAX_RANK + 1;
  mdl_model* model = nullptr;
  mdl_error error = MDL_ERROR_INIT;
  CHECK(mdl_model_open("/nowhere", &options, &model, &error) == MDL_ERROR_INVALID_ARGUMENT);
  check_text(error, MDL_ERROR_INVALID_ARGUMENT, "max_rank is");
}

TEST_CASE("an allocator that lacks a function is refused") {
  Allocator whole;
  ModelBuilder b = relu();
  const Running running(b, nullptr);
  for (const std::string lacking : {"allocate", "release"}) {
    mdl_allocator allocator = whole.table();
    if (lacking == "allocate") allocator.allocate = nullptr;
    if (lacking == "release") allocator.release = nullptr;
    const std::string part = "the allocator has no " + lacking;
    mdl_model_options model_options = MDL_MODEL_OPTIONS_INIT;
    model_options.allocator = &allocator;
    mdl_model* model = nullptr;
    mdl_error error = MDL_ERROR_INIT;
    CHECK(mdl_model_open("/nowhere", &model_options, &model, &error) == MDL_ERROR_INVALID_ARGUMENT);
    check_text(error, MDL_ERROR_INVALID_ARGUMENT, part);
    CHECK(mdl_model_open_memory(running.bytes.data(), running.bytes.size(), &model_options, &model,
                                nullptr) == MDL_ERROR_INVALID_ARGUMENT);
    mdl_program_options program_options = MDL_PROGRAM_OPTIONS_INIT;
    program_options.allocator = &allocator;
    mdl_program* program = nullptr;
    error = MDL_ERROR_INIT;
    CHECK(mdl_program_create(running.model.get(), &program_options, &program, &error) ==
          MDL_ERROR_INVALID_ARGUMENT);
    check_text(error, MDL_ERROR_INVALID_ARGUMENT, part);
    mdl_session_options session_options = MDL_SESSION_OPTIONS_INIT;
    session_options.allocator = &allocator;
    mdl_session* session = nullptr;
    error = MDL_ERROR_INIT;
    CHECK(mdl_session_create(running.program.get(), &session_options, &session, &error) ==
          MDL_ERROR_INVALID_ARGUMENT);
    check_text(error, MDL_ERROR_INVALID_ARGUMENT, part);
  }
  CHECK(whole.count == 0);
}

TEST_CASE("floats are not converted to four bits, nor from them") {
  ModelBuilder b;
  b.output(b.node("Identity", {b.input("x", {2}, MDL_INT4)}, "y"));
  const Running running(b, nullptr);
  float values[2] = {1, 2};
  mdl_error error = MDL_ERROR_INIT;
  CHECK(mdl_session_set_input(running.get(), 0, values, 2, &error) == MDL_ERROR_DTYPE);
  check_text(error, MDL_ERROR_DTYPE, "'x' is int4");
  CHECK(mdl_session_get_output(running.get(), 0, values, 2, &error) == MDL_ERROR_DTYPE);
  check_text(error, MDL_ERROR_DTYPE, "'y' is int4");
}

TEST_CASE("a session's switches are 0 or 1") {
  ModelBuilder b = relu();
  const Running running(b, nullptr);
  for (const auto field : {&mdl_session_options::profile, &mdl_session_options::check_finite}) {
    mdl_session_options options = MDL_SESSION_OPTIONS_INIT;
    options.*field = 9;
    mdl_session* session = nullptr;
    size_t bytes = 0;
    mdl_error error = MDL_ERROR_INIT;
    CHECK(mdl_session_create(running.program.get(), &options, &session, &error) ==
          MDL_ERROR_INVALID_ARGUMENT);
    check_text(error, MDL_ERROR_INVALID_ARGUMENT, "9");
    CHECK(mdl_session_memory_need(running.program.get(), &options, &bytes, nullptr) ==
          MDL_ERROR_INVALID_ARGUMENT);
  }
}

TEST_CASE("what a program needs may be asked whatever its limits are") {
  ModelBuilder b = relu();
  const Running running(b, nullptr);
  mdl_program_options options = MDL_PROGRAM_OPTIONS_INIT;
  mdl_memory_need free = MDL_MEMORY_NEED_INIT;
  REQUIRE(mdl_program_memory_need(running.model.get(), &options, &free, nullptr) == MDL_OK);
  options.max_arena_bytes = 1;
  options.memory_budget = 1;
  mdl_memory_need limited = MDL_MEMORY_NEED_INIT;
  REQUIRE(mdl_program_memory_need(running.model.get(), &options, &limited, nullptr) == MDL_OK);
  CHECK(limited.arena_bytes == free.arena_bytes);
  CHECK(limited.program_bytes == free.program_bytes);
}
