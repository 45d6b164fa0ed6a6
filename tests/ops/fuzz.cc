// SPDX-License-Identifier: Apache-2.0
// Every operator against nodes that a hostile file may hold: check_node and infer must not crash,
// overflow or give a tensor whose size overflows; what they accept, the reference must survive.
#include <limits>

#include "src/base/checked.h"
#include "tests/catch.h"
#include "tests/ops/harness.h"

namespace medulla::test {
namespace {

constexpr int kRounds = 2500;
constexpr int64_t kFewElements = 2000;

constexpr int64_t kInts[] = {0,
                             1,
                             1,
                             1,
                             2,
                             2,
                             3,
                             4,
                             5,
                             7,
                             8,
                             -1,
                             -1,
                             -2,
                             -3,
                             -4,
                             -8,
                             16,
                             INT32_MAX,
                             int64_t{1} << 32,
                             int64_t{1} << 62,
                             INT64_MAX,
                             INT64_MIN,
                             INT64_MIN + 1,
                             -INT64_MAX / 2};
constexpr double kFloats[] = {0,
                              1,
                              -1,
                              0.5,
                              0.1,
                              2,
                              6,
                              1e-5,
                              1e38,
                              1e308,
                              -1e-310,
                              std::numeric_limits<double>::infinity(),
                              -std::numeric_limits<double>::infinity(),
                              std::numeric_limits<double>::quiet_NaN()};
constexpr const char* kStrings[] = {"",
                                    "none",
                                    "tanh",
                                    "constant",
                                    "reflect",
                                    "edge",
                                    "wrap",
                                    "nearest",
                                    "linear",
                                    "cubic",
                                    "half_pixel",
                                    "asymmetric",
                                    "align_corners",
                                    "pytorch_half_pixel",
                                    "floor",
                                    "ceil",
                                    "round_prefer_floor",
                                    "round_prefer_ceil",
                                    "forward",
                                    "reverse",
                                    "bidirectional",
                                    "Sigmoid",
                                    "Tanh",
                                    "Relu",
                                    "Affine"};
constexpr mdl_dtype kDtypes[] = {MDL_FLOAT32, MDL_FLOAT32, MDL_FLOAT32, MDL_INT8,  MDL_INT8,
                                 MDL_INT32,   MDL_INT64,   MDL_UINT8,   MDL_INT16, MDL_BOOL,
                                 MDL_FLOAT16, MDL_FLOAT64, MDL_INT4};

template <class T, size_t n>
T pick(Random& random, const T (&from)[n]) {
  return from[random.integer(size_t{0}, n - 1)];
}

// Also of what is left out of a product by a dimension of 0: it may be walked, at no cost in
// memory.
bool few(const std::vector<int64_t>& dims) {
  int64_t count = 1;
  for (const int64_t d : dims) {
    if (d > kFewElements || (d > 0 && (count *= d) > kFewElements)) return false;
  }
  return true;
}

// A size that a loader takes: what is not zero multiplies without overflow.
bool addressable(mdl_dtype dtype, const std::vector<int64_t>& dims) {
  int64_t bits = mdl_dtype_bits(dtype);
  for (const int64_t d : dims) {
    if (d < 0 || (d > 0 && !checked_mul(bits, d, &bits))) return false;
  }
  return dims.size() <= MDL_MAX_RANK;
}

// Inputs that fit, of operators whose inputs differ in shape.
struct Example {
  const char* op;
  std::vector<std::vector<int64_t>> dims;
};
const Example kExamples[] = {
    {"Attention", {{2, 4, 3, 5}, {2, 2, 6, 5}, {2, 2, 6, 3}, {3, 6}}},
    {"BatchNormalization", {{2, 3, 4}, {4}, {4}, {4}, {4}}},
    {"Conv", {{1, 5, 4, 3}, {2, 3, 3, 3}, {2}}},
    {"ConvTranspose", {{1, 5, 4, 3}, {2, 3, 3, 3}, {2}}},
    {"GRU", {{3, 2, 3}, {1, 12, 3}, {1, 12, 4}, {1, 24}, {2}, {1, 2, 4}}},
    {"GridSample", {{2, 3, 4, 2}, {2, 2, 3, 2}}},
    {"GroupNormalization", {{2, 3, 4}, {4}, {4}}},
    {"LayerNormalization", {{2, 3, 4}, {4}, {4}}},
    {"LSTM", {{3, 2, 3}, {1, 16, 3}, {1, 16, 4}, {1, 32}, {2}, {1, 2, 4}, {1, 2, 4}, {1, 12}}},
    {"Gemm", {{2, 3}, {3, 4}, {4}}},
    {"MatMul", {{5, 2, 3}, {3, 4}}},
    {"RMSNormalization", {{2, 3, 4}, {4}}},
    {"RotaryEmbedding", {{2, 3, 4}, {3, 4}, {4}}},
    {"RNN", {{3, 2, 3}, {1, 4, 3}, {1, 4, 4}, {1, 8}, {2}, {1, 2, 4}}},
    {"QAddFloat", {{2, 3, 4}, {2, 3, 4}}},
    {"QConv", {{1, 5, 4, 3}, {2, 3, 3, 3}, {2}, {2}}},
    {"QGemm", {{2, 3}, {4, 3}, {4}, {4}}},
};

// Shapes that often fit each other: of the same rank, mostly the same extents.
Value random_input(Random& random, const Value* first, const std::vector<int64_t>* example) {
  Value v;
  v.dtype = first != nullptr && !random.one_in(4) ? first->dtype : pick(random, kDtypes);
  if (example != nullptr && !random.one_in(16)) v.dtype = MDL_FLOAT32;
  if (example != nullptr && !random.one_in(32)) {
    v.dims = *example;
  } else if (first != nullptr && !random.one_in(3)) {
    v.dims = first->dims;
  } else {
    v.dims.resize(random.integer(0u, random.one_in(4) ? 8u : 4u), 1);
    for (int64_t& d : v.dims) d = random.integer(random.one_in(8) ? 0 : 1, 4);
  }
  for (int64_t& d : v.dims) {
    if (!random.one_in(example != nullptr ? 100 : 10)) continue;
    const int64_t before = d;
    d = random.one_in(2) ? 1 : pick(random, kInts);
    if (!addressable(v.dtype, v.dims)) d = before;
  }
  if (v.dtype == MDL_INT8 && !random.one_in(4)) v = v.quantized(0.5f, random.integer(-2, 1));
  if (few(v.dims)) {
    v.bytes.resize((static_cast<size_t>(count_of(v.dims)) * mdl_dtype_bits(v.dtype) + 7) / 8);
    for (uint8_t& byte : v.bytes) byte = random.integer(uint8_t{0}, uint8_t{3});
    v.constant = random.one_in(4);
  }
  return v;
}

template <class T, size_t n>
std::vector<T> random_list(Random& random, size_t rank, const T (&from)[n]) {
  const size_t lengths[] = {
      rank, rank, 2 * rank, rank > 2 ? rank - 2 : 1, 1, random.integer(size_t{0}, size_t{9})};
  std::vector<T> list(pick(random, lengths));
  // Runs of small values, with one extreme at times.
  for (T& v : list) v = from[random.integer(size_t{0}, random.one_in(6) ? n - 1 : n / 3)];
  return list;
}

// One in `sparse` that may be left out is there.
void set_attributes(Random& random, const Op& op, uint32_t version, size_t rank, int sparse,
                    Case* c) {
  for (const AttributeRule& rule : op.attributes) {
    if (version < rule.first_version || version > rule.last_version) continue;
    if (rule.required ? random.one_in(32) : !random.one_in(sparse)) continue;
    switch (rule.type) {
      case MDL_ATTRIBUTE_INT:
        c->set(rule.name, pick(random, kInts));
        break;
      case MDL_ATTRIBUTE_FLOAT:
        c->set(rule.name, pick(random, kFloats));
        break;
      case MDL_ATTRIBUTE_STRING:
        c->set(rule.name, pick(random, kStrings));
        break;
      case MDL_ATTRIBUTE_INTS:
        c->set(rule.name, random_list(random, rank, kInts));
        break;
      case MDL_ATTRIBUTE_FLOATS:
        c->set(rule.name, random_list(random, rank, kFloats));
        break;
      case MDL_ATTRIBUTE_STRINGS:
        c->set(rule.name, random_list(random, rank, kStrings));
        break;
      case MDL_ATTRIBUTE_GRAPH:
        break;
    }
  }
}

TEST_CASE("No operator crashes on hostile nodes") {
  const uint64_t seed = 20261121;
  Random random(seed);
  for (const Op* op : all_ops()) {
    const Example* example = nullptr;
    for (const Example& e : kExamples) example = std::string(e.op) == op->name ? &e : example;
    for (int round = 0; round < kRounds; ++round) {
      INFO("seed " << seed << ", " << op->name << ", round " << round);
      const uint32_t version = random.integer(1u, op->version);
      Case c(op->name, version);
      const uint32_t inputs =
          random.integer(op->min_inputs, std::min(op->max_inputs, op->min_inputs + 5));
      const uint32_t outputs =
          random.integer(op->min_outputs, std::min(op->max_outputs, op->min_outputs + 3));
      std::vector<Value> values;
      for (uint32_t i = 0; i < inputs; ++i) {
        const bool fits = example != nullptr && i < example->dims.size();
        values.push_back(
            random_input(random, i > 0 ? &values[0] : nullptr, fits ? &example->dims[i] : nullptr));
        if (i >= op->min_inputs && random.one_in(4)) values.back() = {};
        c.input(values.back());
      }
      const Value first = values.empty() ? Value() : values[0];
      for (uint32_t o = 0; o < outputs; ++o) {
        Value v;
        v.dtype = random.one_in(2) ? MDL_INT8 : MDL_FLOAT32;
        v.scales = first.scales;
        v.zero_points = first.zero_points;
        if (o > 0 && random.one_in(4)) {
          c.no_output();
        } else {
          c.output(v);
        }
      }
      set_attributes(random, *op, version, first.dims.size(), example != nullptr ? 6 : 2, &c);

      const Result shapes = c.infer();
      if (shapes.status != MDL_OK) {
        REQUIRE(shapes.text.starts_with(std::string("node 'n' (") + op->name + "): "));
        continue;
      }
      bool small = true;
      for (const Value& v : values) small = small && few(v.dims);
      for (const Value& v : shapes.outputs) {
        INFO("an output of rank " << v.dims.size());
        REQUIRE(addressable(v.dtype, v.dims));
        small = small && few(v.dims);
      }
      if (small) c.run();
    }
  }
}

}  // namespace
}  // namespace medulla::test
