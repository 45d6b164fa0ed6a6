// SPDX-License-Identifier: Apache-2.0
// Extents that only values tell: steps behind them run with what was found.
#include "tests/catch.h"
#include "tests/graph/running.h"
#include "tests/threads.h"

using namespace medulla;
using namespace medulla::test;

namespace {

// Rows of x [n, 3] whose first column is not zero, doubled, as a list; their sum; how many.
void add_selection(ModelBuilder& b, int32_t x) {
  const int32_t first = b.node("Slice", {x}, "first",
                               {{"starts", std::vector<int64_t>{0}},
                                {"ends", std::vector<int64_t>{1}},
                                {"axes", std::vector<int64_t>{1}}});
  const int32_t mask = b.node("Reshape", {first}, "mask", {{"shape", std::vector<int64_t>{-1}}});
  const int32_t where = b.node("NonZero", {mask}, "where");
  const int32_t rows = b.node("Reshape", {where}, "rows", {{"shape", std::vector<int64_t>{-1}}});
  const int32_t kept = b.node("Gather", {x, rows}, "kept", {{"axis", int64_t{0}}});
  const int32_t twice = b.node("Add", {kept, kept}, "twice");
  const int32_t act = b.node("Relu", {twice}, "act");
  b.output(b.node("Flatten", {act}, "list", {{"axis", int64_t{0}}}));
  b.output(b.node("ReduceSum", {act}, "sum",
                  {{"axes", std::vector<int64_t>{0}}, {"keepdims", int64_t{0}}}));
  const int32_t others = b.node("Relu", {x}, "others");
  b.output(b.node("Concat", {act, others}, "joined", {{"axis", int64_t{0}}}));
}

}  // namespace

TEST_CASE("steps behind NonZero run with what it found") {
  for (const char* backends : {"reference", "cpu,reference"}) {
    INFO(backends);
    ModelBuilder b;
    add_selection(b, b.input("x", {4, 3}));
    CHECK(b.at(b.graph().outputs[0]).symbols.empty());
    Running r(b, backends);
    CHECK(b.at(b.graph().outputs[0]).symbols[1] != "");
    CHECK(r.shape(0) == Dims{1, 12});
    REQUIRE(r.run({0, 1, 2, 3, 4, 5, 0, 7, 8, 9, 10, 11}) == MDL_OK);
    CHECK(r.shape(0) == Dims{1, 6});
    CHECK(r.output() == std::vector<float>{6, 8, 10, 18, 20, 22});
    CHECK(r.output(1) == std::vector<float>{24, 28, 32});
    CHECK(r.shape(2) == Dims{6, 3});
    CHECK(r.output(2) ==
          std::vector<float>{6, 8, 10, 18, 20, 22, 0, 1, 2, 3, 4, 5, 0, 7, 8, 9, 10, 11});
    // All, none, and one.
    REQUIRE(r.run({1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}) == MDL_OK);
    CHECK(r.output() == std::vector<float>(12, 2));
    REQUIRE(r.run({0, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1}) == MDL_OK);
    CHECK(r.shape(0) == Dims{1, 0});
    CHECK(r.output(1) == std::vector<float>{0, 0, 0});
    CHECK(r.shape(2) == Dims{4, 3});
    REQUIRE(r.run({0, 1, 1, 0, 1, 1, 0, 1, 1, 5, 1, 1}) == MDL_OK);
    CHECK(r.output() == std::vector<float>{10, 2, 2});
  }
}

TEST_CASE("what is found and what the caller resizes go together") {
  for (const char* backends : {"reference", "cpu,reference"}) {
    INFO(backends);
    ModelBuilder b;
    add_selection(b, b.input("x", {4, 3}, MDL_FLOAT32, {"n", ""}));
    Running r(b, backends);
    const int64_t two[] = {2, 3};
    const int64_t* dims = two;
    REQUIRE(mdl_session_resize(r.session.get(), &dims, 1, nullptr) == MDL_OK);
    CHECK(r.shape(0) == Dims{1, 6});
    REQUIRE(r.run({0, 1, 2, 3, 4, 5}) == MDL_OK);
    CHECK(r.output() == std::vector<float>{6, 8, 10});
    CHECK(r.shape(2) == Dims{3, 3});
    const int64_t four[] = {4, 3};
    dims = four;
    REQUIRE(mdl_session_resize(r.session.get(), &dims, 1, nullptr) == MDL_OK);
    REQUIRE(r.run({1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1}) == MDL_OK);
    CHECK(r.shape(0) == Dims{1, 9});
  }
}

TEST_CASE("the caller's output memory, profile and checks see what was found") {
  ModelBuilder b;
  add_selection(b, b.input("x", {4, 3}));
  mdl_session_options options = MDL_SESSION_OPTIONS_INIT;
  options.profile = 1;
  options.check_finite = 1;
  const mdl_thread_pool pool = {nullptr, 2, run_on_threads};
  options.pool = &pool;
  Running r(b, "cpu,reference", &options);
  alignas(64) float mine[12] = {};
  REQUIRE(mdl_session_bind_output(r.session.get(), 0, mine, sizeof(mine), nullptr) == MDL_OK);
  REQUIRE(r.run({0, 1, 2, 3, 4, 5, 0, 7, 8, 9, 10, 11}) == MDL_OK);
  CHECK(mine[3] == 18);
  REQUIRE(mdl_session_bind_output(r.session.get(), 0, nullptr, 0, nullptr) == MDL_OK);
  REQUIRE(r.run({0, 1, 2, 3, 4, 5, 0, 7, 8, 0, 10, 11}) == MDL_OK);
  CHECK(r.output() == std::vector<float>{6, 8, 10});
  CHECK(r.run({0, 1, 2, 3, 4, std::numeric_limits<float>::infinity(), 0, 7, 8, 0, 10, 11}) ==
        MDL_ERROR_NOT_FINITE);
}

TEST_CASE("a state takes what was found, as far as there is room") {
  ModelBuilder b;
  const int32_t past = b.state("past", {5}, MDL_STATE_APPEND, 0, {"past_length"});
  const int32_t x = b.input("x", {4});
  const int32_t mask = b.node("Cast", {x}, "mask", {{"to", int64_t{MDL_BOOL}}});
  const int32_t kept = b.node("Compress", {x, mask}, "kept", {{"axis", int64_t{0}}});
  b.graph().states[0].written = b.node("Relu", {kept}, "fresh");
  b.output(b.node("Concat", {past, x}, "all", {{"axis", int64_t{0}}}));
  Running r(b, "cpu,reference");
  REQUIRE(r.run({0, 1, 0, 2}) == MDL_OK);
  REQUIRE(r.run({0, 0, 0, 0}) == MDL_OK);
  REQUIRE(r.run({3, 0, 4, 0}) == MDL_OK);
  CHECK(r.shape(0) == Dims{6});
  CHECK(r.run({5, 6, 0, 0}) == MDL_ERROR_STATE);
  REQUIRE(r.run({5, 0, 0, 0}) == MDL_OK);
  CHECK(r.output() == std::vector<float>{1, 2, 3, 4, 5, 0, 0, 0});
}

TEST_CASE("a file that hides what is found is refused") {
  ModelBuilder b;
  const int32_t x = b.input("x", {4});
  b.output(b.node("NonZero", {x}, "where"));
  const AlignedBytes good = b.bytes();
  b.at(b.graph().outputs[0]).symbols.clear();
  const AlignedBytes bad(tools::model_bytes(b.model));
  mdl_error error = MDL_ERROR_INIT;
  mdl_model* model = nullptr;
  CHECK(mdl_model_open_memory(bad.data(), bad.size(), nullptr, &model, &error) ==
        MDL_ERROR_BAD_MODEL);
  CHECK(std::string(error.text).find("is found at run time, should have a symbol") !=
        std::string::npos);
  // One that hides it behind the node fails when it runs.
  ModelBuilder c;
  const int32_t where = c.node("NonZero", {c.input("x", {4})}, "where");
  c.output(c.node("Identity", {where}, "y"));
  const AlignedBytes all = c.bytes();
  c.at(c.graph().outputs[0]).symbols.clear();
  const AlignedBytes hidden(tools::model_bytes(c.model));
  REQUIRE(mdl_model_open_memory(hidden.data(), hidden.size(), nullptr, &model, &error) == MDL_OK);
  const std::unique_ptr<mdl_model, ModelDeleter> owner(model);
  mdl_program* program = nullptr;
  REQUIRE(mdl_program_create(model, nullptr, &program, &error) == MDL_OK);
  const ProgramHandle program_owner(program);
  const SessionHandle session = make_session(program);
  set_input(session.get(), 0, {1, 0, 0, 0});
  CHECK(mdl_session_run(session.get()) == MDL_ERROR_SHAPE);
  set_input(session.get(), 0, {1, 1, 1, 1});
  CHECK(mdl_session_run(session.get()) == MDL_OK);
}
