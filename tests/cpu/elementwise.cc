// SPDX-License-Identifier: Apache-2.0
#include "tests/cpu/compare.h"

namespace medulla::test {

TEST_CASE("functions on the CPU give the reference's bytes", "[unary]") {
  const char* const kOps[] = {"Abs",     "Clip",       "Elu",       "Erf",       "Exp",
                              "Gelu",    "Log",        "HardSwish", "LeakyRelu", "Neg",
                              "Relu",    "Reciprocal", "Softplus",  "Sqrt",      "HardSigmoid",
                              "Sigmoid", "Swish",      "Tanh"};
  for (uint32_t seed = 0; seed < 100; ++seed) {
    const std::string op = kOps[seed % std::size(kOps)];
    CAPTURE(seed, op);
    GraphBuilder builder;
    Random random(seed);
    int32_t t =
        builder.input("x", {random.integer(1, 9), random.integer(1, 40), random.integer(1, 70)});
    t = builder.node(op, {t},
                     op == "Clip"
                         ? std::map<std::string, AttributeValue>{{"min", -0.5}, {"max", 1.5}}
                         : std::map<std::string, AttributeValue>{});
    builder.output(t);
    require_cpu_equals_reference(builder, seed);
  }
}

TEST_CASE("operations on two tensors give the reference's bytes, whatever is broadcast",
          "[binary]") {
  const char* const kOps[] = {"Add", "Sub", "Mul", "Div", "Max", "Min"};
  for (uint32_t seed = 0; seed < 200; ++seed) {
    const std::string op = kOps[seed % std::size(kOps)];
    CAPTURE(seed, op);
    GraphBuilder builder;
    Random random(seed);
    Dims a;
    Dims b;
    for (int64_t rank = random.integer(1, 4); rank > 0; --rank) {
      const int64_t extent = random.integer(1, 12);
      a.push_back(random.one_in(4) ? 1 : extent);
      b.push_back(random.one_in(4) ? 1 : extent);
    }
    if (random.one_in(3)) b.erase(b.begin(), b.begin() + random.integer(0, 1));
    const int32_t x = builder.input("x", a);
    size_t count = 1;
    for (int64_t d : b) count *= static_cast<size_t>(d);
    const int32_t y =
        random.one_in(2) ? builder.input("y", b) : builder.constant("y", b, random.floats(count));
    int32_t t = builder.node(
        op, random.one_in(2) ? std::vector<int32_t>{x, y} : std::vector<int32_t>{y, x});
    if (random.one_in(3)) t = builder.node("Relu", {t});
    builder.output(t);
    require_cpu_equals_reference(builder, seed);
  }
}

TEST_CASE("a function behind a product gives the reference's bytes", "[chain]") {
  for (const char* op : {"Swish", "Sigmoid", "HardSwish", "Gelu", "Clip"}) {
    for (uint32_t seed = 0; seed < 10; ++seed) {
      CAPTURE(seed, op);
      GraphBuilder builder;
      Random random(seed);
      const int64_t channels = random.integer(1, 30);
      const int64_t out = random.integer(1, 40);
      int32_t t = builder.input("x", {1, 12, 13, channels});
      const int64_t kernel = random.one_in(2) ? 1 : 3;
      const int32_t w =
          builder.constant("w", {out, kernel, kernel, channels},
                           random.floats(static_cast<size_t>(out * kernel * kernel * channels)));
      t = builder.node("Conv", {t, w});
      t = builder.node(op, {t});
      builder.output(t);
      require_cpu_equals_reference(builder, seed);
    }
  }
}

}  // namespace medulla::test
