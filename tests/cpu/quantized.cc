// SPDX-License-Identifier: Apache-2.0
#include "tests/cpu/compare.h"

namespace medulla::test {
namespace {

constexpr float kScale = 0.5f;

// A quantized input of kScale and a random zero point.
int32_t int8_input(GraphBuilder& builder, Random& random, const std::string& name,
                   const Dims& dims) {
  const auto z = static_cast<int32_t>(random.integer(-128, 127));
  return builder.quantized(builder.input(name, dims, {}, MDL_INT8), {kScale}, {z});
}

// Its output's numbers.
void int8_output(GraphBuilder& builder, Random& random, int32_t t, float scale) {
  builder.output(builder.quantized(t, {scale}, {static_cast<int32_t>(random.integer(-128, 127))}));
}

// Extents of 1 in the place of some, and dimensions left out in front.
Dims broadcasting(Random& random, const Dims& dims) {
  Dims part(
      dims.begin() + (random.one_in(3) ? random.integer(0, static_cast<int64_t>(dims.size())) : 0),
      dims.end());
  for (int64_t& d : part) {
    if (random.one_in(3)) d = 1;
  }
  return part;
}

}  // namespace

TEST_CASE("quantized products of two activations give the reference's bytes", "[qmatmul]") {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    GraphBuilder builder;
    Random random(seed);
    const int64_t m = random.integer(1, 20);
    const int64_t k = random.integer(1, 50);
    const int64_t n = random.one_in(3) ? random.integer(60, 140) : random.integer(1, 40);
    const Dims stack = {random.integer(1, 3), random.integer(1, 3)};
    Dims a = broadcasting(random, stack);
    Dims b = broadcasting(random, stack);
    a.insert(a.end(), {m, k});
    b.insert(b.end(), {k, n});
    const int32_t y = builder.node(
        "QMatMul", {int8_input(builder, random, "a", a), int8_input(builder, random, "b", b)},
        {{"multiplier", 0.015625}, {"qmin", int64_t{-100}}});
    int8_output(builder, random, y, 16);
    require_cpu_equals_reference(builder, seed);
  }
}

TEST_CASE("quantized sums and products that broadcast give the reference's bytes", "[qadd]") {
  for (uint32_t seed = 0; seed < 80; ++seed) {
    CAPTURE(seed);
    GraphBuilder builder;
    Random random(seed);
    Dims shape;
    for (int64_t d = random.integer(1, 4); d > 0; --d) shape.push_back(random.integer(1, 40));
    const bool swap = random.one_in(2);
    const int32_t x = int8_input(builder, random, "x", swap ? shape : broadcasting(random, shape));
    Dims other = broadcasting(random, shape);
    int32_t b;
    if (random.one_in(3)) {
      size_t count = 1;
      for (const int64_t d : other) count *= static_cast<size_t>(d);
      b = builder.quantized(builder.constant("c", other, random.bytes(count), MDL_INT8), {kScale},
                            {3});
    } else {
      b = int8_input(builder, random, "b", swap ? other : shape);
    }
    const std::vector<int32_t> inputs =
        swap ? std::vector<int32_t>{b, x} : std::vector<int32_t>{x, b};
    const int64_t op = random.integer(0, 2);
    if (op == 0) {
      const int32_t product = builder.node("QMul", inputs, {{"multiplier", 0.25}});
      int8_output(builder, random, product, 1);
      require_cpu_equals_reference(builder, seed);
      continue;
    }
    const int32_t y = builder.node(op == 1 ? "QAdd" : "QSub", inputs,
                                   {{"multipliers", std::vector<double>{0.5, 0.5}}});
    int8_output(builder, random, y, 1);
    require_cpu_equals_reference(builder, seed);
  }
}

TEST_CASE("integers added to floats give the reference's bytes", "[qadd_float]") {
  for (uint32_t seed = 0; seed < 40; ++seed) {
    CAPTURE(seed);
    GraphBuilder builder;
    Random random(seed);
    const Dims shape = {random.integer(1, 40), random.integer(1, 90)};
    const int32_t a = builder.input("a", shape);
    const int32_t b = int8_input(builder, random, "b", shape);
    const int32_t y =
        builder.node("QAddFloat", {a, b}, {{"multiplier", 0.5}, {"qmax", int64_t{99}}});
    int8_output(builder, random, y, 1);
    require_cpu_equals_reference(builder, seed);
  }
}

TEST_CASE("normalized integers have the reference's bytes", "[qnorm]") {
  for (uint32_t seed = 0; seed < 40; ++seed) {
    CAPTURE(seed);
    GraphBuilder builder;
    Random random(seed);
    const int64_t n = random.integer(1, 300);
    const int32_t x = int8_input(builder, random, "x", {random.integer(1, 9), n});
    std::vector<int32_t> inputs = {
        x, builder.constant("g", {n}, random.floats(static_cast<size_t>(n)))};
    if (random.one_in(2)) {
      inputs.push_back(builder.constant("b", {n}, random.floats(static_cast<size_t>(n))));
    }
    const bool batch = inputs.size() == 3 && random.one_in(2);
    int8_output(builder, random,
                builder.node(batch ? "QBatchNormalization" : "QLayerNormalization", inputs), 1);
    require_cpu_equals_reference(builder, seed);
  }
}

TEST_CASE("integer softmaxes have the reference's bytes", "[qsoftmax]") {
  std::vector<uint32_t> table(256, 1 << 23);
  for (size_t d = 1; d < 256; ++d) table[d] = table[d - 1] - table[d - 1] / 20;
  for (uint32_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    GraphBuilder builder;
    Random random(seed);
    const int32_t x = int8_input(builder, random, "x",
                                 {random.integer(1, 3), random.integer(1, 40),
                                  random.integer(1, random.one_in(2) ? 40 : 400)});
    const int32_t t = builder.constant("t", {256}, table, MDL_UINT32);
    std::map<std::string, AttributeValue> attributes;
    if (random.one_in(2)) attributes["axis"] = int64_t{2};
    int8_output(builder, random, builder.node("QSoftmax", {x, t}, attributes), 1);
    require_cpu_equals_reference(builder, seed);
  }
}

TEST_CASE("tables give the reference's bytes", "[qlookup]") {
  for (uint32_t seed = 0; seed < 10; ++seed) {
    CAPTURE(seed);
    GraphBuilder builder;
    Random random(seed);
    const int32_t x = int8_input(builder, random, "x", {3, random.integer(1, 3000)});
    const int32_t table = builder.constant("t", {256}, random.bytes(256), MDL_INT8);
    int8_output(builder, random, builder.node("QLookup", {x, table}), 1);
    require_cpu_equals_reference(builder, seed);
  }
}

TEST_CASE("resized pictures have the reference's bytes", "[resize]") {
  for (uint32_t seed = 0; seed < 80; ++seed) {
    CAPTURE(seed);
    GraphBuilder builder;
    Random random(seed);
    constexpr const char* kCoordinates[] = {"half_pixel", "align_corners", "asymmetric",
                                            "pytorch_half_pixel"};
    const bool linear = random.one_in(2);
    const bool quantized = random.one_in(2);
    Dims shape = {random.integer(1, 2)};
    std::vector<double> scales = {1};
    for (int64_t d = random.integer(1, 3); d > 0; --d) {
      shape.push_back(random.integer(1, 9));
      scales.push_back(random.one_in(4) ? 1 : static_cast<double>(random.integer(2, 9)) / 3);
    }
    shape.push_back(random.integer(1, 20));
    scales.push_back(random.one_in(8) ? 2 : 1);
    for (size_t d = 0; d < shape.size(); ++d) {
      if (static_cast<double>(shape[d]) * scales[d] < 1) scales[d] = 1;
    }
    std::map<std::string, AttributeValue> attributes = {
        {"mode", std::string(linear ? "linear" : "nearest")},
        {"coordinate_transformation_mode", std::string(kCoordinates[random.integer(0, 3)])},
        {"scales", scales}};
    const int32_t x =
        quantized ? int8_input(builder, random, "x", shape) : builder.input("x", shape);
    if (linear && quantized) attributes["multiplier"] = 0.5;
    const int32_t y = builder.node(linear && quantized ? "QResize" : "Resize", {x}, attributes);
    if (quantized) {
      int8_output(builder, random, y, 1);
    } else {
      builder.output(y);
    }
    require_cpu_equals_reference(builder, seed);
  }
}

TEST_CASE("joined tensors have the reference's bytes, requantized or not", "[concat]") {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    GraphBuilder builder;
    Random random(seed);
    const bool quantized = random.one_in(2);
    Dims shape;
    for (int64_t d = random.integer(1, 4); d > 0; --d) shape.push_back(random.integer(1, 9));
    const auto axis =
        static_cast<size_t>(random.integer(0, static_cast<int64_t>(shape.size()) - 1));
    std::vector<int32_t> inputs;
    std::vector<double> multipliers;
    for (int64_t i = random.integer(1, 5); i > 0; --i) {
      shape[axis] = random.integer(1, 20);
      const std::string name = "x" + std::to_string(i);
      inputs.push_back(quantized ? int8_input(builder, random, name, shape)
                                 : builder.input(name, shape));
      multipliers.push_back(kScale);
    }
    std::map<std::string, AttributeValue> attributes = {{"axis", static_cast<int64_t>(axis)}};
    if (quantized) attributes["multipliers"] = multipliers;
    const int32_t y = builder.node(quantized ? "QConcat" : "Concat", inputs, attributes);
    if (quantized) {
      int8_output(builder, random, y, random.one_in(3) ? kScale : 1);
    } else {
      builder.output(y);
    }
    require_cpu_equals_reference(builder, seed);
  }
}

}  // namespace medulla::test
