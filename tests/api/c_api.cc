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
  b.model.metadata = {{"license", "none"}};
  b.model.labels = {{0, {"normal", "other"}}};
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
  REQUIRE_FALSE(session.run());
  const mdl::Span<const float> y = session.output<float>(0);
  CHECK(std::vector<float>(y.begin(), y.end()) == std::vector<float>{0, 2, 0, 4, 0, 6});

  const std::vector<uint8_t> saved = session.save();
  CHECK_FALSE(session.resize({{1, 3}}));
  CHECK(session.output_shape(0) == std::vector<int64_t>{1, 3});
  CHECK(session.restore(saved).status() == MDL_ERROR_STATE);  // saved at another batch
  CHECK_FALSE(session.resize({{2, 3}}));
  CHECK_FALSE(session.restore(saved));
  CHECK_FALSE(session.set_input(0, x.data(), x.size()));
  REQUIRE_FALSE(session.run());
  std::vector<float> twice(6);
  CHECK_FALSE(session.get_output(0, twice.data(), twice.size()));
  CHECK(twice == std::vector<float>{0, 4, 0, 8, 0, 12});
  CHECK(session.set_input(0, x.data(), 5).status() == MDL_ERROR_SHAPE);
}

TEST_CASE("medulla.hpp looks inside") {
  const AlignedBytes bytes = accumulator();
  mdl::Result<mdl::Model> model = mdl::Model::open_memory(bytes.data(), bytes.size());
  REQUIRE(model);
  CHECK(*mdl::Model::memory_need(bytes.data(), bytes.size()) > 0);
  CHECK(mdl::Model::memory_need(bytes.data(), 1).error().status() == MDL_ERROR_BAD_MODEL);
  CHECK(model->label_count(0) == 2);
  CHECK(std::string(model->label(0, 1)) == "other");
  REQUIRE(model->metadata_count() == 1);
  CHECK(std::string(model->metadata_key(0)) == "license");
  CHECK(std::string(model->metadata_value(0)) == "none");
  CHECK(model->metadata_key(1) == nullptr);
  CHECK(model->digest() == mdl_model_digest(model->get()));
  CHECK(model->preprocessing(0)->count == 0);
  CHECK(model->preprocessing(1).error().status() == MDL_ERROR_INVALID_ARGUMENT);
  mdl_program_options options = MDL_PROGRAM_OPTIONS_INIT;
  options.keep = "next";
  mdl::Result<mdl::Program> program = mdl::Program::create(*model, &options);
  REQUIRE(program);
  mdl_session_options session_options = MDL_SESSION_OPTIONS_INIT;
  session_options.profile = 1;
  CHECK(*mdl::Session::memory_need(*program, &session_options) > 0);
  session_options.struct_size = 0;
  CHECK_FALSE(mdl::Session::memory_need(*program, &session_options));
  session_options.struct_size = sizeof(session_options);
  mdl::Result<mdl::Session> session = mdl::Session::create(*program, &session_options);
  REQUIRE(session);
  const std::vector<float> x = {-1, 2, -3, 4, -5, 6};
  CHECK(session->profile().error().status() == MDL_ERROR_UNSUPPORTED);  // nothing has run
  REQUIRE_FALSE(session->set_input(0, x.data(), x.size()));
  REQUIRE_FALSE(session->run());
  mdl_tensor_info info = MDL_TENSOR_INFO_INIT;
  const mdl::Result<mdl::Span<const float>> next = session->tensor<float>("next", &info);
  REQUIRE(next);
  CHECK(std::vector<float>(next->begin(), next->end()) == x);
  CHECK(info.rank == 2);
  const mdl::Result<std::vector<mdl::StepProfile>> profile = session->profile();
  REQUIRE(profile);
  CHECK(profile->size() == program->step_count());
  CHECK(profile->at(0).op == "Add");

  session->cancel();
  const mdl::Error cancelled = session->run();
  CHECK(cancelled.status() == MDL_ERROR_CANCELLED);
  CHECK(std::string(cancelled.text()).find("cancelled") != std::string::npos);
}

TEST_CASE("medulla.hpp checks shapes before it hands them on") {
  const AlignedBytes bytes = accumulator();
  mdl::Result<mdl::Model> model = mdl::Model::open_memory(bytes.data(), bytes.size());
  mdl::Result<mdl::Program> program = mdl::Program::create(*model);
  mdl::Result<mdl::Session> session = mdl::Session::create(*program);
  REQUIRE(session);
  for (const std::vector<int64_t>& shape : {std::vector<int64_t>{1}, {}, {1, 3, 1}}) {
    const mdl::Error error = session->resize({shape});
    CHECK(error.status() == MDL_ERROR_SHAPE);
    CHECK(std::string(error.text()).find("should have 2") != std::string::npos);
  }
  CHECK(session->resize({}).status() == MDL_ERROR_INVALID_ARGUMENT);
  const mdl::Error two = session->resize({{1, 3}, {1, 3}});
  CHECK(two.status() == MDL_ERROR_INVALID_ARGUMENT);
  CHECK(std::string(two.text()).find("2 shapes, the model has 1 inputs") != std::string::npos);
  CHECK(session->input_shape(0) == std::vector<int64_t>{2, 3});
}

TEST_CASE("a model without inputs is resized to nothing, and runs") {
  ModelBuilder b;
  b.output(b.node("Relu", {b.constant("c", {2}, std::vector<float>{-1, 2})}, "y"));
  const AlignedBytes bytes = b.bytes();
  mdl::Result<mdl::Model> model = mdl::Model::open_memory(bytes.data(), bytes.size());
  REQUIRE(model);
  mdl::Result<mdl::Program> program = mdl::Program::create(*model);
  mdl::Result<mdl::Session> session = mdl::Session::create(*program);
  REQUIRE(session);
  REQUIRE_FALSE(session->resize({}));
  REQUIRE_FALSE(session->run());
  std::vector<float> values(2);
  REQUIRE_FALSE(session->get_output(0, values.data(), values.size()));
  CHECK(values == std::vector<float>{0, 2});
}

TEST_CASE("a name that is not there is answered with those that are") {
  const AlignedBytes bytes = accumulator();
  mdl::Result<mdl::Model> model = mdl::Model::open_memory(bytes.data(), bytes.size());
  mdl_program_options options = MDL_PROGRAM_OPTIONS_INIT;
  options.keep = "neext";
  const mdl::Result<mdl::Program> none = mdl::Program::create(*model, &options);
  CHECK(none.error().status() == MDL_ERROR_NOT_FOUND);
  CHECK(std::string(none.error().text()).find("'next'") != std::string::npos);
  mdl::Result<mdl::Program> program = mdl::Program::create(*model);
  mdl::Result<mdl::Session> session = mdl::Session::create(*program);
  REQUIRE(session);
  const mdl::Error missing = session->tensor<float>("next").error();
  CHECK(missing.status() == MDL_ERROR_NOT_FOUND);
  CHECK(std::string(missing.text()).find("'x', 'h', 'y'") != std::string::npos);
  mdl_tensor_info info = MDL_TENSOR_INFO_INIT;
  info.struct_size = 0;
  const void* data = nullptr;
  CHECK(mdl_session_tensor(session->get(), "y", &info, &data, nullptr) ==
        MDL_ERROR_INVALID_ARGUMENT);
}

TEST_CASE("options with values of no enum are refused") {
  const AlignedBytes bytes = accumulator();
  const uint32_t wrong = 77;
  mdl_model_options model_options = MDL_MODEL_OPTIONS_INIT;
  std::memcpy(&model_options.check, &wrong, sizeof(wrong));
  const mdl::Result<mdl::Model> none =
      mdl::Model::open_memory(bytes.data(), bytes.size(), &model_options);
  CHECK(none.error().status() == MDL_ERROR_INVALID_ARGUMENT);
  CHECK(std::string(none.error().text()).find("77") != std::string::npos);
  mdl::Result<mdl::Model> model = mdl::Model::open_memory(bytes.data(), bytes.size());
  mdl_program_options options = MDL_PROGRAM_OPTIONS_INIT;
  std::memcpy(&options.numerics, &wrong, sizeof(wrong));
  CHECK(mdl::Program::create(*model, &options).error().status() == MDL_ERROR_INVALID_ARGUMENT);
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
