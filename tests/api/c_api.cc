// SPDX-License-Identifier: Apache-2.0
// The public API from C and through medulla.hpp, on a model file.
#include "medulla/medulla.hpp"
#include "tests/catch.h"
#include "tests/model_builder.h"

using namespace medulla::test;

extern "C" int c_api_test(const void* data, size_t size);

namespace {

// y = Relu(x + h), h' = x + h.
AlignedBytes accumulator() {
  ModelBuilder b;
  const int32_t x = b.input("x", {2, 3}, MDL_FLOAT32, {"batch", ""});
  const int32_t h = b.state("h", {2, 3}, MDL_STATE_REPLACE, 0, {"batch", ""});
  const int32_t next = b.node("Add", {x, h}, "next");
  b.graph().states[0].written = next;
  b.output(b.node("Relu", {next}, "y"));
  return b.bytes();
}

}  // namespace

TEST_CASE("the API serves a C program") {
  const AlignedBytes bytes = accumulator();
  CHECK(c_api_test(bytes.data(), bytes.size()) == 0);
}

TEST_CASE("medulla.hpp opens, runs, saves and moves") {
  const AlignedBytes bytes = accumulator();
  mdl::Result<mdl::Model> model = mdl::Model::open_memory(bytes.data(), bytes.size());
  REQUIRE(model);
  CHECK(model->input_count() == 1);
  CHECK(std::string(model->input(0)->name) == "x");
  CHECK_FALSE(model->input(1));
  CHECK(*model->find_output("y") == 0);
  CHECK(model->find_output("z").error().status() == MDL_ERROR_NOT_FOUND);

  mdl::Result<mdl::Program> program = mdl::Program::create(*model);
  REQUIRE(program);
  CHECK(mdl::Program::memory_need(*model)->program_bytes > 0);
  CHECK(program->plan().find("kernel") != std::string::npos);

  mdl::Result<mdl::Session> created = mdl::Session::create(*program);
  REQUIRE(created);
  mdl::Session session = std::move(*created);
  CHECK_FALSE(bool(*created));
  const std::vector<float> x = {-1, 2, -3, 4, -5, 6};
  std::copy(x.begin(), x.end(), session.input<float>(0).begin());
  REQUIRE(session.run() == MDL_OK);
  const mdl::Span<const float> y = session.output<float>(0);
  CHECK(std::vector<float>(y.begin(), y.end()) == std::vector<float>{0, 2, 0, 4, 0, 6});

  const std::vector<uint8_t> saved = session.save();
  CHECK_FALSE(session.resize({{1, 3}}));
  CHECK(session.output_shape(0) == std::vector<int64_t>{1, 3});
  CHECK(session.restore(saved).status() == MDL_ERROR_STATE);  // saved at another batch
  CHECK_FALSE(session.resize({{2, 3}}));
  CHECK_FALSE(session.restore(saved));
  CHECK_FALSE(session.set_input(0, x.data(), x.size()));
  REQUIRE(session.run() == MDL_OK);
  std::vector<float> twice(6);
  CHECK_FALSE(session.get_output(0, twice.data(), twice.size()));
  CHECK(twice == std::vector<float>{0, 4, 0, 8, 0, 12});
  CHECK(session.set_input(0, x.data(), 5).status() == MDL_ERROR_SHAPE);
}

TEST_CASE("what is no model, and what is no option, is refused") {
  const AlignedBytes bytes = accumulator();
  mdl::Result<mdl::Model> model = mdl::Model::open_memory(bytes.data(), bytes.size());
  REQUIRE(model);
  mdl_program_options options = MDL_PROGRAM_OPTIONS_INIT;
  options.struct_size = 0;
  CHECK(mdl::Program::create(*model, &options).error().status() == MDL_ERROR_INVALID_ARGUMENT);
  options.struct_size = sizeof(options);
  options.isa = "avx3";
  const mdl::Result<mdl::Program> no_isa = mdl::Program::create(*model, &options);
  CHECK(no_isa.error().status() == MDL_ERROR_INVALID_ARGUMENT);
  CHECK(std::string(no_isa.error().text()).find("avx3") != std::string::npos);
  options.isa = "portable";
  CHECK(mdl::Program::create(*model, &options));

  // A caller of a later version: what it sets beyond our fields is refused, zeros are not.
  struct Later {
    mdl_program_options known;
    uint64_t unknown;
  } later = {MDL_PROGRAM_OPTIONS_INIT, 0};
  later.known.struct_size = sizeof(later);
  CHECK(mdl::Program::create(*model, &later.known));
  later.unknown = 1;
  CHECK(mdl::Program::create(*model, &later.known).error().status() == MDL_ERROR_VERSION);
}
