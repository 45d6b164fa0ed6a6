// SPDX-License-Identifier: Apache-2.0
// If and Loop: bodies in the parent's arena.
#include <thread>

#include "tests/catch.h"
#include "tests/graph/bodies.h"

using namespace medulla;
using namespace medulla::test;

namespace {

// y = x + step; a scan of y. Inputs: iteration, condition, x, step.
ModelBuilder counting_body(bool conditional) {
  ModelBuilder body;
  body.input("i", {}, MDL_INT64);
  body.input("go", {}, MDL_BOOL);
  const int32_t x = body.input("inner_x", {2});
  const int32_t step = body.input("inner_step", {2});
  const int32_t y = body.node("Add", {x, step}, "inner_y");
  if (conditional) {
    // As long as the first element is below 3: the cast of Relu(3 - y[0]).
    const int32_t three = body.constant("three", {2}, {3, 3});
    const int32_t left = body.node("Relu", {body.node("Sub", {three, y}, "rest")}, "left");
    const int32_t head = body.node("Slice", {left}, "head",
                                   {{"starts", Dims{0}}, {"ends", Dims{1}}, {"axes", Dims{0}}});
    body.output(body.node("Cast", {head}, "more", {{"to", int64_t{MDL_BOOL}}}));
  }
  body.output(y);
  body.output(body.node("Mul", {y, y}, "squared"));
  return body;
}

const char* const kBackends[] = {"reference", "cpu,reference"};

}  // namespace

TEST_CASE("a counted loop carries, captures and joins") {
  for (const char* backends : kBackends) {
    INFO(backends);
    ModelBuilder b;
    const int32_t x = b.input("x", {2});
    const int32_t step = b.input("step", {2});
    ModelBuilder body = counting_body(false);
    const int64_t graph = add_body(b, body);
    control(b, "Loop", {-1, -1, x, step}, {{"y", {2}}, {"squares", {3, 2}}},
            {{"body", index(graph)}, {"carried", int64_t{1}}, {"limit", int64_t{3}}});
    Running s(b, backends);
    set_input(s.get(), 0, {0, 10});
    set_input(s.get(), 1, {1, 2});
    for (int run = 0; run < 2; ++run) {
      REQUIRE(s.run() == MDL_OK);
      CHECK(s.output(0) == std::vector<float>{3, 16});
      CHECK(s.output(1) == std::vector<float>{1, 144, 4, 196, 9, 256});
    }
    // The caller's own memory for what the body captures and makes.
    alignas(64) float mine[2] = {2, 0};
    REQUIRE(mdl_session_bind_input(s.get(), 1, mine, sizeof(mine), nullptr) == MDL_OK);
    REQUIRE(s.run() == MDL_OK);
    CHECK(s.output(0) == std::vector<float>{6, 10});
  }
}

TEST_CASE("a loop may end early, or not begin") {
  for (const char* backends : kBackends) {
    INFO(backends);
    ModelBuilder b;
    const int32_t trips = b.input("trips", {}, MDL_INT64);
    const int32_t x = b.input("x", {2});
    const int32_t step = b.input("step", {2});
    ModelBuilder body = counting_body(true);
    const int64_t graph = add_body(b, body);
    const auto made =
        control(b, "Loop", {trips, -1, x, step}, {{"y", {2}}, {"squares", {5, 2}, {"n", ""}}},
                {{"body", index(graph)},
                 {"carried", int64_t{1}},
                 {"limit", int64_t{5}},
                 {"conditional", int64_t{1}}});
    b.output(b.node("Neg", {made[1]}, "negative"));
    Running s(b, backends);
    const auto run = [&](int64_t count) {
      *s.input<int64_t>(0) = count;
      set_input(s.get(), 1, {0, 10});
      set_input(s.get(), 2, {1, 2});
      return s.run();
    };
    REQUIRE(run(5) == MDL_OK);
    CHECK(s.output(0) == std::vector<float>{3, 16});
    CHECK(s.shape(1) == Dims{3, 2});
    CHECK(s.output(2) == std::vector<float>{-1, -144, -4, -196, -9, -256});
    REQUIRE(run(1) == MDL_OK);
    CHECK(s.output(2) == std::vector<float>{-1, -144});
    REQUIRE(run(0) == MDL_OK);
    CHECK(s.output(0) == std::vector<float>{0, 10});
    CHECK(s.shape(2) == Dims{0, 2});
    CHECK(run(6) == MDL_ERROR_LIMIT);
    CHECK(std::string(mdl_session_error(s.get())).find("the trip count is 6") != std::string::npos);
    REQUIRE(run(2) == MDL_OK);
    CHECK(s.shape(1) == Dims{2, 2});
  }
}

TEST_CASE("a loop that only its condition ends has a limit") {
  ModelBuilder b;
  const int32_t x = b.input("x", {2});
  const int32_t step = b.input("step", {2});
  ModelBuilder body = counting_body(true);
  const int64_t graph = add_body(b, body);
  control(b, "Loop", {-1, -1, x, step}, {{"y", {2}}, {"squares", {4, 2}, {"n", ""}}},
          {{"body", index(graph)},
           {"carried", int64_t{1}},
           {"limit", int64_t{4}},
           {"conditional", int64_t{1}}});
  Running s(b, "cpu,reference");
  set_input(s.get(), 0, {0, 0});
  set_input(s.get(), 1, {1, 1});
  REQUIRE(s.run() == MDL_OK);
  CHECK(s.shape(1) == Dims{3, 2});
  set_input(s.get(), 1, {0.5f, 1});
  CHECK(s.run() == MDL_ERROR_LIMIT);
  CHECK(std::string(mdl_session_error(s.get())).find("still goes on after 4") != std::string::npos);
}

TEST_CASE("a loop slices what it scans, from either end") {
  ModelBuilder b;
  const int32_t start = b.input("start", {2});
  const int32_t list = b.input("list", {3, 2}, MDL_FLOAT32, {"n", ""});
  ModelBuilder body;
  body.input("i", {}, MDL_INT64);
  body.input("go", {}, MDL_BOOL);
  const int32_t sum = body.input("sum", {2});
  const int32_t slice = body.input("slice", {2});
  const int32_t next = body.node("Add", {sum, slice}, "next");
  body.output(next);
  body.output(body.node("Identity", {next}, "each"));
  const int64_t graph = add_body(b, body);
  control(b, "Loop", {-1, -1, start, list}, {{"total", {2}}, {"sums", {3, 2}, {"n", ""}}},
          {{"body", index(graph)},
           {"carried", int64_t{1}},
           {"scanned", int64_t{1}},
           {"limit", int64_t{3}},
           {"reversed_inputs", Dims{1}},
           {"reversed_outputs", Dims{1}}});
  Running s(b, "reference");
  set_input(s.get(), 0, {0, 0});
  set_input(s.get(), 1, {1, 2, 3, 4, 5, 6});
  REQUIRE(s.run() == MDL_OK);
  CHECK(s.output(0) == std::vector<float>{9, 12});
  CHECK(s.output(1) == std::vector<float>{9, 12, 8, 10, 5, 6});
  const int64_t two[] = {2, 2};
  const int64_t* dims[] = {nullptr, two};
  REQUIRE(mdl_session_resize(s.get(), dims, 2, nullptr) == MDL_OK);
  set_input(s.get(), 1, {1, 2, 3, 4});
  REQUIRE(s.run() == MDL_OK);
  CHECK(s.output(1) == std::vector<float>{4, 6, 3, 4});
}

TEST_CASE("branches may differ in their extents, and stand in loops") {
  for (const char* backends : kBackends) {
    INFO(backends);
    ModelBuilder b;
    const int32_t go = b.input("go", {}, MDL_BOOL);
    const int32_t x = b.input("x", {2, 3});
    ModelBuilder then_body;
    const int32_t inner = then_body.input("x1", {2, 3});
    then_body.output(then_body.node("Neg", {inner}, "negative"));
    ModelBuilder else_body;
    const int32_t other = else_body.input("x2", {2, 3});
    else_body.output(else_body.node("Slice", {other}, "first",
                                    {{"starts", Dims{0}}, {"ends", Dims{1}}, {"axes", Dims{0}}}));
    const int64_t yes = add_body(b, then_body);
    const int64_t no = add_body(b, else_body);
    const auto made = control(b, "If", {go, x}, {{"y", {2, 3}, {"rows", ""}}},
                              {{"then_branch", index(yes)}, {"else_branch", index(no)}});
    b.output(b.node("Relu", {made[0]}, "act"));
    Running s(b, backends);
    set_input(s.get(), 1, {1, -2, 3, -4, 5, -6});
    *s.input<uint8_t>(0) = 1;
    REQUIRE(s.run() == MDL_OK);
    CHECK(s.output(0) == std::vector<float>{-1, 2, -3, 4, -5, 6});
    CHECK(s.output(1) == std::vector<float>{0, 2, 0, 4, 0, 6});
    *s.input<uint8_t>(0) = 0;
    REQUIRE(s.run() == MDL_OK);
    CHECK(s.shape(0) == Dims{1, 3});
    CHECK(s.output(1) == std::vector<float>{1, 0, 3});
  }
}

TEST_CASE("a loop that is cancelled leaves states as they were") {
  ModelBuilder b;
  const int32_t trips = b.input("trips", {}, MDL_INT64);
  const int32_t step = b.input("step", {2});
  const int32_t total = b.state("total", {2});
  ModelBuilder body = counting_body(false);
  body.graph().outputs.pop_back();
  const int64_t graph = add_body(b, body);
  const auto made =
      control(b, "Loop", {trips, -1, total, step}, {{"y", {2}}},
              {{"body", index(graph)}, {"carried", int64_t{1}}, {"limit", int64_t{1} << 40}});
  b.graph().states[0].written = b.node("Identity", {made[0]}, "next");
  Running s(b, "cpu,reference");
  const auto run = [&](int64_t count) {
    *s.input<int64_t>(0) = count;
    set_input(s.get(), 1, {1, 2});
    return s.run();
  };
  REQUIRE(run(3) == MDL_OK);
  CHECK(s.output(0) == std::vector<float>{3, 6});
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    mdl_session_cancel(s.get());
  });
  CHECK(run(int64_t{1} << 40) == MDL_ERROR_CANCELLED);
  canceller.join();
  REQUIRE(run(1) == MDL_OK);
  CHECK(s.output(0) == std::vector<float>{4, 8});
}

TEST_CASE("a branch is chosen anew in each iteration") {
  for (const char* backends : kBackends) {
    INFO(backends);
    ModelBuilder b;
    const int32_t x = b.input("x", {1});
    ModelBuilder body;
    body.input("i", {}, MDL_INT64);
    body.input("go", {}, MDL_BOOL);
    const int32_t value = body.input("value", {1});
    const int32_t three = body.constant("three", {1}, {3});
    const int32_t above = body.node("Relu", {body.node("Sub", {value, three}, "rest")}, "above");
    const int32_t is_above = body.node("Cast", {above}, "is_above", {{"to", int64_t{MDL_BOOL}}});
    control(body, "If", {is_above, value}, {{"next", {1}}},
            {{"then_branch", index(2)}, {"else_branch", index(3)}});
    ModelBuilder down;
    down.output(down.node("Sub", {down.input("high", {1}), down.constant("two", {1}, {2})}, "a"));
    ModelBuilder up;
    up.output(up.node("Add", {up.input("low", {1}), up.constant("three", {1}, {3})}, "b"));
    for (ModelBuilder* graph : {&body, &down, &up}) add_body(b, *graph);
    control(b, "Loop", {-1, -1, x}, {{"y", {1}}},
            {{"body", index(1)}, {"carried", int64_t{1}}, {"limit", int64_t{4}}});
    Running s(b, backends);
    REQUIRE(s.run({5}) == MDL_OK);  // 3, 6, 4, 2
    CHECK(s.output(0) == std::vector<float>{2});
    REQUIRE(s.run({0}) == MDL_OK);  // 3, 6, 4, 2
    CHECK(s.output(0) == std::vector<float>{2});
    REQUIRE(s.run({9}) == MDL_OK);  // 7, 5, 3, 6
    CHECK(s.output(0) == std::vector<float>{6});
    std::string text(4096, ' ');
    plan_text(s.program->program, text.data(), text.size());
    INFO(text);
    CHECK(text.find("on core, kernel loop") != std::string::npos);
    CHECK(text.find("on core, kernel branch") != std::string::npos);
  }
}

TEST_CASE("bodies stand in one another four deep") {
  ModelBuilder four = nested_loops(4);
  Running s(four, "cpu,reference");
  REQUIRE(s.run({1, 2}) == MDL_OK);
  CHECK(s.output(0) == std::vector<float>{17, 18});
}

TEST_CASE("a loop follows the shapes that the caller sets") {
  for (const char* backends : kBackends) {
    INFO(backends);
    ModelBuilder b;
    const int32_t x = b.input("x", {4, 2}, MDL_FLOAT32, {"n", ""});
    ModelBuilder body;
    body.input("i", {}, MDL_INT64);
    body.input("go", {}, MDL_BOOL);
    const int32_t sum = body.input("sum", {4, 2}, MDL_FLOAT32, {"k", ""});
    const int32_t step = body.input("step", {4, 2}, MDL_FLOAT32, {"k", ""});
    body.output(body.node("Add", {sum, step}, "next"));
    add_body(b, body);
    control(b, "Loop", {-1, -1, x, x}, {{"y", {4, 2}, {"m", ""}}},
            {{"body", index(1)}, {"carried", int64_t{1}}, {"limit", int64_t{2}}});
    Running s(b, backends);
    const int64_t two[] = {2, 2};
    const int64_t* dims = two;
    REQUIRE(mdl_session_resize(s.get(), &dims, 1, nullptr) == MDL_OK);
    REQUIRE(s.run({1, 2, 3, 4}) == MDL_OK);
    CHECK(s.shape(0) == Dims{2, 2});
    CHECK(s.output(0) == std::vector<float>{3, 6, 9, 12});
    const int64_t four[] = {4, 2};
    dims = four;
    REQUIRE(mdl_session_resize(s.get(), &dims, 1, nullptr) == MDL_OK);
    REQUIRE(s.run({1, 1, 1, 1, 1, 1, 1, 2}) == MDL_OK);
    CHECK(s.output(0) == std::vector<float>{3, 3, 3, 3, 3, 3, 3, 6});
  }
}

TEST_CASE("integers in a body make a model's numerics exact") {
  for (const bool quantized : {false, true}) {
    ModelBuilder b;
    const int32_t x = b.input("x", {2});
    ModelBuilder body;
    body.input("i", {}, MDL_INT64);
    body.input("go", {}, MDL_BOOL);
    const int32_t carried = body.input("inner_x", {2});
    body.output(body.node("Relu", {carried}, "inner_y"));
    if (quantized) body.quantized(carried, "integers", 0.5f);
    control(b, "Loop", {-1, -1, x}, {{"y", {2}}},
            {{"body", index(add_body(b, body))}, {"carried", int64_t{1}}, {"limit", int64_t{2}}});
    const Running s(b, "cpu,reference");
    CHECK(s.program->program.context.numerics ==
          (quantized ? MDL_NUMERICS_EXACT : MDL_NUMERICS_FAST));
  }
}

TEST_CASE("bodies are held to the rules") {
  const auto refusal = [](ModelBuilder& b) {
    const AlignedBytes bytes(tools::model_bytes(b.model));
    mdl_error error = MDL_ERROR_INIT;
    mdl_model* model = nullptr;
    const mdl_status status =
        mdl_model_open_memory(bytes.data(), bytes.size(), nullptr, &model, &error);
    if (status == MDL_OK) mdl_model_close(model);
    return std::string(status == MDL_OK ? "" : error.text);
  };
  const auto has = [](const std::string& text, const char* part) {
    INFO(text);
    return text.find(part) != std::string::npos;
  };
  const auto looped = [&](ModelBuilder& b, ModelBuilder& body) {
    const int32_t x = b.input("x", {2});
    const int32_t step = b.input("step", {2});
    const int64_t graph = add_body(b, body);
    control(b, "Loop", {-1, -1, x, step}, {{"y", {2}}, {"squares", {3, 2}}},
            {{"body", index(graph)}, {"carried", int64_t{1}}, {"limit", int64_t{3}}});
  };
  ModelBuilder five = nested_loops(5);
  CHECK(has(refusal(five), "its body stands in 4 others, the limit is 3"));
  ModelBuilder body = counting_body(false);
  {
    ModelBuilder b;
    looped(b, body);
    CHECK(refusal(b) == "");
    b.graph().nodes[0].attributes["limit"] = int64_t{-1};
    CHECK(has(refusal(b), "limit is -1"));
    b.graph().nodes[0].attributes["limit"] = int64_t{4};
    CHECK(has(refusal(b), "the operator gives [4,2]"));
    b.graph().nodes[0].attributes["limit"] = int64_t{3};
    b.graph().nodes[0].attributes["body"] = index(0);
    CHECK(has(refusal(b), "should be above the node's own"));
  }
  {
    ModelBuilder b;
    looped(b, body);
    b.model.graphs[1].inputs.pop_back();
    CHECK(refusal(b) != "");
  }
  {
    ModelBuilder b;
    looped(b, body);
    b.graph().nodes.push_back(b.graph().nodes[0]);
    for (int32_t& t : b.graph().nodes[1].outputs) {
      tools::Tensor twin = b.at(t);
      twin.name += "_twin";
      t = b.graph().add_tensor(std::move(twin));
    }
    CHECK(has(refusal(b), "the body of more than one attribute"));
  }
  {
    ModelBuilder b;
    ModelBuilder odd = counting_body(false);
    odd.at(odd.graph().inputs[3]).dims = {1};
    looped(b, odd);
    CHECK(has(refusal(b), "the body's 'inner_step' is [1]"));
  }
  {
    ModelBuilder b;
    ModelBuilder remembers = counting_body(false);
    const int32_t h = remembers.state("h", {2});
    remembers.graph().states[0].written = remembers.node("Relu", {h}, "next_h");
    looped(b, remembers);
    CHECK(has(refusal(b), "has states, which only the main graph has"));
  }
}
