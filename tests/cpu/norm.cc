// SPDX-License-Identifier: Apache-2.0
#include "tests/cpu/compare.h"

namespace medulla::test {
namespace {

// Constants of `count` values, one for each name.
std::vector<int32_t> parameters(GraphBuilder& builder, Random& random, int64_t count,
                                const std::vector<std::string>& names) {
  std::vector<int32_t> made;
  for (const std::string& name : names) {
    made.push_back(builder.constant(name, {count}, random.floats(static_cast<size_t>(count))));
  }
  return made;
}

}  // namespace

TEST_CASE("batch normalization and what follows it give the reference's bytes", "[norm]") {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    GraphBuilder builder;
    Random random(seed);
    const int64_t channels = random.integer(1, 70);
    std::vector<int32_t> inputs = {
        builder.input("x", {random.integer(1, 3), random.integer(1, 40), channels})};
    for (const int32_t p : parameters(builder, random, channels, {"scale", "bias", "mean"})) {
      inputs.push_back(p);
    }
    std::vector<float> variance = random.floats(static_cast<size_t>(channels));
    for (float& v : variance) v = v * v;
    inputs.push_back(builder.constant("var", {channels}, variance));
    int32_t t = builder.node("BatchNormalization", inputs, {{"epsilon", 0.0009765625}});
    const char* const kAfter[] = {"Relu", "Sigmoid", "Clip", nullptr};
    if (const char* op = kAfter[random.integer(0, 3)]) t = builder.node(op, {t});
    builder.output(t);
    require_cpu_equals_reference(builder, seed);
  }
}

TEST_CASE("normalized rows and groups give the reference's bytes", "[norm]") {
  for (uint32_t seed = 0; seed < 120; ++seed) {
    CAPTURE(seed);
    GraphBuilder builder;
    Random random(seed);
    const bool groups = random.one_in(2);
    const int64_t size = random.one_in(3) ? 1 : random.integer(1, 40);
    const int64_t count = random.integer(1, 5);
    const Dims shape = {random.integer(1, 3), random.integer(1, 9), random.integer(1, 9),
                        groups ? size * count : random.integer(1, 300)};
    std::vector<int32_t> inputs = {builder.input("x", shape)};
    const bool rms = !groups && random.one_in(3);
    const bool bias = groups || (!rms && random.one_in(2));
    for (const int32_t p : parameters(builder, random, shape.back(),
                                      bias ? std::vector<std::string>{"scale", "bias"}
                                           : std::vector<std::string>{"scale"})) {
      inputs.push_back(p);
    }
    std::map<std::string, AttributeValue> attributes = {{"epsilon", 0.0009765625}};
    if (groups) attributes["num_groups"] = count;
    builder.output(builder.node(groups ? "GroupNormalization"
                                : rms  ? "RMSNormalization"
                                       : "LayerNormalization",
                                inputs, attributes));
    require_cpu_equals_reference(builder, seed);
  }
}

}  // namespace medulla::test
