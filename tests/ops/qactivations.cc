// SPDX-License-Identifier: Apache-2.0
// Integer operators without constant weights.
#include <cmath>

#include "tests/catch.h"
#include "tests/ops/harness.h"

namespace medulla::test {
namespace {

using Ints = std::vector<int64_t>;

TEST_CASE("QMatMul multiplies two activations") {
  const Value a = tensor<int8_t>({2, 1, 2}, {1, 2, 3, 4}).quantized(0.5f, 1);
  const Value b = tensor<int8_t>({2, 2}, {5, 6, 7, 8}).quantized(0.5f, -1);
  const auto node = [&](const Value& y, double multiplier) {
    return Case("QMatMul").input(a).input(b).output(y).set("multiplier", multiplier).run();
  };
  Result r = node(declared(MDL_FLOAT32), 0.25);
  CHECK(r.dims() == Ints{2, 1, 2});
  CHECK(r.values() == std::vector<float>{2, 2.25f, 9, 10.25f});
  r = node(declared(MDL_INT8).quantized(1, 10), 0.25);
  CHECK(r.values<int8_t>() == std::vector<int8_t>{12, 12, 19, 20});
  CHECK(node(declared(MDL_INT8).quantized(1, 10), 0.5).says("the scales give 0.25"));
  const Value row = counted<int8_t>({1, 1 << 18}).quantized(1, -128);
  CHECK(Case("QMatMul")
            .input(row)
            .input(counted<int8_t>({1 << 18, 1}).quantized(1, -128))
            .output(declared(MDL_FLOAT32))
            .set("multiplier", 1.0)
            .run()
            .says("the sums of 262144 products from 0 to 65025 may not fit 32 bits"));
}

TEST_CASE("QSub and QMul rescale and round once") {
  const Value a = tensor<int8_t>({3}, {10, -6, 127}).quantized(0.5f, 2);
  const Value b = tensor<int8_t>({1}, {7}).quantized(0.25f, 4);
  const auto run = [&](Case& node) {
    const Result r = node.input(a).input(b).output(Value{}.quantized(0.5f, 1)).run();
    CHECK(r.text == "");
    return r.values<int8_t>();
  };
  Case difference("QSub");
  difference.set("multipliers", std::vector<double>{1, 0.5});
  // 8 - 1.5 to even, -8 - 1.5, 125 - 1.5; 1 added.
  CHECK(run(difference) == std::vector<int8_t>{7, -9, 125});
  Case product("QMul");
  product.set("multiplier", 0.25);
  // 8 * 3, -8 * 3, 125 * 3, a quarter of each; 1 added.
  CHECK(run(product) == std::vector<int8_t>{7, -5, 95});
}

TEST_CASE("QBatchNormalization by hand, and what it refuses") {
  const Value x = tensor<int8_t>({2, 2}, {10, -6, -128, 127}).quantized(0.5f, 2);
  const auto run = [&](std::vector<float> m, std::vector<float> b, int64_t qmin = -128) {
    return Case("QBatchNormalization")
        .input(x)
        .input(tensor<float>({static_cast<int64_t>(m.size())}, m).as_constant())
        .input(tensor<float>({2}, b).as_constant())
        .output(Value{}.quantized(1, 1))
        .set("qmin", qmin)
        .run();
  };
  // 8 / 4 + 0.5 to even, -8 * -2 - 3; -130 / 4 + 0.5, 125 * -2 - 3; 1 added.
  CHECK(run({0.25f, -2}, {0.5f, -3}).values<int8_t>() == std::vector<int8_t>{3, 14, -31, -128});
  CHECK(run({0.25f, -2}, {0.5f, -3}, 1).values<int8_t>() == std::vector<int8_t>{3, 14, 1, 1});
  CHECK(run({1}, {0, 0}).says("input 1 is [1], should be [2]"));
  CHECK(run({1, 1e-40f}, {0, 0}).says("the multiplier of channel 1 is"));
  CHECK(run({1, 0}, {std::nanf(""), 0}).says("the bias of channel 0 is nan, should be normal"));
  CHECK(Case("QBatchNormalization")
            .input(x)
            .input(tensor<float>({2}, {1, 1}))
            .input(tensor<float>({2}, {1, 1}).as_constant())
            .output(Value{}.quantized(1, 1))
            .run()
            .says("the multiplier 'x1' should be constant"));
}

TEST_CASE("QLayerNormalization by hand, and what it refuses") {
  const Value scale = tensor<float>({2}, {4, 8}).as_constant();
  const auto run = [&](const Value& x, const Value& g, float epsilon) {
    return Case("QLayerNormalization")
        .input(x)
        .input(g)
        .output(Value{}.quantized(1, 1))
        .set("epsilon", epsilon)
        .run();
  };
  // Deviations 3 and 0: one row gives -1 and 1, the other 0, times the scales; 1 added.
  const Value x = tensor<int8_t>({2, 2}, {-2, 4, 7, 7}).quantized(1, 5);
  const Result r = run(x, scale, 1e-12f);
  REQUIRE(r.text == "");
  CHECK(r.values<int8_t>() == std::vector<int8_t>{-3, 9, 1, 1});
  CHECK(run(x, tensor<float>({1}, {4}).as_constant(), 1).says("should be the dimensions"));
  CHECK(run(x, scale, 0.0f).says("epsilon / s_x^2 is 0"));
}

TEST_CASE("QSoftmax by hand, along any axis, and what it refuses") {
  std::vector<uint32_t> entries(256);
  for (size_t d = 0; d < 24; ++d) entries[d] = uint32_t{1 << 23} >> d;
  const Value x = tensor<int8_t>({2, 2}, {10, 9, 7, 9}).quantized(0.5f, 5);
  const auto run = [&](const std::vector<uint32_t>& table, int64_t axis) {
    return Case("QSoftmax")
        .input(x)
        .input(tensor<uint32_t>({static_cast<int64_t>(table.size())}, table).as_constant())
        .output(Value{}.quantized(1.0f / 128, -10))
        .set("axis", axis)
        .run();
  };
  // Of 128 steps: two thirds and one third, a fifth and four fifths; 10 taken off.
  const Result rows = run(entries, 1);
  REQUIRE(rows.text == "");
  CHECK(rows.values<int8_t>() == std::vector<int8_t>{75, 33, 16, 92});
  // Eight ninths and one ninth; halves.
  CHECK(run(entries, -2).values<int8_t>() == std::vector<int8_t>{104, 54, 4, 54});
  CHECK(run(entries, 2).says("axis"));
  CHECK(run({1, 2}, 1).says("the table is [2], should be [256]"));
  entries[3] = (1 << 23) + 1;
  CHECK(run(entries, 1).says("table[3] is 8388609, should be at most 8388608"));
  entries[0] = 5;
  CHECK(run(entries, 1).says("table[0] is 5, should be 8388608"));
}

TEST_CASE("QResize rounds once") {
  const Value x = tensor<int8_t>({1, 2, 1}, {10, -5}).quantized(0.5f, 2);
  const auto node = [&](double multiplier, const char* mode) {
    return Case("QResize")
        .input(x)
        .output(Value{}.quantized(1, 1))
        .set("scales", std::vector<double>{1, 2, 1})
        .set("mode", mode)
        .set("multiplier", multiplier)
        .run();
  };
  const Result r = node(0.5, "linear");
  REQUIRE(r.text == "");
  // 8, 4.25, -3.25, -7: halved, to even, and 1 added.
  CHECK(r.values<int8_t>() == std::vector<int8_t>{5, 3, -1, -3});
  CHECK(node(0.25, "linear").says("the scales give 0.5"));
  CHECK(node(0.5, "nearest").says("should be linear"));
}

TEST_CASE("QLookup takes each value from its table") {
  std::vector<int8_t> table(256);
  for (size_t i = 0; i < 256; ++i) table[i] = static_cast<int8_t>(i * 7);
  const Value x = tensor<int8_t>({2, 2}, {-128, -1, 0, 127});
  const Result r = Case("QLookup").input(x).input(tensor<int8_t>({256}, table).as_constant()).run();
  REQUIRE(r.text == "");
  CHECK(r.values<int8_t>() == std::vector<int8_t>{table[0], table[127], table[128], table[255]});
  const Value small = tensor<int8_t>({255}, std::vector<int8_t>(255)).as_constant();
  CHECK(Case("QLookup").input(x).input(small).infer().says("should be [256]"));
}

TEST_CASE("QAdd rescales both sides and rounds once") {
  const Value a = tensor<int8_t>({2, 1}, {10, -20}).quantized(0.5f, 2);
  const Value b = tensor<int8_t>({2}, {3, 100}).quantized(0.25f, -1);
  const auto node = [&](std::vector<double> multipliers) {
    return Case("QAdd")
        .input(a)
        .input(b)
        .output(declared(MDL_INT8).quantized(1, 5))
        .set("multipliers", multipliers)
        .run();
  };
  // a: 4, -11; b: 1, 25.25
  CHECK(node({0.5, 0.25}).values<int8_t>() == std::vector<int8_t>{10, 34, -5, 19});
  CHECK(node({0.5, 0.5}).says("multiplier 1 is 0.5, the scales give 0.25"));
  CHECK(node({0.5}).says("multipliers has 1 entries, should have 2"));
}

TEST_CASE("QConcat rescales what differs and copies what agrees") {
  const Value a = tensor<int8_t>({2, 1}, {10, -20}).quantized(0.5f, 2);
  const Value b = tensor<int8_t>({2, 2}, {1, 2, 3, 4}).quantized(1, 5);
  const auto node = [&](std::vector<double> multipliers, int axis) {
    return Case("QConcat")
        .input(a)
        .input(b)
        .output(declared(MDL_INT8).quantized(1, 5))
        .set("multipliers", multipliers)
        .set("axis", axis)
        .run();
  };
  CHECK(node({0.5, 1}, -1).values<int8_t>() == std::vector<int8_t>{9, 1, 2, -6, 3, 4});
  CHECK(node({0.5, 1}, 0).status == MDL_ERROR_SHAPE);
  CHECK(node({1, 1}, 1).says("multiplier 0 is 1, the scales give 0.5"));
}

TEST_CASE("QAveragePool divides by the count of its table") {
  const Value x = tensor<int8_t>({1, 3, 1}, {10, 20, -40}).quantized(0.5f, -10);
  const auto node = [&](int include, std::vector<double> multipliers) {
    return Case("QAveragePool")
        .input(x)
        .output(declared(MDL_INT8).quantized(0.25f, 1))
        .set("kernel_shape", Ints{2})
        .set("pads", Ints{1, 0})
        .set("multipliers", multipliers)
        .set("count_include_pad", include)
        .run();
  };
  CHECK(node(0, {2, 1}).values<int8_t>() == std::vector<int8_t>{41, 51, 1});
  CHECK(node(1, {2, 1}).values<int8_t>() == std::vector<int8_t>{21, 51, 1});
  CHECK(node(1, {2, 2}).says("multiplier 1 is 2, the scales give 1"));
  CHECK(node(1, {2}).says("multipliers has 1 entries, should have 2"));
}

TEST_CASE("QGlobalAveragePool knows its number of pixels") {
  const auto node = [&](int64_t pixels, double multiplier) {
    std::vector<int8_t> x(static_cast<size_t>(2 * pixels), 4);
    x[0] = -4;
    return Case("QGlobalAveragePool")
        .input(tensor<int8_t>({1, pixels, 2}, x).quantized(1, 2))
        .output(declared(MDL_INT8).quantized(0.5f, 0))
        .set("multiplier", multiplier)
        .run();
  };
  CHECK(node(4, 0.5).values<int8_t>() == std::vector<int8_t>{0, 4});
  CHECK(node(2, 0.5).says("multiplier 0 is 0.5, the scales give 1"));
}

}  // namespace
}  // namespace medulla::test
