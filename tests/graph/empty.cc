// SPDX-License-Identifier: Apache-2.0
// Tensors without elements: loaded, planned with no memory, and run by doing nothing.
#include "tests/graph/running.h"

using namespace medulla;
using namespace medulla::test;

namespace {

using Ints = std::vector<int64_t>;

constexpr const char* kBackends[] = {"reference", "cpu,reference"};

}  // namespace

TEST_CASE("what has no elements is read, made and given") {
  for (const char* backends : kBackends) {
    INFO(backends);
    ModelBuilder b;
    const int32_t none = b.constant("none", {0, 3}, {});
    const int32_t x = b.input("x", {2, 3});
    const int32_t cut =
        b.node("Slice", {x}, "cut", {{"starts", Ints{1}}, {"ends", Ints{1}}, {"axes", Ints{0}}});
    b.output(b.node("Concat", {none, x, cut}, "joined", {{"axis", int64_t{0}}}));
    b.output(b.node("Relu", {cut}, "nothing"));
    b.output(b.node("ReduceSum", {cut}, "sums", {{"axes", Ints{0}}, {"keepdims", int64_t{0}}}));
    const int32_t turned = b.node("Transpose", {cut}, "turned", {{"perm", Ints{1, 0}}});
    b.output(b.node("MatMul", {turned, none}, "product"));
    const int32_t w = b.constant("w", {2, 3}, {1, 2, 3, 4, 5, 6});
    b.output(b.node("Add", {x, w}, "sum"));
    b.output(b.node("Flatten", {none}, "flat", {{"axis", int64_t{2}}}));
    mdl_session_options options = MDL_SESSION_OPTIONS_INIT;
    options.profile = 1;
    options.check_finite = 1;
    Running r(b, backends, &options);
    REQUIRE(r.run({1, 2, 3, 4, 5, 6}) == MDL_OK);
    CHECK(r.output(0) == std::vector<float>{1, 2, 3, 4, 5, 6});
    CHECK(r.shape(1) == Dims{0, 3});
    CHECK(r.output(1).empty());
    CHECK(r.output(2) == std::vector<float>{0, 0, 0});
    CHECK(r.output(3) == std::vector<float>(9, 0));
    CHECK(r.output(4) == std::vector<float>{2, 4, 6, 8, 10, 12});
    CHECK(r.shape(5) == Dims{0, 1});
    for (size_t o = 0; o < 6; ++o) {
      const void* data = nullptr;
      size_t bytes = 1;
      REQUIRE(mdl_session_output(r.session.get(), o, &data, &bytes, nullptr) == MDL_OK);
      CHECK(data != nullptr);
      CHECK((bytes == 0) == (o == 1 || o == 5));
    }
    // The caller's memory: any that is aligned holds no bytes.
    alignas(64) float mine[6] = {};
    REQUIRE(mdl_session_bind_output(r.session.get(), 1, mine, 0, nullptr) == MDL_OK);
    REQUIRE(mdl_session_bind_output(r.session.get(), 4, mine, sizeof(mine), nullptr) == MDL_OK);
    REQUIRE(r.run({1, 2, 3, 4, 5, 6}) == MDL_OK);
    CHECK(mine[5] == 12);
  }
}

TEST_CASE("a model of nothing but tensors without elements") {
  for (const char* backends : kBackends) {
    INFO(backends);
    ModelBuilder b;
    const int32_t x = b.input("x", {0, 4});
    b.output(b.node("Relu", {x}, "y"));
    b.output(b.node("Reshape", {x}, "z", {{"shape", Ints{4, 0}}, {"allowzero", int64_t{1}}}));
    Running r(b, backends);
    CHECK(r.program->program.arena_bytes == 0);
    CHECK(r.program->program.steps.empty());
    REQUIRE(r.run({}) == MDL_OK);
    CHECK(r.shape(0) == Dims{0, 4});
    CHECK(r.shape(1) == Dims{4, 0});
    CHECK(r.output(1).empty());
    void* data = nullptr;
    REQUIRE(mdl_session_input(r.session.get(), 0, &data, nullptr, nullptr) == MDL_OK);
    CHECK(data != nullptr);
    REQUIRE(mdl_session_bind_input(r.session.get(), 0, data, 0, nullptr) == MDL_OK);
    REQUIRE(mdl_session_run(r.session.get()) == MDL_OK);
  }
}

TEST_CASE("extents become 0 by a resize, and steps without elements wait") {
  for (const char* backends : kBackends) {
    INFO(backends);
    ModelBuilder b;
    const int32_t x = b.input("x", {4, 3}, MDL_FLOAT32, {"n", ""});
    const int32_t rest = b.node(
        "Slice", {x}, "rest", {{"starts", Ints{2}}, {"ends", Ints{INT64_MAX}}, {"axes", Ints{0}}});
    const int32_t act = b.node("Relu", {rest}, "act");
    b.output(act);
    b.output(b.node("Concat", {x, act}, "both", {{"axis", int64_t{0}}}));
    b.output(b.node("ReduceMax", {act}, "most", {{"axes", Ints{0, 1}}, {"keepdims", int64_t{0}}}));
    Running r(b, backends);
    REQUIRE(r.run({1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 5}) == MDL_OK);
    CHECK(r.output(0) == std::vector<float>{3, 3, 3, 4, 4, 5});
    CHECK(r.output(2) == std::vector<float>{5});
    const int64_t two[] = {2, 3};
    const int64_t* dims = two;
    REQUIRE(mdl_session_resize(r.session.get(), &dims, 1, nullptr) == MDL_OK);
    CHECK(r.shape(0) == Dims{0, 3});
    alignas(64) float mine[12] = {};
    REQUIRE(mdl_session_bind_output(r.session.get(), 0, mine, sizeof(mine), nullptr) == MDL_OK);
    REQUIRE(r.run({1, 1, 1, 2, 2, 2}) == MDL_OK);
    CHECK(r.output(1) == std::vector<float>{1, 1, 1, 2, 2, 2});
    CHECK(r.output(2) == std::vector<float>{-std::numeric_limits<float>::infinity()});
    const int64_t three[] = {3, 3};
    dims = three;
    REQUIRE(mdl_session_resize(r.session.get(), &dims, 1, nullptr) == MDL_OK);
    REQUIRE(r.run({1, 1, 1, 2, 2, 2, 3, -1, 4}) == MDL_OK);
    CHECK(std::vector<float>(mine, mine + 3) == std::vector<float>{3, 0, 4});
    // What the caller resizes has at least one.
    const int64_t zero[] = {0, 3};
    dims = zero;
    mdl_error error = MDL_ERROR_INIT;
    CHECK(mdl_session_resize(r.session.get(), &dims, 1, &error) == MDL_ERROR_SHAPE);
    CHECK(std::string(error.text) == "input 'x': dimension 0 is 0, should be 1 to 4");
  }
}

TEST_CASE("nothing is found in nothing") {
  for (const char* backends : kBackends) {
    INFO(backends);
    ModelBuilder b;
    const int32_t x = b.input("x", {0, 3});
    b.output(b.node("NonZero", {x}, "where"));
    const int32_t y = b.input("y", {2, 0});
    const int32_t keep = b.node("Cast", {b.input("k", {2})}, "keep", {{"to", int64_t{MDL_BOOL}}});
    b.output(b.node("Compress", {y, keep}, "kept", {{"axis", int64_t{0}}}));
    Running r(b, backends);
    set_input(r.session.get(), 2, {0, 1});
    REQUIRE(r.run({}) == MDL_OK);
    CHECK(r.shape(0) == Dims{2, 0});
    CHECK(r.shape(1) == Dims{1, 0});
  }
}

TEST_CASE("states without elements are committed and saved") {
  ModelBuilder b;
  const int32_t past = b.state("past", {0, 2});
  const int32_t x = b.input("x", {3, 2});
  b.output(b.node("Concat", {past, x}, "all", {{"axis", int64_t{0}}}));
  b.graph().states[0].written = b.node("Relu", {past}, "next");
  Running r(b, "cpu,reference");
  REQUIRE(r.run({1, 2, 3, 4, 5, 6}) == MDL_OK);
  CHECK(r.output() == std::vector<float>{1, 2, 3, 4, 5, 6});
  std::vector<uint8_t> saved(mdl_session_state_bytes(r.session.get()));
  REQUIRE(mdl_session_save(r.session.get(), saved.data(), saved.size(), nullptr) == MDL_OK);
  REQUIRE(mdl_session_restore(r.session.get(), saved.data(), saved.size(), nullptr) == MDL_OK);
  REQUIRE(mdl_session_reset(r.session.get(), nullptr) == MDL_OK);
}
