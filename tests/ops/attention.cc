// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include "tests/catch.h"
#include "tests/ops/harness.h"

namespace medulla::test {
namespace {

using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;
constexpr float kInf = std::numeric_limits<float>::infinity();

// [B, H, L, D] -> [B, L, H * D]
Value heads_last(const Value& x) {
  const Floats from = x.as<float>();
  Floats to(from.size());
  const int64_t heads = x.dims[1], rows = x.dims[2], width = x.dims[3];
  for (size_t i = 0; i < from.size(); ++i) {
    const auto at = static_cast<int64_t>(i);
    const int64_t d = at % width, row = at / width % rows, head = at / width / rows % heads;
    const int64_t b = at / width / rows / heads;
    to[static_cast<size_t>(((b * rows + row) * heads + head) * width + d)] = from[i];
  }
  return tensor<float>({x.dims[0], rows, heads * width}, to);
}

Value random_mask(Random& random, const Ints& dims) {
  if (random.one_in(2)) return random_floats(random, dims);
  Value mask;
  mask.dtype = MDL_BOOL;
  mask.dims = dims;
  mask.bytes.resize(static_cast<size_t>(count_of(dims)));
  for (uint8_t& m : mask.bytes) m = random.one_in(3) ? 0 : 1;
  return mask;
}

// In binary64, by the formula.
struct Naive {
  Ints q, k, v;  // shapes
  Floats qs, ks, vs;
  double scale, softcap;
  bool causal;
  const Value* mask;

  static double at(const Floats& x, const Ints& dims, int64_t b, int64_t h, int64_t i, int64_t d) {
    return static_cast<double>(
        x[static_cast<size_t>(((b * dims[1] + h) * dims[2] + i) * dims[3] + d)]);
  }
  double masked(double s, int64_t b, int64_t h, int64_t i, int64_t j) const {
    if (causal && j - i > k[2] - q[2]) return -HUGE_VAL;
    if (mask == nullptr) return s;
    const int64_t m = (b * mask->dims[1] + h % mask->dims[1]) * q[2] * k[2] + i * k[2] + j;
    const auto index = static_cast<size_t>(m % count_of(mask->dims));
    if (mask->dtype == MDL_BOOL) return mask->bytes[index] != 0 ? s : -HUGE_VAL;
    return s + static_cast<double>(mask->as<float>()[index]);
  }
  std::vector<double> row(int64_t b, int64_t h, int64_t i) const {
    std::vector<double> s(static_cast<size_t>(k[2]));
    const int64_t kv = h / (q[1] / k[1]);
    double greatest = -HUGE_VAL, sum = 0;
    for (size_t j = 0; j < s.size(); ++j) {
      const auto key = static_cast<int64_t>(j);
      for (int64_t d = 0; d < q[3]; ++d) s[j] += at(qs, q, b, h, i, d) * at(ks, k, b, kv, key, d);
      s[j] *= scale;
      if (softcap > 0) s[j] = softcap * std::tanh(s[j] / softcap);
      s[j] = masked(s[j], b, h, i, key);
      greatest = std::fmax(greatest, s[j]);
    }
    std::vector<double> y(static_cast<size_t>(v[3]));
    if (greatest < -1e300) return y;
    for (double& p : s) sum += p = std::exp(p - greatest);
    for (size_t j = 0; j < s.size(); ++j) {
      for (size_t c = 0; c < y.size(); ++c) {
        y[c] += s[j] / sum * at(vs, v, b, kv, static_cast<int64_t>(j), static_cast<int64_t>(c));
      }
    }
    return y;
  }
};

TEST_CASE("Attention is near its formula, in both layouts") {
  const uint64_t seed = 20261121;
  Random random(seed);
  for (int round = 0; round < 100; ++round) {
    INFO("seed " << seed << ", round " << round);
    const int64_t batch = random.integer(1, 2), kv = random.integer(1, 2);
    const int64_t heads = kv * random.integer(1, 2);
    const int64_t queries = random.integer(1, 5), keys = random.integer(1, 40);
    const Value q = random_floats(random, {batch, heads, queries, random.integer(1, 9)});
    const Value k = random_floats(random, {batch, kv, keys, q.dims[3]});
    const Value v = random_floats(random, {batch, kv, keys, random.integer(1, 9)});
    const Value mask = random_mask(random, {batch, random.one_in(2) ? 1 : heads, queries, keys});
    const bool masked = random.one_in(2), causal = random.one_in(3);
    const double softcap = random.one_in(3) ? 0.5 : 0;
    const auto attend = [&](const Value& a, const Value& b, const Value& c) {
      Case node("Attention");
      node.input(a).input(b).input(c).set("scale", 2.5).set("softcap", softcap);
      if (masked) node.input(mask);
      if (causal) node.set("causal", 1);
      if (a.dims.size() == 3) node.set("num_heads", heads).set("kv_num_heads", kv);
      return node.run();
    };
    const Result y = attend(q, k, v);
    REQUIRE(y.text == "");
    REQUIRE(y.dims() == Ints{batch, heads, queries, v.dims[3]});
    const Naive naive{q.dims,        k.dims, v.dims,  q.as<float>(), k.as<float>(),
                      v.as<float>(), 2.5,    softcap, causal,        masked ? &mask : nullptr};
    size_t at = 0;
    for (int64_t i = 0; i < batch * heads * queries; ++i) {
      for (const double exact : naive.row(i / queries / heads, i / queries % heads, i % queries)) {
        REQUIRE(static_cast<double>(y.values()[at++]) == Approx(exact).margin(2e-5));
      }
    }
    const Result flat = attend(heads_last(q), heads_last(k), heads_last(v));
    REQUIRE(flat.text == "");
    REQUIRE(flat.values() == heads_last(y.outputs[0]).as<float>());
  }
}

TEST_CASE("Attention has the bytes of the operators that it stands for") {
  Random random(4);
  const Value q = random_floats(random, {2, 7, 12}), k = random_floats(random, {2, 21, 12});
  const Value v = random_floats(random, {2, 21, 5});
  const auto stack = [](Value x) {
    x.dims.insert(x.dims.begin() + 1, 1);
    return x;
  };
  const Result whole =
      Case("Attention").input(stack(q)).input(stack(k)).input(stack(v)).set("scale", 0.3f).run();
  const Value scaled = Case("Mul").input(q).input(tensor<float>({}, {0.3f})).run().outputs[0];
  const Value turned = Case("Transpose").input(k).set("perm", Ints{0, 2, 1}).run().outputs[0];
  const Value scores = Case("MatMul").input(scaled).input(turned).run().outputs[0];
  const Value weights = Case("Softmax").input(scores).run().outputs[0];
  CHECK(whole.values() == Case("MatMul").input(weights).input(v).run().values());
}

TEST_CASE("Attention to no key at all is zero") {
  Value none;
  none.dtype = MDL_BOOL;
  none.dims = {1, 1};
  none.bytes = {0};
  const auto attend = [](const Value& mask) {
    return Case("Attention")
        .input(counted<float>({1, 1, 2, 3}))
        .input(counted<float>({1, 1, 4, 3}))
        .input(counted<float>({1, 1, 4, 2}))
        .input(mask)
        .run()
        .values();
  };
  CHECK(attend(none) == Floats(4, 0));
  CHECK(attend(tensor<float>({1}, {-kInf})) == Floats(4, 0));
  // More queries than keys: the first see none.
  const Result y = Case("Attention")
                       .input(counted<float>({1, 1, 3, 1}))
                       .input(counted<float>({1, 1, 1, 1}))
                       .input(tensor<float>({1, 1, 1, 1}, {5}))
                       .set("causal", 1)
                       .run();
  CHECK(y.values() == Floats{0, 0, 5});
}

TEST_CASE("Attention says what it refuses") {
  const Value q = counted<float>({1, 4, 2, 3});
  const auto attend = [](const Value& a, const Value& b, const Value& c) {
    return Case("Attention").input(a).input(b).input(c);
  };
  CHECK(attend(q, q, counted<float>({1, 4, 3, 3})).run().says("should be [B, H, Lq, D]"));
  CHECK(attend(q, counted<float>({1, 3, 2, 3}), counted<float>({1, 3, 2, 3})).run().status ==
        MDL_ERROR_SHAPE);
  const Value flat = counted<float>({1, 2, 12});
  CHECK(attend(flat, flat, flat).run().says("num_heads, which is 0, and kv_num_heads, which is 0"));
  CHECK(attend(flat, flat, flat).set("num_heads", 5).run().says("num_heads, which is 5,"));
  const Value thin = counted<float>({1, 1, int64_t{1} << 62, 0});
  CHECK(attend(counted<float>({1, 1, 1, 0}), thin, thin).run().says("D not 0"));
  CHECK(attend(q, q, q).input(counted<float>({3})).run().status == MDL_ERROR_SHAPE);
  CHECK(attend(q, q, q).input(counted<float>({1, 1, 1, 1, 2})).run().says("should broadcast to"));
  CHECK(attend(q, q, q).input(counted<int32_t>({2})).run().status == MDL_ERROR_DTYPE);
  CHECK(attend(q, q, q).set("softcap", -1.0).run().says("softcap is -1"));
}

TEST_CASE("RotaryEmbedding turns halves and pairs") {
  const Value x = tensor<float>({2, 4}, {1, 2, 3, 4, 5, 6, 7, 8});
  const Value cos = tensor<float>({1, 4}, {0, 1, 0, 1}), sin = tensor<float>({4}, {1, 0, 2, 3});
  const auto rotate = [&](int64_t interleaved) {
    return Case("RotaryEmbedding")
        .input(x)
        .input(cos)
        .input(sin)
        .set("interleaved", interleaved)
        .run()
        .values();
  };
  CHECK(rotate(0) == Floats{-3, 2, 2, 10, -7, 6, 10, 26});
  CHECK(rotate(1) == Floats{-2, 2, -8, 13, -6, 6, -16, 29});
  CHECK(Case("RotaryEmbedding")
            .input(counted<float>({3}))
            .input(cos)
            .input(sin)
            .run()
            .says("even last dimension"));
  CHECK(Case("RotaryEmbedding")
            .input(x)
            .input(cos)
            .input(counted<float>({1}))
            .run()
            .says("should have the last dimension of [2,4]"));
  CHECK(Case("RotaryEmbedding").input(x).input(counted<float>({3, 4})).input(sin).run().status ==
        MDL_ERROR_SHAPE);
}

}  // namespace
}  // namespace medulla::test
