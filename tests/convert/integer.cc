// SPDX-License-Identifier: Apache-2.0
// form_integer_nodes: the integer node gives what the float node between DequantizeLinear and
// QuantizeLinear gives, to one step where that rounds a float sum.
#include <cmath>

#include "tests/catch.h"
#include "tests/convert/run_graph.h"
#include "tools/passes/integer.h"
#include "tools/passes/pass.h"

using namespace medulla;
using namespace medulla::tools;

namespace {

constexpr float kInputScale = 0.02f;
constexpr float kOutputScale = 0.05f;

struct QuantizedGraph : TestGraph {
  using TestGraph::TestGraph;

  int32_t quantize(int32_t t, float scale, int32_t zero_point) {
    build.set_name("quantize" + std::to_string(graph.nodes.size()));
    const int32_t q = build.add_typed("QuantizeLinear", {t}, {}, MDL_INT8,
                                      Quantization{{scale}, {zero_point}, 0});
    return add("DequantizeLinear", {q});
  }
  // int8 weights, a scale for each index along the axis, or one for all when it is -1.
  int32_t weights(const Dims& dims, int32_t axis) {
    size_t count = 1;
    for (const int64_t d : dims) count *= static_cast<size_t>(d);
    std::vector<int8_t> values;
    for (size_t i = 0; i < count; ++i) values.push_back(static_cast<int8_t>((i * 37) % 251 - 125));
    const auto scales = axis < 0 ? 1 : static_cast<size_t>(dims[static_cast<size_t>(axis)]);
    Quantization q{{}, std::vector<int32_t>(scales, 0), std::max(axis, 0)};
    for (size_t c = 0; c < scales; ++c) q.scales.push_back(0.002f * static_cast<float>(c + 1));
    const int32_t w = build.constant(MDL_INT8, dims, values);
    graph.tensors[static_cast<size_t>(w)].quantization = q;
    return add("DequantizeLinear", {w});
  }
};

// Runs the pass; the answers may differ by so many steps of kOutputScale, and a share of them not
// at all. Every node has to pass the loader's checks.
Graph formed(QuantizedGraph& g, int32_t y, float steps = 1, double share = 0.98) {
  PassContext context;
  const Graph& before = g.finish({y});
  Graph after = form_integer_nodes(before, context);
  CHECK(context.refusals.empty());
  const auto x =
      as_bytes(random_floats(before.tensors[static_cast<size_t>(before.inputs[0])].elements(), 5));
  const Floats expected = tools::to_floats(run_graph(before, {x})[0]);
  const Floats found = tools::to_floats(run_graph(after, {x})[0]);
  REQUIRE(expected.size() == found.size());
  size_t equal = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    CHECK(std::abs(expected[i] - found[i]) <= steps * 1.001f * kOutputScale);
    equal += expected[i] == found[i];
  }
  CHECK(static_cast<double>(equal) >= share * static_cast<double>(expected.size()));
  for (const Node& node : after.nodes) {
    const NodeFrame frame(after, node);
    mdl_error error = MDL_ERROR_INIT;
    const mdl_status status = check_node(frame.view(), &error);
    INFO(error.text);
    CHECK(status == MDL_OK);
  }
  return after;
}

const Node& only(const Graph& graph, const std::string& op) {
  REQUIRE(count_of(graph, op) == 1);
  return *std::find_if(graph.nodes.begin(), graph.nodes.end(),
                       [&](const Node& node) { return node.op == op; });
}

}  // namespace

TEST_CASE("a pool of integers gives the indices that the pool of floats gives") {
  QuantizedGraph g({2, 6, 4, 3});
  const int32_t x = g.quantize(g.x, kInputScale, 5);
  g.build.set_name("pool");
  const std::vector<int32_t> pooled = g.build.add_many(
      "MaxPool", {x}, {{"kernel_shape", Dims{3, 2}}, {"strides", Dims{1, 2}}}, {true, true});
  const Graph before = g.finish({g.quantize(pooled[0], kInputScale, 5), pooled[1]});
  PassContext context;
  const Graph after = form_integer_nodes(before, context);
  const Node& pool = only(after, "MaxPool");
  const auto tensor = [&](int32_t t) { return after.tensors[static_cast<size_t>(t)]; };
  CHECK(tensor(pool.inputs[0]).dtype == MDL_INT8);
  CHECK(tensor(pool.outputs[0]).dtype == MDL_INT8);
  CHECK(tensor(pool.outputs[1]).dtype == MDL_INT64);
  CHECK(!tensor(pool.outputs[1]).quantization);
  const auto values = as_bytes(random_floats(2 * 6 * 4 * 3, 5));
  CHECK(run_graph(before, {values}) == run_graph(after, {values}));
}

TEST_CASE("a convolution with its activation becomes QConv") {
  QuantizedGraph g({1, 6, 6, 3});
  const int32_t x = g.quantize(g.x, kInputScale, 5);
  const int32_t w = g.weights({4, 3, 3, 3}, 0);
  const int32_t conv = g.add("Conv", {x, w, g.constant({4}, 9)}, {{"pads", Dims{1, 1, 1, 1}}});
  SECTION("Relu") {
    const int32_t y = g.quantize(g.add("Relu", {conv}), kOutputScale, -100);
    const Graph after = formed(g, y);
    const Node& node = only(after, "QConv");
    CHECK(node.get<int64_t>("qmin", 0) == -100);
    CHECK(node.get<int64_t>("qmax", 0) == 127);
    CHECK(node.version == 2);
    CHECK(node.get<Dims>("sum_range", {}).size() == 2);
    CHECK(after.nodes.size() == 3);
  }
  SECTION("Clip on both sides") {
    const int32_t clip = g.add("Clip", {conv}, {{"min", -1.0}, {"max", 2.0}});
    const Graph after = formed(g, g.quantize(clip, kOutputScale, 10));
    CHECK(only(after, "QConv").get<int64_t>("qmin", 0) == -10);
    CHECK(only(after, "QConv").get<int64_t>("qmax", 0) == 50);
  }
  SECTION("without a quantizer it has a float output") {
    const Graph after = formed(g, conv, 1e-3f, 0);
    CHECK(after.tensors[static_cast<size_t>(after.outputs[0])].dtype == MDL_FLOAT32);
    CHECK(only(after, "QConv").op == "QConv");
  }
  SECTION("a stored int32 bias is taken as it is") {
    const std::vector<int32_t> integers = {100, -200, 300, 0};
    const int32_t b = g.build.constant(MDL_INT32, {4}, integers);
    Quantization q{{}, {0, 0, 0, 0}, 0};
    for (int c = 0; c < 4; ++c)
      q.scales.push_back(kInputScale * 0.002f * static_cast<float>(c + 1));
    g.graph.tensors[static_cast<size_t>(b)].quantization = q;
    const int32_t with_bias = g.add("Conv", {x, w, g.add("DequantizeLinear", {b})});
    const Graph after = formed(g, g.quantize(with_bias, kOutputScale, 0));
    const Tensor& bias = after.tensors[static_cast<size_t>(only(after, "QConv").inputs[2])];
    CHECK(values_of<int32_t>(bias) == integers);
  }
}

TEST_CASE("a layer whose sums are added before they are rounded stays in steps of the output") {
  QuantizedGraph g({1, 6, 6, 4});
  const int32_t x = g.quantize(g.x, kInputScale, 5);
  const auto layer = [&](const char* op) {
    if (op[0] == 'C') {
      return g.add("Conv", {x, g.weights({4, 3, 3, 4}, 0), g.constant({4}, 9)},
                   {{"pads", Dims{1, 1, 1, 1}}});
    }
    return g.add("MatMul", {x, g.weights({4, 4}, 1)});
  };
  const char* op = GENERATE("Conv", "MatMul");
  SECTION("with integers before or behind it") {
    const bool behind = GENERATE(false, true);
    const int32_t residual = behind ? -1 : g.quantize(g.x, 0.7f * kInputScale, -3);
    const int32_t sums = layer(op);
    const int32_t other = behind ? g.quantize(g.x, 0.7f * kInputScale, -3) : residual;
    const int32_t sum = behind ? g.add("Add", {sums, other}) : g.add("Add", {other, sums});
    const Graph after = formed(g, g.quantize(g.add("Relu", {sum}), kOutputScale, -100));
    const Node& node = only(after, op[0] == 'C' ? "QConv" : "QGemm");
    CHECK(node.get<double>("output_scale", 0) == static_cast<double>(kOutputScale));
    CHECK(only(after, "QAddFloat").get<int64_t>("qmin", 0) == -100);
    CHECK(count_of(after, "Add") == 0);
  }
  SECTION("not with floats") {
    const Graph after =
        formed(g, g.quantize(g.add("Add", {layer(op), g.add("Relu", {g.x})}), kOutputScale, 0));
    CHECK(count_of(after, "QAddFloat") == 0);
    CHECK(only(after, op[0] == 'C' ? "QConv" : "QGemm").get<double>("output_scale", 0) == 0);
  }
}

TEST_CASE("a transposed convolution becomes QConv, its phases put between each other") {
  struct Shape {
    Dims x, w;  // w: [O, kernel..., C]
    Dims strides, pads, dilations, output_padding;
    int64_t group = 1;
  };
  const Shape shape = GENERATE(
      Shape{{1, 5, 4, 3}, {4, 4, 4, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}, {0, 0}},
      Shape{{2, 5, 4, 3}, {4, 2, 2, 3}, {2, 2}, {0, 0, 0, 0}, {1, 1}, {0, 0}},
      Shape{{1, 5, 4, 3}, {4, 3, 3, 3}, {2, 2}, {1, 0, 1, 0}, {1, 1}, {1, 0}},
      Shape{{1, 5, 4, 3}, {4, 1, 3, 3}, {2, 3}, {0, 0, 0, 0}, {1, 1}, {1, 2}},
      Shape{{1, 5, 4, 3}, {4, 3, 2, 3}, {1, 2}, {0, 1, 1, 0}, {2, 3}, {0, 1}},
      Shape{{1, 9, 3}, {2, 5, 3}, {3}, {1, 2}, {1}, {0}},
      Shape{{2, 5, 4, 6}, {4, 3, 3, 3}, {2, 2}, {1, 0, 1, 0}, {1, 1}, {1, 0}, 2},
      Shape{{1, 5, 4, 3}, {3, 4, 4, 1}, {2, 2}, {1, 1, 1, 1}, {1, 1}, {0, 0}, 3},
      Shape{{1, 9, 4}, {6, 5, 2}, {3}, {1, 2}, {1}, {0}, 2},
      Shape{{1, 3, 2, 4, 2}, {3, 2, 3, 2, 2}, {2, 1, 2}, {0, 1, 0, 0, 1, 0}, {1, 1, 1}, {0, 0, 0}});
  QuantizedGraph g(shape.x);
  const int32_t x = g.quantize(g.x, kInputScale, 5);
  const int32_t w = g.weights(shape.w, 0);
  const int32_t conv = g.add("ConvTranspose", {x, w, g.constant({shape.w[0]}, 9)},
                             {{"strides", shape.strides},
                              {"pads", shape.pads},
                              {"dilations", shape.dilations},
                              {"output_padding", shape.output_padding},
                              {"group", shape.group}});
  SECTION("quantized") {
    const Graph after = formed(g, g.quantize(g.add("Relu", {conv}), kOutputScale, -100));
    CHECK(only(after, "QConv").get<int64_t>("qmin", 0) == -100);
    CHECK(count_of(after, "ConvTranspose") == 0);
  }
  SECTION("with a float output") { only(formed(g, conv, 1e-3f, 0), "QConv"); }
}

TEST_CASE("a matrix product becomes QGemm or QMatMul") {
  QuantizedGraph g({3, 8});
  const int32_t x = g.quantize(g.x, kInputScale, -3);
  SECTION("Gemm with [K, N]") {
    const int32_t y = g.add("Gemm", {x, g.weights({8, 5}, 1), g.constant({5}, 3)});
    CHECK(only(formed(g, g.quantize(y, kOutputScale, 0)), "QGemm").inputs.size() == 4);
  }
  SECTION("Gemm with [N, K], one scale") {
    const int32_t y = g.add("Gemm", {x, g.weights({5, 8}, -1)}, {{"transB", int64_t{1}}});
    only(formed(g, g.quantize(y, kOutputScale, 0)), "QGemm");
  }
  SECTION("MatMul with a constant") {
    const int32_t y = g.add("MatMul", {x, g.weights({8, 5}, -1)});
    only(formed(g, g.quantize(y, kOutputScale, 0)), "QGemm");
  }
  SECTION("MatMul of two activations") {
    const int32_t y = g.add("MatMul", {x, g.transpose(x, {1, 0})});
    const Graph after = formed(g, g.quantize(y, kOutputScale, 0));
    only(after, "QMatMul");
    CHECK(count_of(after, "DequantizeLinear") == 1);
  }
}

TEST_CASE("what elementwise operators do to one tensor becomes a table") {
  QuantizedGraph g({2, 9, 14});
  const int32_t x = g.quantize(g.x, kInputScale, 5);
  SECTION("through quantizers in between") {
    const int32_t sigmoid = g.quantize(g.add("Sigmoid", {x}), 1.0f / 256, -128);
    const Graph after = formed(g, g.quantize(g.add("Mul", {x, sigmoid}), kOutputScale, 2), 0, 1);
    CHECK(only(after, "QLookup").inputs.size() == 2);
    CHECK(after.nodes.size() == 3);
  }
  SECTION("with constants, which may be quantized too") {
    const int32_t half = g.build.constant<int8_t>(MDL_INT8, {}, {50});
    g.graph.tensors[static_cast<size_t>(half)].quantization = Quantization{{0.01f}, {0}, 0};
    const int32_t erf = g.add("Erf", {g.add("Div", {x, g.build.scalar(1.414f)})});
    const int32_t sum = g.add("Add", {erf, g.build.scalar(1)});
    const int32_t gelu = g.add("Mul", {g.add("Mul", {x, sum}), g.add("DequantizeLinear", {half})});
    const Graph after = formed(g, g.quantize(gelu, kOutputScale, -100), 0, 1);
    only(after, "QLookup");
    CHECK(after.nodes.size() == 3);
  }
  SECTION("another scale alone") {
    const Graph after = formed(g, g.quantize(x, kOutputScale, 7));
    only(after, "QLookup");
    CHECK(after.nodes.size() == 3);
  }
  SECTION("a float output keeps its operators") {
    const int32_t sigmoid = g.add("Sigmoid", {x});
    const Graph after = formed(g, g.add("Add", {g.quantize(sigmoid, 0.01f, 0), sigmoid}), 0, 1);
    CHECK(count_of(after, "Sigmoid") == 1);
    CHECK(count_of(after, "QLookup") == 1);
  }
  SECTION("not what broadcasts, or reads two tensors") {
    const int32_t row = g.add("Mul", {x, g.constant({14}, 3)});
    const int32_t other = g.quantize(g.add("Relu", {g.x}), 0.01f, -128);
    const Graph after = formed(
        g, g.quantize(g.add("Mul", {g.quantize(row, 0.01f, 0), other}), kOutputScale, 0), 0, 1);
    CHECK(count_of(after, "QLookup") == 0);
  }
}

TEST_CASE("sums, pools and concatenation have integer forms") {
  QuantizedGraph g({1, 4, 4, 3});
  const int32_t a = g.quantize(g.x, kInputScale, 5);
  const int32_t b = g.quantize(g.add("Relu", {g.x}), 0.01f, -128);
  SECTION("Add") { only(formed(g, g.quantize(g.add("Add", {a, b}), kOutputScale, 2)), "QAdd"); }
  SECTION("BatchNormalization behind a concatenation, with its Relu") {
    const int32_t joined = g.add("Concat", {a, a}, {{"axis", int64_t{3}}});
    const int32_t variance = g.add("Abs", {g.constant({6}, 9)});
    const int32_t norm =
        g.add("BatchNormalization",
              {joined, g.weights({6}, -1), g.constant({6}, 7), g.constant({6}, 8), variance});
    const Graph after = formed(g, g.quantize(g.add("Relu", {norm}), kOutputScale, -90));
    CHECK(only(after, "QBatchNormalization").get<int64_t>("qmin", 0) == -90);
    CHECK(count_of(after, "Relu") == 0);
  }
  SECTION("LayerNormalization") {
    const int32_t y = g.add("LayerNormalization", {a, g.weights({3}, -1), g.constant({3}, 4)});
    only(formed(g, g.quantize(y, kOutputScale, 2)), "QLayerNormalization");
  }
  SECTION("Softmax") {
    const Graph after =
        formed(g, g.quantize(g.add("Softmax", {a}, {{"axis", int64_t{3}}}), kOutputScale, -128));
    CHECK(only(after, "QSoftmax").get<int64_t>("axis", 0) == 3);
  }
  SECTION("Sub") { only(formed(g, g.quantize(g.add("Sub", {a, b}), kOutputScale, 2)), "QSub"); }
  SECTION("Mul, one side by channel") {
    const int32_t gate = g.quantize(g.add("GlobalAveragePool", {g.x}), 0.01f, -100);
    only(formed(g, g.quantize(g.add("Mul", {a, gate}), kOutputScale, 2)), "QMul");
  }
  SECTION("Concat") {
    const int32_t y = g.add("Concat", {a, b}, {{"axis", int64_t{3}}});
    only(formed(g, g.quantize(y, kOutputScale, 2)), "QConcat");
  }
  SECTION("Concat of equal scales moves integers") {
    const int32_t y = g.add("Concat", {a, a}, {{"axis", int64_t{3}}});
    const Graph after = formed(g, g.quantize(y, kInputScale, 5));
    only(after, "Concat");
    CHECK(count_of(after, "DequantizeLinear") == 1);
  }
  SECTION("AveragePool") {
    const int32_t y = g.add("AveragePool", {a}, {{"kernel_shape", Dims{3, 2}}});
    const Graph after = formed(g, g.quantize(y, kOutputScale, 2));
    CHECK(only(after, "QAveragePool").get<std::vector<double>>("multipliers", {}).size() == 6);
  }
  SECTION("GlobalAveragePool") {
    only(formed(g, g.quantize(g.add("GlobalAveragePool", {a}), kOutputScale, 2)),
         "QGlobalAveragePool");
  }
  SECTION("linear Resize") {
    const int32_t y =
        g.add("Resize", {a},
              {{"mode", std::string("linear")}, {"scales", std::vector<double>{1, 2, 1.5, 1}}});
    only(formed(g, g.quantize(y, kOutputScale, 2), 1, 0.95), "QResize");
  }
  SECTION("Split") {
    g.build.set_name("split");
    const auto parts = g.build.add_many(
        "Split", {a}, {{"axis", int64_t{2}}, {"sizes", Dims{1, 2, 1}}}, {true, true, true});
    const int32_t y = g.add("Concat", {parts[2], parts[1], parts[0]}, {{"axis", int64_t{2}}});
    const Graph after = formed(g, g.quantize(y, kInputScale, 5));
    CHECK(count_of(after, "DequantizeLinear") == 1);
  }
  SECTION("MaxPool and what moves elements") {
    const int32_t pool = g.add("MaxPool", {a}, {{"kernel_shape", Dims{2, 2}}});
    const int32_t moved = g.transpose(pool, {0, 3, 1, 2});
    const int32_t padded =
        g.add("Pad", {moved}, {{"pads", Dims{0, 0, 1, 0, 0, 0, 0, 1}}, {"value", 0.0}});
    const Graph after = formed(g, g.quantize(padded, kInputScale, 5));
    CHECK(count_of(after, "DequantizeLinear") == 1);
    CHECK(only(after, "Pad").get<double>("value", 0) == 5);
  }
}

TEST_CASE("a Pad below the range is the least integer, where it is rounded at once") {
  QuantizedGraph g({1, 4, 4, 3});
  const int32_t x = g.quantize(g.x, kInputScale, 5);
  const int32_t y = g.add("Pad", {x}, {{"pads", Dims{0, 1, 1, 0, 0, 1, 1, 0}}, {"value", -1e6}});
  SECTION("to the same integers") {
    const Graph after = formed(g, g.quantize(y, kInputScale, 5));
    CHECK(only(after, "Pad").get<double>("value", 0) == -128);
  }
  SECTION("not elsewhere") {
    const Graph after = formed(g, g.quantize(y, kOutputScale, 5));
    CHECK(count_of(after, "DequantizeLinear") == 2);
  }
}

TEST_CASE("what has no integer form stays a float island") {
  QuantizedGraph g({1, 4});
  const int32_t x = g.quantize(g.x, kInputScale, 0);
  const Graph after =
      formed(g, g.quantize(g.add("ReduceProd", {x}, {{"axes", Dims{1}}}), kOutputScale, 0), 0);
  CHECK(count_of(after, "ReduceProd") == 1);
}

TEST_CASE("sums are proved to fit int32, to the last one") {
  const Rows rows{{int64_t{1} << 23}, {0}};
  CHECK(overflow_of(rows, {}, 0) == "");
  CHECK(overflow_of(rows, {0}, -128) == "");
  CHECK(overflow_of(rows, {8388607}, -128) == "");
  CHECK(overflow_of(rows, {8388608}, -128) ==
        "the sums of channel 0 may reach from 8388608 to 2147483648, should fit 32 bits");
  CHECK(overflow_of({{0}, {int64_t{1} << 23}}, {-8388608}, -128) == "");
  CHECK(overflow_of({{0, 0}, {0, int64_t{1} << 23}}, {0, -8388609}, -128) ==
        "the sums of channel 1 may reach from -2147483649 to -8388609, should fit 32 bits");
  CHECK(overflow_of({{(int64_t{1} << 24) + 1}, {0}}, {0}, 0) != "");
  CHECK(sum_range({{3, 0}, {1, 8}}, {1, -2}, 10) == Dims{-938, 1102});
  CHECK(sum_range({{1}, {0}}, {-500}, 0) == Dims{-628, 0});
  CHECK(sum_range({{}, {}}, {}, 0) == Dims{0, 0});
}

TEST_CASE("multipliers are rounded once") {
  CHECK(product_multiplier(0.1f, 0.3f, 0.7f) ==
        static_cast<float>(static_cast<double>(0.1f) * static_cast<double>(0.3f) /
                           static_cast<double>(0.7f)));
  CHECK(ratio_multiplier(0.1f, 0.3f, 7) ==
        static_cast<float>(static_cast<double>(0.1f) / (static_cast<double>(0.3f) * 7)));
}
