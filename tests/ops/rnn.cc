// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "tests/catch.h"
#include "tests/ops/harness.h"

namespace medulla::test {
namespace {

using Floats = std::vector<float>;

TEST_CASE("RNN of random sequences") {
  const uint64_t seed = 41;
  Random random(seed);
  for (int round = 0; round < 100; ++round) {
    INFO("seed " << seed << ", round " << round);
    const auto time = random.integer(int64_t{1}, int64_t{4}),
               batch = random.integer(int64_t{1}, int64_t{3});
    const auto in = random.integer(int64_t{1}, int64_t{4}),
               hidden = random.integer(int64_t{1}, int64_t{4});
    const bool reverse = random.one_in(2), relu = random.one_in(2), bias = random.one_in(2);
    const bool clipped = random.one_in(2);
    const Value x = random_floats(random, {time, batch, in});
    const Value w = random_floats(random, {1, hidden, in}),
                r = random_floats(random, {1, hidden, hidden});
    const Value b = random_floats(random, {1, 2 * hidden}),
                h0 = random_floats(random, {1, batch, hidden});
    Case c("RNN");
    c.input(x).input(w).input(r).input(bias ? b : Value{}).no_input().input(h0).output().output();
    c.set("direction", reverse ? "reverse" : "forward");
    if (relu) c.set("activations", std::vector<const char*>{"Relu"});
    if (clipped) c.set("clip", 0.5);
    const Result result = c.run();
    REQUIRE(result.status == MDL_OK);
    REQUIRE(c.macs() == static_cast<uint64_t>(time * batch * hidden * (in + hidden)));

    const auto at = [](const Value& v, int64_t i) {
      return static_cast<double>(v.as<float>()[static_cast<size_t>(i)]);
    };
    for (int64_t n = 0; n < batch; ++n) {
      std::vector<double> h;
      for (int64_t j = 0; j < hidden; ++j) h.push_back(at(h0, n * hidden + j));
      for (int64_t i = 0; i < time; ++i) {
        const int64_t t = reverse ? time - 1 - i : i;
        std::vector<double> next;
        for (int64_t j = 0; j < hidden; ++j) {
          double sum = bias ? at(b, j) + at(b, hidden + j) : 0;
          for (int64_t k = 0; k < in; ++k)
            sum += at(x, (t * batch + n) * in + k) * at(w, j * in + k);
          for (int64_t k = 0; k < hidden; ++k) {
            sum += h[static_cast<size_t>(k)] * at(r, j * hidden + k);
          }
          if (clipped) sum = std::fmin(std::fmax(sum, -0.5), 0.5);
          next.push_back(relu ? std::fmax(sum, 0) : std::tanh(sum));
          REQUIRE(result.values()[static_cast<size_t>((t * batch + n) * hidden + j)] ==
                  Approx(next.back()).margin(1e-5));
        }
        h = next;
      }
      for (int64_t j = 0; j < hidden; ++j) {
        REQUIRE(result.values(1)[static_cast<size_t>(n * hidden + j)] ==
                Approx(h[static_cast<size_t>(j)]).margin(1e-5));
      }
    }
  }
}

TEST_CASE("RNN has one gate") {
  const Result r = Case("RNN")
                       .input(counted<float>({1, 1, 1}))
                       .input(counted<float>({1, 3, 1}))
                       .input(counted<float>({1, 1, 1}))
                       .run();
  CHECK(r.says("input 1 is [1,3,1], should be [1,1,1]"));
}

}  // namespace
}  // namespace medulla::test
