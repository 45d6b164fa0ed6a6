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
        "output 'y': the session has not run since it was created or resized");
  CHECK(y[0] == 7);
  REQUIRE(r.run({1, 2}) == MDL_OK);
  CHECK(ask() == MDL_OK);
  CHECK(y[1] == 2);

  REQUIRE(r.run({1, std::numeric_limits<float>::infinity()}) == MDL_ERROR_NOT_FINITE);
  CHECK(ask() == MDL_ERROR_STATE);
  CHECK(std::string(error.text) == "output 'y': the last run failed, see mdl_session_error");
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
