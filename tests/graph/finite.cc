// SPDX-License-Identifier: Apache-2.0
// What check_finite refuses before a step could make a number of it.
#include <limits>
#include <string>

#include "tests/catch.h"
#include "tests/graph/running.h"

using namespace medulla;
using namespace medulla::test;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

mdl_session_options checking() {
  mdl_session_options options = MDL_SESSION_OPTIONS_INIT;
  options.check_finite = 1;
  return options;
}

// No step has a float output but that which only sees integers.
void add_integer_network(ModelBuilder& b, int32_t x) {
  const int32_t y = b.node("DequantizeLinear", {b.quantized(x, "q", 0.5f)}, "y");
  b.output(y);
}

}  // namespace

TEST_CASE("an input that is not finite is refused before a step makes it a number") {
  ModelBuilder b;
  add_integer_network(b, b.input("x", {2, 3}));
  const mdl_session_options options = checking();
  Running r(b, "cpu,reference", &options);
  REQUIRE(r.run({1, 2, 3, 4, 5, 6}) == MDL_OK);
  for (const float bad : {kNan, kInfinity, -kInfinity}) {
    CAPTURE(bad);
    CHECK(r.run({1, 2, 3, 4, bad, 6}) == MDL_ERROR_NOT_FINITE);
    CHECK(std::string(mdl_session_error(r.get())) == "input 'x' is not finite at element 4");
  }
  CHECK(r.run({1, 2, 3, 4, 5, 6}) == MDL_OK);

  alignas(64) float mine[16] = {kNan};
  REQUIRE(mdl_session_bind_input(r.get(), 0, mine, sizeof(mine), nullptr) == MDL_OK);
  CHECK(r.run() == MDL_ERROR_NOT_FINITE);
  CHECK(std::string(mdl_session_error(r.get())) == "input 'x' is not finite at element 0");
  mine[0] = 1;
  mine[6] = kNan;  // behind the tensor
  CHECK(r.run() == MDL_OK);

  Running unchecked(b, "cpu,reference");
  REQUIRE(unchecked.run({1, 2, 3, 4, kNan, 6}) == MDL_OK);
  CHECK(unchecked.output() == std::vector<float>{1, 2, 3, 4, -64, 6});
}

TEST_CASE("what is behind a smaller input is not looked at") {
  ModelBuilder b;
  add_integer_network(b, b.input("x", {4, 3}, MDL_FLOAT32, {"n", ""}));
  const mdl_session_options options = checking();
  Running r(b, "cpu,reference", &options);
  CHECK(r.run({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, kNan}) == MDL_ERROR_NOT_FINITE);
  const int64_t three[] = {3, 3};
  const int64_t* dims = three;
  REQUIRE(mdl_session_resize(r.get(), &dims, 1, nullptr) == MDL_OK);
  CHECK(r.run({0, 0, 0, 0, 0, 0, 0, 0, 0}) == MDL_OK);
}

TEST_CASE("an input of integers takes no value that is not finite when checked") {
  const auto with_scale = GENERATE(false, true);
  CAPTURE(with_scale);
  ModelBuilder b;
  const int32_t x = b.input("x", {3}, MDL_INT8);
  const int32_t y = b.node("Identity", {x}, "y");
  b.output(y);
  if (with_scale) {
    for (const int32_t t : {x, y}) b.at(t).quantization = tools::Quantization{{0.5f}, {0}, 0};
  }
  const mdl_session_options options = checking();
  Running r(b, "cpu,reference", &options);
  REQUIRE(r.run({1, 2, 3}) == MDL_OK);
  const float values[] = {4, kNan, 6};
  mdl_error error = MDL_ERROR_INIT;
  CHECK(mdl_session_set_input(r.get(), 0, values, 3, &error) == MDL_ERROR_NOT_FINITE);
  CHECK(std::string(error.text) == "input 'x' is int8, its value is not finite at element 1");
  REQUIRE(r.run() == MDL_OK);  // the values are as before
  CHECK(r.input<int8_t>(0)[0] == (with_scale ? 2 : 1));

  Running unchecked(b, "cpu,reference");
  REQUIRE(mdl_session_set_input(unchecked.get(), 0, values, 3, nullptr) == MDL_OK);
  CHECK(unchecked.input<int8_t>(0)[1] == (with_scale ? -128 : 0));
}
