// SPDX-License-Identifier: Apache-2.0
// Each pass leaves what the graph computes as it was, and does what its picture says.
#include <cmath>
#include <limits>
#include <numbers>

#include "tests/catch.h"
#include "tests/convert/same_result.h"

using namespace medulla;
using namespace medulla::tools;

TEST_CASE("eliminate_dead drops identities and what nobody reads") {
  TestGraph g({2, 3});
  const int32_t same = g.add("Identity", {g.x});
  g.add("Relu", {same});
  const Graph after = same_result(g.finish({g.add("Add", {same, same})}), eliminate_dead, 0);
  CHECK(after.nodes.size() == 1);
  CHECK(after.tensors.size() == 2);
}

TEST_CASE("eliminate_dead keeps an output that is an input apart") {
  TestGraph g({4});
  const int32_t same = g.add("Identity", {g.x});
  const Graph after = same_result(g.finish({same}), eliminate_dead, 0);
  CHECK(count_of(after, "Identity") == 1);
}

TEST_CASE("common_subexpressions computes equal nodes once") {
  TestGraph g({2, 3});
  const int32_t a = g.add("Mul", {g.x, g.constant({3}, 1)});
  const int32_t b = g.add("Mul", {g.x, g.constant({3}, 1)});
  const int32_t c = g.add("Mul", {g.x, g.constant({3}, 2)});
  const Graph after =
      same_result(g.finish({g.add("Add", {g.add("Add", {a, b}), c})}), common_subexpressions, 0);
  CHECK(count_of(after, "Mul") == 2);
}

TEST_CASE("common_subexpressions keeps two outputs two") {
  TestGraph g({2, 3});
  const int32_t a = g.add("Relu", {g.x}), b = g.add("Relu", {g.x});
  const Graph after = same_result(g.finish({a, b}), common_subexpressions, 0);
  CHECK(count_of(after, "Relu") == 1);
  CHECK(after.outputs[0] != after.outputs[1]);
}

TEST_CASE("fold_constants runs what depends on constants alone") {
  TestGraph g({2, 3});
  g.build.set_name("weights");
  const std::vector<int8_t> integers = {-128, 5, 127};
  const int32_t q = g.build.constant(MDL_INT8, {3}, integers);
  g.graph.tensors[static_cast<size_t>(q)].quantization = Quantization{{0.5f}, {3}, 0};
  const int32_t w = g.add("DequantizeLinear", {q});
  const Graph after = same_result(g.finish({g.add("Mul", {g.x, w})}), fold_constants, 0);
  CHECK(after.nodes.size() == 1);
}

TEST_CASE("fuse_activations finds the products that exporters write") {
  TestGraph g({2, 3, 4});
  const int32_t x = g.add("Neg", {g.x});
  const auto half = [&] { return g.build.scalar(0.5f); };
  const auto fused = [&](int32_t y, const char* op, size_t nodes) {
    const Graph after = same_result(g.finish({y}), fuse_activations, 1e-5f);
    CHECK(count_of(after, op) == 1);
    CHECK(after.nodes.size() == nodes);
  };
  SECTION("x * sigmoid(x)") { fused(g.add("Mul", {g.add("Sigmoid", {x}), x}), "Swish", 2); }
  SECTION("x * hard sigmoid") {
    const Attributes attributes = {{"alpha", static_cast<double>(1.0f / 6)}, {"beta", 0.5}};
    fused(g.add("Mul", {x, g.add("HardSigmoid", {x}, attributes)}), "HardSwish", 2);
  }
  SECTION("x * relu6(x + 3) / 6") {
    const int32_t sum = g.add("Add", {x, g.build.scalar(3)});
    const int32_t clip = g.add("Clip", {sum}, {{"min", 0.0}, {"max", 6.0}});
    fused(g.add("Div", {g.add("Mul", {x, clip}), g.build.scalar(6)}), "HardSwish", 2);
  }
  SECTION("gelu by erf") {
    const int32_t scaled = g.add("Div", {x, g.build.scalar(std::numbers::sqrt2_v<float>)});
    const int32_t gate = g.add("Add", {g.add("Erf", {scaled}), g.build.scalar(1)});
    fused(g.add("Mul", {g.add("Mul", {x, gate}), half()}), "Gelu", 2);
  }
  SECTION("gelu by tanh") {
    const int32_t cube = g.add("Mul", {g.add("Mul", {x, x}), x});
    const int32_t term = g.add("Mul", {g.build.scalar(0.044715f), cube});
    const int32_t inner = g.add("Add", {x, term});
    const int32_t scaled = g.add("Mul", {inner, g.build.scalar(0.7978845608f)});
    const int32_t gate = g.add("Add", {g.build.scalar(1), g.add("Tanh", {scaled})});
    fused(g.add("Mul", {g.add("Mul", {half(), x}), gate}), "Gelu", 2);
  }
  SECTION("not of another tensor") {
    const int32_t y = g.add("Mul", {g.add("Sigmoid", {g.x}), x});
    CHECK(same_result(g.finish({y}), fuse_activations, 0).nodes.size() == 3);
  }
}

TEST_CASE("to_channels_last cancels the transposes of image operators") {
  TestGraph g({1, 3, 6, 5});
  const auto conv = [&](int32_t x, int64_t channels, uint32_t seed) {
    const int64_t in = g.build.dims(x)[1];
    const Attributes attributes = {{"pads", Dims{1, 1, 1, 1}}};
    return g.image("Conv", {x, g.constant({channels, 3, 3, in}, seed)}, attributes);
  };
  const int32_t a = g.add("Relu", {conv(g.x, 4, 1)});
  const auto transposes = [&](int32_t y, float bound = 0) {
    return count_of(same_result(g.finish({y}), to_channels_last, bound), "Transpose");
  };
  SECTION("a chain") { CHECK(transposes(conv(a, 2, 2)) == 2); }
  SECTION("a residual") { CHECK(transposes(g.add("Add", {conv(a, 4, 2), a})) == 2); }
  SECTION("a residual from the input") {
    CHECK(transposes(g.add("Add", {conv(a, 3, 2), g.x})) == 2);
  }
  SECTION("channel constants") {
    CHECK(transposes(g.add("Mul", {a, g.constant({4, 1, 1}, 3)})) == 2);
  }
  SECTION("concatenation, slice, padding, softmax, split") {
    const int32_t joined = g.add("Concat", {a, conv(a, 2, 2)}, {{"axis", int64_t{1}}});
    const int32_t cut =
        g.add("Slice", {joined},
              {{"starts", Dims{1}}, {"ends", Dims{5}}, {"axes", Dims{1}}, {"steps", Dims{1}}});
    const int32_t padded = g.add("Pad", {cut},
                                 {{"pads", Dims{0, 1, 2, 0, 0, 0, 1, 3}},
                                  {"mode", std::string("constant")},
                                  {"value", 0.5}});
    const int32_t soft = g.add("Softmax", {padded}, {{"axis", int64_t{1}}});
    const auto parts = g.build.add_many(
        "Split", {soft}, {{"axis", int64_t{1}}, {"sizes", Dims{2, 3}}}, {true, true});
    CHECK(transposes(conv(parts[1], 2, 4)) == 2);
  }
  SECTION("padding before the first convolution") {
    const Attributes pads = {{"pads", Dims{0, 0, 1, 2, 0, 0, 0, 3}}};
    const int32_t padded = g.add("Pad", {g.x}, pads);
    const Graph after = same_result(g.finish({conv(padded, 4, 1)}), to_channels_last, 0);
    CHECK(count_of(after, "Transpose") == 2);
    const Node& first = after.nodes[1];
    CHECK(first.op == "Pad");
    CHECK(first.get<Dims>("pads", {}) == Dims{0, 1, 2, 0, 0, 0, 3, 0});
  }
  SECTION("reduction, with and without the reduced dimensions") {
    const Attributes over = {{"axes", Dims{2, 3}}, {"keepdims", int64_t{1}}};
    CHECK(transposes(g.add("Mul", {a, g.add("ReduceMean", {a}, over)}), 1e-6f) == 2);
    const Attributes flat = {{"axes", Dims{1}}, {"keepdims", int64_t{0}}};
    CHECK(transposes(g.add("ReduceMax", {a}, flat)) == 1);
  }
  SECTION("reduction of everything, and the greatest channel") {
    CHECK(transposes(g.add("ReduceSum", {a}, {{"keepdims", int64_t{0}}}), 1e-5f) == 1);
    const Attributes channel = {{"axis", int64_t{1}}, {"keepdims", int64_t{0}}};
    CHECK(transposes(g.add("ArgMax", {a}, channel)) == 1);
  }
  SECTION("what works along an axis, and what compares") {
    const Attributes channel = {{"axis", int64_t{1}}};
    const int32_t sum = g.add("CumSum", {a}, channel);
    const int32_t best = g.build.add_many("TopK", {sum}, {{"axis", int64_t{-3}}, {"k", int64_t{2}}},
                                          {true, false})[0];
    const int32_t wide = g.add("Expand", {best}, {{"shape", Dims{2, 1, 1, 1}}});
    const int32_t larger = g.add("Greater", {wide, g.constant({2, 1, 1}, 3)});
    const int32_t y = g.add("Where", {larger, wide, g.add("Floor", {wide})});
    CHECK(transposes(conv(y, 2, 2)) == 2);
  }
  SECTION("extents of 1 that move become a view") {
    const Attributes over = {{"axes", Dims{2, 3}}, {"keepdims", int64_t{1}}};
    const int32_t mean = g.add("ReduceMean", {a}, over);
    const int32_t y = g.add("Flatten", {mean}, {{"axis", int64_t{1}}});
    CHECK(transposes(y, 1e-6f) == 1);
  }
  SECTION("channel shuffle") {
    const int32_t split = g.add("Reshape", {a}, {{"shape", Dims{1, 2, 2, 6, 5}}});
    const int32_t moved = g.transpose(split, {0, 2, 1, 3, 4});
    const int32_t joined = g.add("Reshape", {moved}, {{"shape", Dims{1, 4, 6, 5}}});
    CHECK(transposes(conv(joined, 2, 2)) == 3);
  }
  SECTION("tokens of a picture") {
    const int32_t rows = g.add("Reshape", {a}, {{"shape", Dims{1, 4, 30}}});
    CHECK(transposes(g.transpose(rows, {0, 2, 1})) == 1);
  }
  SECTION("flattening needs the source's order") {
    const int32_t flat = g.add("Flatten", {a}, {{"axis", int64_t{1}}});
    CHECK(transposes(g.add("Relu", {flat})) == 2);
  }
}

TEST_CASE("to_channels_last leaves images channels-last outside when it is asked to") {
  PassContext context;
  context.nhwc = true;
  TestGraph g({1, 3, 6, 5});
  const auto dims = [](const Graph& graph, int32_t t) {
    return graph.tensors[static_cast<size_t>(t)].dims;
  };
  const int32_t w = g.constant({2, 3, 3, 3}, 1);
  SECTION("of an image") {
    const int32_t scaled = g.add("Mul", {g.x, g.constant({3, 1, 1}, 2)});
    const int32_t y = g.add("Relu", {g.image("Conv", {scaled, w})});
    const Graph after = to_channels_last(g.finish({y}), context);
    CHECK(count_of(after, "Transpose") == 0);
    CHECK(dims(after, after.inputs[0]) == Dims{1, 6, 5, 3});
    CHECK(dims(after, after.outputs[0]) == Dims{1, 4, 3, 2});
  }
  SECTION("but not what the source feeds and makes so") {
    const int32_t first = g.transpose(g.x, {0, 3, 1, 2});  // of [1, 3, 6, 5] as [N, H, W, C]
    const int32_t conv = g.image("Conv", {first, g.constant({2, 2, 2, 5}, 1)});
    const int32_t y = g.transpose(conv, {0, 2, 3, 1});
    const Graph after = to_channels_last(g.finish({y}), context);
    CHECK(count_of(after, "Transpose") == 0);
    CHECK(dims(after, after.inputs[0]) == Dims{1, 3, 6, 5});
    CHECK(dims(after, after.outputs[0]) == Dims{1, 2, 5, 2});
  }
  SECTION("nor what is no image") {
    const int32_t y = g.add("Softmax", {g.x}, {{"axis", int64_t{3}}});
    const Graph after = to_channels_last(g.finish({y}), context);
    CHECK(dims(after, after.inputs[0]) == Dims{1, 3, 6, 5});
    CHECK(dims(after, after.outputs[0]) == Dims{1, 3, 6, 5});
  }
}

TEST_CASE("fold_pad lets convolutions and maxima pad themselves") {
  TestGraph g({1, 6, 7, 3});
  const auto pads = [&](int32_t y) {
    return count_of(same_result(g.finish({y}), fold_pad, 0), "Pad");
  };
  const auto padded = [&](Dims around, double value) {
    return g.add("Pad", {g.x}, {{"pads", std::move(around)}, {"value", value}});
  };
  const Dims around = {0, 1, 2, 0, 0, 3, 0, 0};
  const auto conv = [&](int32_t x) {
    return g.add("Conv", {x, g.constant({4, 3, 3, 3}, 1)}, {{"pads", Dims{1, 0, 0, 1}}});
  };
  const auto pool = [&](int32_t x, Attributes attributes = {}) {
    attributes["kernel_shape"] = Dims{4, 3};
    return g.add("MaxPool", {x}, std::move(attributes));
  };
  constexpr double kLeast = -std::numeric_limits<double>::infinity();
  SECTION("a convolution") {
    CHECK(pads(conv(padded(around, 0))) == 0);
    CHECK(pads(conv(padded(around, 1))) == 1);
    CHECK(pads(conv(padded({0, -1, 0, 0, 0, 1, 0, 0}, 0))) == 1);
    CHECK(pads(g.add("Conv", {padded({0, 0, 0, 1, 0, 0, 0, 0}, 0), g.constant({4, 3, 3, 4}, 1)})) ==
          1);
  }
  SECTION("a maximum") {
    CHECK(pads(pool(padded(around, kLeast))) == 0);
    CHECK(pads(pool(padded(around, 0))) == 1);
    CHECK(pads(pool(padded(around, kLeast), {{"ceil_mode", int64_t{1}}})) == 1);
    CHECK(pads(pool(padded({0, 4, 0, 0, 0, 0, 0, 0}, kLeast))) == 1);
  }
}

TEST_CASE("fold_flatten moves the rows of a dense layer") {
  TestGraph g({2, 3, 4, 5});
  const int32_t image = g.transpose(g.x, {0, 3, 1, 2});  // a channels-last one in NCHW
  const auto transposes = [&](const std::vector<int32_t>& outputs) {
    return count_of(same_result(g.finish(outputs), fold_flatten, 1e-5f), "Transpose");
  };
  const auto flat = [&] { return g.add("Flatten", {image}, {{"axis", int64_t{1}}}); };
  const int32_t w = g.constant({60, 4}, 1);
  SECTION("of Gemm, either way") {
    const int64_t transposed = GENERATE(0, 1);
    const int32_t rows = transposed ? g.constant({4, 60}, 1) : w;
    CHECK(transposes({g.add("Gemm", {flat(), rows}, {{"transB", transposed}})}) == 0);
  }
  SECTION("of two behind an activation, and of MatMul") {
    const int32_t x = g.add("Relu", {g.add("Reshape", {image}, {{"shape", Dims{2, 60}}})});
    const int32_t one = g.add("MatMul", {x, w}), two = g.add("Gemm", {x, g.constant({60, 2}, 2)});
    CHECK(transposes({one, two}) == 0);
  }
  SECTION("with constants for each column") {
    const int32_t scaled = g.add("Mul", {g.constant({1, 60}, 2), flat()});
    CHECK(transposes({g.add("Gemm", {g.add("Add", {scaled, g.build.scalar(1)}), w})}) == 0);
  }
  SECTION("of integers") {
    g.build.set_name("integers");
    std::vector<int8_t> integers(60 * 4);
    for (size_t i = 0; i < integers.size(); ++i) integers[i] = static_cast<int8_t>(i * 37 % 251);
    const int32_t q = g.build.constant(MDL_INT8, {4, 60}, integers);
    const auto axis = GENERATE(0, 1);
    const std::vector<float> scales(axis == 0 ? 4 : 60, 0.25f);
    const std::vector<int32_t> zeros(scales.size(), 0);
    g.graph.tensors[static_cast<size_t>(q)].quantization = Quantization{scales, zeros, axis};
    const int32_t rows = g.transpose(g.add("DequantizeLinear", {q}), {1, 0});
    // Not where each row has a scale; the Transpose of the weights stays.
    CHECK(transposes({g.add("MatMul", {flat(), rows})}) == (axis == 0 ? 1 : 2));
  }
  SECTION("of a sequence of images") {
    const int32_t steps = g.transpose(g.x, {0, 1, 3, 2});
    const int32_t rows = g.add("Reshape", {steps}, {{"shape", Dims{2, 3, 20}}});
    CHECK(transposes({g.add("MatMul", {rows, g.constant({20, 4}, 1)})}) == 0);
  }
  SECTION("not where the image is joined with more, or its order is seen") {
    const int32_t all = g.add("Reshape", {image}, {{"shape", Dims{1, 120}}});
    CHECK(transposes({g.add("MatMul", {all, g.constant({120, 2}, 1)})}) == 0);
    const int32_t half = g.add("Reshape", {image}, {{"shape", Dims{4, 30}}});
    CHECK(transposes({g.add("MatMul", {half, g.constant({30, 2}, 1)})}) == 1);
    const int32_t x = flat();
    CHECK(transposes({g.add("MatMul", {x, w}), g.add("Relu", {x})}) == 1);
  }
}

TEST_CASE("fold_batch_norm multiplies chains into weights") {
  TestGraph g({1, 5, 5, 3});
  const auto norm = [&](int32_t x) {
    const int64_t c = g.build.dims(x).back();
    const int32_t variance = g.add("Abs", {g.constant({c}, 14)});
    return g.add("BatchNormalization",
                 {x, g.constant({c}, 11), g.constant({c}, 12), g.constant({c}, 13), variance},
                 {{"epsilon", 1e-3}});
  };
  SECTION("Conv, norm, scale, shift") {
    const int32_t conv = g.add("Conv", {g.x, g.constant({4, 3, 3, 3}, 1), g.constant({4}, 2)});
    const int32_t scaled = g.add("Mul", {norm(conv), g.constant({4}, 3)});
    const int32_t y = g.add("Sub", {scaled, g.constant({1, 1, 1, 4}, 4)});
    CHECK(same_result(g.finish({y}), fold_batch_norm, 1e-5f).nodes.size() == 1);
  }
  SECTION("a tensor that is read elsewhere stays") {
    const int32_t conv = g.add("Conv", {g.x, g.constant({4, 3, 3, 3}, 1)});
    const int32_t y = g.add("Add", {norm(conv), conv});
    CHECK(same_result(g.finish({y}), fold_batch_norm, 0).nodes.size() == 3);
  }
  SECTION("Gemm, both ways of its weights") {
    const int32_t flat = g.add("Flatten", {g.x}, {{"axis", int64_t{1}}});
    const int64_t transposed = GENERATE(0, 1);
    const int32_t w = transposed ? g.constant({4, 75}, 1) : g.constant({75, 4}, 1);
    const int32_t y = norm(g.add("Gemm", {flat, w}, {{"transB", transposed}}));
    CHECK(same_result(g.finish({y}), fold_batch_norm, 1e-5f).nodes.size() == 2);
  }
  SECTION("ConvTranspose") {
    const int32_t y =
        norm(g.add("ConvTranspose", {g.x, g.constant({4, 2, 2, 3}, 1)}, {{"strides", Dims{2, 2}}}));
    CHECK(same_result(g.finish({y}), fold_batch_norm, 1e-5f).nodes.size() == 1);
  }
  SECTION("a norm takes what follows it") {
    const int32_t scaled = g.add("Mul", {norm(g.x), g.constant({3}, 3)});
    const int32_t y = g.add("Add", {scaled, g.constant({3}, 4)});
    CHECK(same_result(g.finish({y}), fold_batch_norm, 1e-5f).nodes.size() == 1);
  }
}

TEST_CASE("fuse_norms sees the norms that exporters write out") {
  TestGraph g({2, 3, 8});
  const Attributes last = {{"axes", Dims{2}}};
  const auto deviation = [&](int32_t t, bool as_power) {
    const int32_t two = g.build.scalar(2), epsilon = g.build.scalar(1e-5f);
    const int32_t square = as_power ? g.add("Pow", {t, two}) : g.add("Mul", {t, t});
    return g.add("Sqrt", {g.add("Add", {g.add("ReduceMean", {square}, last), epsilon})});
  };
  const auto centered = [&] { return g.add("Sub", {g.x, g.add("ReduceMean", {g.x}, last)}); };
  const bool as_power = GENERATE(false, true);
  SECTION("LayerNormalization with scale and bias") {
    const int32_t d = centered();
    const int32_t normal = g.add("Div", {d, deviation(d, as_power)});
    const int32_t scaled = g.add("Mul", {g.constant({8}, 1), normal});
    const int32_t y = g.add("Add", {scaled, g.constant({1, 1, 8}, 2)});
    const Graph after = same_result(g.finish({y}), fuse_norms, 1e-5f);
    CHECK(after.nodes.size() == 1);
    CHECK(after.nodes[0].op == "LayerNormalization");
    CHECK(after.nodes[0].inputs.size() == 3);
  }
  SECTION("without either") {
    const int32_t d = centered();
    const int32_t y = g.add("Mul", {d, g.add("Reciprocal", {deviation(d, as_power)})});
    const Graph after = same_result(g.finish({y}), fuse_norms, 1e-5f);
    CHECK(after.nodes.size() == 1);
    CHECK(count_of(after, "LayerNormalization") == 1);
  }
  SECTION("RMSNormalization") {
    const int32_t normal = g.add("Div", {g.x, deviation(g.x, as_power)});
    const int32_t y = g.add("Mul", {normal, g.constant({8}, 1)});
    const Graph after = same_result(g.finish({y}), fuse_norms, 1e-5f);
    CHECK(after.nodes.size() == 1);
    CHECK(count_of(after, "RMSNormalization") == 1);
  }
  SECTION("the deviation of another tensor is none") {
    const int32_t other = g.add("Relu", {g.x});
    const int32_t y = g.add("Div", {g.x, deviation(other, as_power)});
    CHECK(count_of(same_result(g.finish({y}), fuse_norms, 0), "Div") == 1);
  }
  SECTION("a factor for each row is no scale") {
    const int32_t normal = g.add("Div", {g.x, deviation(g.x, as_power)});
    const int32_t y = g.add("Mul", {normal, g.constant({3, 1}, 1)});
    CHECK(count_of(same_result(g.finish({y}), fuse_norms, 1e-5f), "Mul") == 1);
  }
}
