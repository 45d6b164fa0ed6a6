// SPDX-License-Identifier: Apache-2.0
// An output is copied out only when a run has made it.
#include <limits>
#include <string>

#include "tests/catch.h"
#include "tests/graph/running.h"

using namespace medulla;
using namespace medulla::test;

TEST_CASE("there is no answer without a run that succeeded") {
  ModelBuilder b;
  b.output(b.node("Relu", {b.input("x", {2, 1}, MDL_FLOAT32, {"n", ""})}, "y"));
  mdl_session_options options = MDL_SESSION_OPTIONS_INIT;
  options.check_finite = 1;
  Running r(b, "cpu,reference", &options);
  float y[2] = {7, 7};
  mdl_error error = MDL_ERROR_INIT;
  const auto ask = [&](size_t count = 2) {
    return mdl_session_get_output(r.get(), 0, y, count, &error);
  };
  CHECK(ask() == MDL_ERROR_STATE);
  CHECK(std::string(error.text) ==
        "'y': the session has not run since it was created, resized or an output bound");
  CHECK(y[0] == 7);
  REQUIRE(r.run({1, 2}) == MDL_OK);
  CHECK(ask() == MDL_OK);
  CHECK(y[1] == 2);

  REQUIRE(r.run({1, std::numeric_limits<float>::infinity()}) == MDL_ERROR_NOT_FINITE);
  CHECK(ask() == MDL_ERROR_STATE);
  CHECK(std::string(error.text) == "'y': the last run failed, see mdl_session_error");
  REQUIRE(r.run({3, 4}) == MDL_OK);
  CHECK(ask() == MDL_OK);

  const int64_t one[] = {1, 1};
  const int64_t* dims = one;
  REQUIRE(mdl_session_resize(r.get(), &dims, 1, nullptr) == MDL_OK);
  CHECK(ask(1) == MDL_ERROR_STATE);
  REQUIRE(r.run({5}) == MDL_OK);
  CHECK(ask(1) == MDL_OK);
  CHECK(y[0] == 5);
}

TEST_CASE("an output that was bound elsewhere has no answer until the next run") {
  ModelBuilder b;
  b.output(b.node("Relu", {b.input("x", {2})}, "y"));
  Running r(b, "cpu,reference");
  alignas(MDL_ALIGNMENT) float mine[16] = {777, 777};
  float y[2] = {};
  const auto ask = [&] { return mdl_session_get_output(r.get(), 0, y, 2, nullptr); };
  REQUIRE(r.run({1, 2}) == MDL_OK);
  REQUIRE(mdl_session_bind_output(r.get(), 0, mine, sizeof(mine), nullptr) == MDL_OK);
  CHECK(ask() == MDL_ERROR_STATE);
  REQUIRE(r.run({3, 4}) == MDL_OK);
  CHECK(ask() == MDL_OK);
  CHECK(y[1] == 4);
  REQUIRE(mdl_session_bind_output(r.get(), 0, nullptr, 0, nullptr) == MDL_OK);
  CHECK(ask() == MDL_ERROR_STATE);
  const void* data = nullptr;
  CHECK(mdl_session_tensor(r.get(), "y", nullptr, &data, nullptr) == MDL_ERROR_STATE);
  CHECK(mdl_session_tensor(r.get(), "x", nullptr, &data, nullptr) == MDL_OK);
  REQUIRE(r.run({5, 6}) == MDL_OK);
  CHECK(ask() == MDL_OK);
  CHECK(y[0] == 5);
}

TEST_CASE("a session's own memory is no buffer to bind") {
  ModelBuilder b;
  b.output(b.node("Relu", {b.input("x", {2})}, "y"));
  Running r(b, "cpu,reference");
  void* in = nullptr;
  const void* out = nullptr;
  REQUIRE(mdl_session_input(r.get(), 0, &in, nullptr, nullptr) == MDL_OK);
  REQUIRE(mdl_session_output(r.get(), 0, &out, nullptr, nullptr) == MDL_OK);
  mdl_error error = MDL_ERROR_INIT;
  CHECK(mdl_session_bind_input(r.get(), 0, out, 64, &error) == MDL_ERROR_INVALID_ARGUMENT);
  CHECK(std::string(error.text) ==
        "input 'x': the buffer is the session's own memory; give one of yours, or null to unbind");
  CHECK(mdl_session_bind_output(r.get(), 0, in, 64, &error) == MDL_ERROR_INVALID_ARGUMENT);
}
