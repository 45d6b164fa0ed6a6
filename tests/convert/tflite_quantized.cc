// SPDX-License-Identifier: Apache-2.0
// Quantized TensorFlow Lite models: a layer differs by one unit at most from the fixed-point
// arithmetic that TensorFlow Lite specifies, which stands here written out.
#include <cmath>
#include <random>

#include "tests/convert/runner.h"
#include "tests/convert/tflite_model.h"

using namespace medulla;
using namespace medulla::tools;

namespace {

// A positive real number as a 31-bit fraction and a power of two.
struct FixedPoint {
  int32_t fraction;
  int shift;

  explicit FixedPoint(double real) {
    const double part = std::frexp(real, &shift);
    auto rounded = static_cast<int64_t>(std::llround(part * 2147483648.0));
    if (rounded == int64_t{1} << 31) {
      rounded /= 2;
      ++shift;
    }
    fraction = static_cast<int32_t>(rounded);
  }

  // x * real, rounded at the fraction's end and again, halves away from zero, by the shift.
  int32_t operator()(int32_t x) const {
    const int64_t left = int64_t{x} * (int64_t{1} << std::max(shift, 0));
    const int64_t product = left * fraction;
    const int64_t nudge = product >= 0 ? int64_t{1} << 30 : 1 - (int64_t{1} << 30);
    const int64_t high = (product + nudge) / (int64_t{1} << 31);
    const int right = std::max(-shift, 0);
    const int64_t mask = (int64_t{1} << right) - 1;
    const int64_t rest = high & mask;
    return static_cast<int32_t>((high >> right) + (rest > (mask >> 1) + (high < 0) ? 1 : 0));
  }
};

// The same for sums of 64 bits: a 15-bit fraction, and one rounding, halves up.
struct WideFixedPoint {
  FixedPoint narrow;

  explicit WideFixedPoint(double real) : narrow(real) {}

  int32_t operator()(int64_t x) const {
    const int64_t fraction =
        narrow.fraction < 0x7FFF0000 ? (int64_t{narrow.fraction} + (1 << 15)) >> 16 : 0x7FFF;
    const int right = 15 - narrow.shift;
    return static_cast<int32_t>((x * fraction + (int64_t{1} << (right - 1))) >> right);
  }
};

int32_t saturated(int64_t v, int32_t lo, int32_t hi) {
  return static_cast<int32_t>(std::clamp<int64_t>(v, lo, hi));
}

template <class T>
std::vector<T> random_values(size_t count, uint32_t seed, int lo, int hi) {
  std::mt19937 engine(seed);
  std::uniform_int_distribution<int> distribution(lo, hi);
  std::vector<T> values;
  for (size_t i = 0; i < count; ++i) values.push_back(static_cast<T>(distribution(engine)));
  return values;
}

template <class T>
std::vector<T> run(const TfliteModel& m, const std::vector<std::vector<T>>& inputs) {
  const Folder folder;
  Runner runner(m.write(folder));
  for (size_t i = 0; i < inputs.size(); ++i) {
    runner.set_bytes(i, inputs[i].data(), inputs[i].size() * sizeof(T));
  }
  runner.run();
  const Bytes bytes = runner.get_bytes(0);
  const T* first = reinterpret_cast<const T*>(bytes.data());
  return {first, first + bytes.size() / sizeof(T)};
}

// Two results differ by one unit at most, and no more than a share of them.
template <class T>
void compare(const std::vector<T>& found, const std::vector<int32_t>& expected,
             double share = 0.02) {
  REQUIRE(found.size() == expected.size());
  size_t off = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    CAPTURE(i);
    CHECK(std::abs(found[i] - expected[i]) <= 1);
    off += found[i] != expected[i];
  }
  CHECK(static_cast<double>(off) <= share * static_cast<double>(found.size()));
}

// A dense layer of B x K inputs and N outputs in TensorFlow Lite's arithmetic.
struct Dense {
  int32_t batch = 40, depth = 24, units = 16;
  float s_x = 0.047f, s_y = 0.61f;
  std::vector<float> s_w;
  int32_t z_x = 0, z_w = 0, z_y = 0, lo = -128, hi = 127;

  template <class X, class W, class B>
  std::vector<int32_t> operator()(const std::vector<X>& x, const std::vector<W>& w,
                                  const std::vector<B>& bias) const {
    std::vector<int32_t> y;
    for (int32_t b = 0; b < batch; ++b) {
      for (int32_t n = 0; n < units; ++n) {
        int64_t sum = bias[static_cast<size_t>(n)];
        for (int32_t k = 0; k < depth; ++k) {
          sum += (int64_t{x[static_cast<size_t>(b * depth + k)]} - z_x) *
                 (int64_t{w[static_cast<size_t>(n * depth + k)]} - z_w);
        }
        const float s = s_w[s_w.size() > 1 ? static_cast<size_t>(n) : 0];
        const double real =
            static_cast<double>(s_x) * static_cast<double>(s) / static_cast<double>(s_y);
        const int32_t scaled = sizeof(X) == 2 ? WideFixedPoint(real)(sum)
                                              : FixedPoint(real)(static_cast<int32_t>(sum));
        y.push_back(saturated(int64_t{scaled} + z_y, lo, hi));
      }
    }
    return y;
  }

  std::vector<float> bias_scales() const {
    std::vector<float> scales;
    for (const float s : s_w) scales.push_back(s * s_x);
    return scales;
  }

  template <class X, class W, class B>
  TfliteModel model(TfliteType x_type, TfliteType w_type, TfliteType b_type,
                    const std::vector<W>& w, const std::vector<B>& bias) const {
    TfliteModel m;
    const std::vector<int64_t> zeros(s_w.size(), 0), weight_zeros(s_w.size(), z_w);
    const int32_t x = m.quantize(m.input("x", {batch, depth}, x_type), {s_x}, {z_x});
    const int32_t a = m.quantize(m.constant<W>("w", {units, depth}, w_type, w), s_w, weight_zeros);
    const int32_t b = m.quantize(m.constant<B>("b", {units}, b_type, bias), bias_scales(), zeros);
    const int32_t y = m.quantize(m.output("y", {batch, units}, x_type), {s_y}, {z_y});
    m.node(TfliteOp::FULLY_CONNECTED, {x, a, b}, {y}, tflite::FullyConnectedOptionsT());
    return m;
  }
};

}  // namespace

TEST_CASE("an int8 layer differs from fixed point by one unit at most") {
  for (const bool per_channel : {false, true}) {
    for (uint32_t seed = 1; seed <= 5; ++seed) {
      CAPTURE(per_channel, seed);
      Dense d;
      d.s_w.assign(per_channel ? 16 : 1, 0.0091f);
      for (size_t c = 0; c < d.s_w.size(); ++c) d.s_w[c] *= 1 + 0.13f * static_cast<float>(c);
      d.z_x = -7;
      d.z_y = 11;
      const auto x = random_values<int8_t>(40 * 24, seed, -128, 127);
      const auto w = random_values<int8_t>(16 * 24, seed + 50, -128, 127);
      const auto bias = random_values<int32_t>(16, seed + 90, -9000, 9000);
      const auto m =
          d.model<int8_t>(TfliteType::INT8, TfliteType::INT8, TfliteType::INT32, w, bias);
      compare(run<int8_t>(m, {x}), d(x, w, bias));
    }
  }
}

TEST_CASE("a uint8 layer with a zero point of its weights is shifted exactly") {
  for (uint32_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    Dense d;
    d.s_w = {0.0091f};
    d.z_x = 121;
    d.z_w = 137;
    d.z_y = 139;
    d.lo = 0;
    d.hi = 255;
    const auto x = random_values<uint8_t>(40 * 24, seed, 0, 255);
    const auto w = random_values<uint8_t>(16 * 24, seed + 50, 0, 255);
    const auto bias = random_values<int32_t>(16, seed + 90, -9000, 9000);
    const auto m =
        d.model<uint8_t>(TfliteType::UINT8, TfliteType::UINT8, TfliteType::INT32, w, bias);
    compare(run<uint8_t>(m, {x}), d(x, w, bias));
  }
}

// Its multiplier of 15 bits is what differs there.
TEST_CASE("an int16 layer with int8 weights differs by one unit at most") {
  for (const bool per_channel : {false, true}) {
    for (uint32_t seed = 1; seed <= 5; ++seed) {
      CAPTURE(per_channel, seed);
      Dense d;
      d.s_w.assign(per_channel ? 16 : 1, 0.0091f);
      for (size_t c = 0; c < d.s_w.size(); ++c) d.s_w[c] *= 1 + 0.13f * static_cast<float>(c);
      d.s_x = 0.00031f;
      d.s_y = 0.0043f;
      d.lo = -32768;
      d.hi = 32767;
      const auto x = random_values<int16_t>(40 * 24, seed, -32768, 32767);
      const auto w = random_values<int8_t>(16 * 24, seed + 50, -127, 127);
      const auto bias = random_values<int64_t>(16, seed + 90, -9000000, 9000000);
      const auto m =
          d.model<int16_t>(TfliteType::INT16, TfliteType::INT8, TfliteType::INT64, w, bias);
      compare(run<int16_t>(m, {x}), d(x, w, bias), 1);
    }
  }
}

TEST_CASE("a bias of more than 32 bits of an int16 layer is rounded to float32") {
  Dense d;
  d.batch = d.depth = d.units = 1;
  d.s_x = d.s_w.emplace_back(1.0f);
  d.s_y = 16777216.0f;
  const int64_t bias = (int64_t{1} << 36) + 1;
  const auto m = d.model<int16_t>(TfliteType::INT16, TfliteType::INT8, TfliteType::INT64,
                                  std::vector<int8_t>{1}, std::vector<int64_t>{bias});
  CHECK(run<int16_t>(m, {{0}}) == std::vector<int16_t>{4096});
}

// Both inputs are shifted left by 20 bits and brought to twice the greater scale.
TEST_CASE("a quantized sum differs from fixed point by one unit at most") {
  constexpr float kA = 0.052f, kB = 0.031f, kY = 0.07f;
  constexpr int32_t kShift = 20;
  const double twice = 2 * static_cast<double>(kA);
  const FixedPoint to_a(static_cast<double>(kA) / twice), to_b(static_cast<double>(kB) / twice);
  const FixedPoint to_y(twice / (static_cast<double>(kY) * (1 << kShift)));
  for (const bool difference : {false, true}) {
    TfliteModel m;
    const int32_t a = m.quantize(m.input("a", {256, 16}, TfliteType::INT8), {kA}, {-3});
    const int32_t b = m.quantize(m.input("b", {256, 16}, TfliteType::INT8), {kB}, {9});
    const int32_t y = m.quantize(m.output("y", {256, 16}, TfliteType::INT8), {kY}, {5});
    if (difference) {
      m.node(TfliteOp::SUB, {a, b}, {y}, tflite::SubOptionsT());
    } else {
      m.node(TfliteOp::ADD, {a, b}, {y}, tflite::AddOptionsT());
    }
    const auto left = random_values<int8_t>(4096, 1, -128, 127);
    const auto right = random_values<int8_t>(4096, 2, -128, 127);
    std::vector<int32_t> expected;
    for (size_t i = 0; i < left.size(); ++i) {
      const int32_t scaled_a = to_a((left[i] + 3) * (1 << kShift));
      const int32_t scaled_b = to_b((right[i] - 9) * (1 << kShift));
      const int32_t sum = difference ? scaled_a - scaled_b : scaled_a + scaled_b;
      expected.push_back(saturated(int64_t{to_y(sum)} + 5, -128, 127));
    }
    compare(run<int8_t>(m, {left, right}), expected);
  }
}

TEST_CASE("a quantized product differs from fixed point by one unit at most") {
  constexpr float kA = 0.052f, kB = 0.031f, kY = 0.07f;
  TfliteModel m;
  const int32_t a = m.quantize(m.input("a", {256, 16}, TfliteType::INT8), {kA}, {-3});
  const int32_t b = m.quantize(m.input("b", {256, 16}, TfliteType::INT8), {kB}, {9});
  const int32_t y = m.quantize(m.output("y", {256, 16}, TfliteType::INT8), {kY}, {5});
  m.node(TfliteOp::MUL, {a, b}, {y}, tflite::MulOptionsT());
  const auto left = random_values<int8_t>(4096, 1, -128, 127);
  const auto right = random_values<int8_t>(4096, 2, -128, 127);
  const FixedPoint multiplier(static_cast<double>(kA) * static_cast<double>(kB) /
                              static_cast<double>(kY));
  std::vector<int32_t> expected;
  for (size_t i = 0; i < left.size(); ++i) {
    expected.push_back(saturated(multiplier((left[i] + 3) * (right[i] - 9)) + 5, -128, 127));
  }
  compare(run<int8_t>(m, {left, right}), expected);
}

TEST_CASE("what moves quantized elements leaves them as they are") {
  TfliteModel m;
  const int32_t x = m.quantize(m.input("x", {1, 2, 3}, TfliteType::UINT8), {0.1f}, {130});
  const int32_t padded = m.quantize(m.add("p", {1, 3, 3}, TfliteType::UINT8), {0.1f}, {130});
  const int32_t y = m.quantize(m.output("y", {1, 3, 3}, TfliteType::UINT8), {0.1f}, {130});
  const int32_t pads = m.constant<int32_t>("pads", {3, 2}, TfliteType::INT32, {0, 0, 1, 0, 0, 0});
  const int32_t perm = m.ints({0, 2, 1});
  m.node(TfliteOp::PAD, {x, pads}, {padded});
  m.node(TfliteOp::TRANSPOSE, {padded, perm}, {y});
  CHECK(run<uint8_t>(m, {{0, 50, 100, 150, 200, 255}}) ==
        std::vector<uint8_t>{130, 0, 150, 130, 50, 200, 130, 100, 255});
}

TEST_CASE("a bias without a scale has that of the products") {
  TfliteModel m;
  const int32_t x = m.quantize(m.input("x", {1, 1}, TfliteType::INT8), {0.5f}, {0});
  const int32_t w = m.quantize(m.constant<int8_t>("w", {1, 1}, TfliteType::INT8, {2}), {0.5f}, {0});
  const int32_t b = m.constant<int32_t>("b", {1}, TfliteType::INT32, {40});
  const int32_t y = m.quantize(m.output("y", {1, 1}, TfliteType::INT8), {0.25f}, {0});
  m.node(TfliteOp::FULLY_CONNECTED, {x, w, b}, {y}, tflite::FullyConnectedOptionsT());
  CHECK(run<int8_t>(m, {{5}}) == std::vector<int8_t>{50});
}

TEST_CASE("several scales of a vector are its own, whatever dimension they name") {
  Dense d;
  d.s_w.assign(16, 0.01f);
  const auto w = random_values<int8_t>(16 * 24, 3, -127, 127);
  const std::vector<int32_t> bias(16, 100);
  auto m = d.model<int8_t>(TfliteType::INT8, TfliteType::INT8, TfliteType::INT32, w, bias);
  m.tensor(2).quantization->dimension = 3;
  const auto x = random_values<int8_t>(40 * 24, 4, -128, 127);
  compare(run<int8_t>(m, {x}), d(x, w, bias));
}

// What a 16x8 model has: CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV, ADD, MUL, CONCATENATION,
// pools.
TEST_CASE("operators of int16 activations are integer nodes") {
  TfliteModel m;
  int32_t made = 0;
  const auto tensor = [&](const std::vector<int32_t>& shape, float scale) {
    return m.quantize(m.add("t" + std::to_string(made++), shape, TfliteType::INT16), {scale}, {0});
  };
  const auto weights = [&](const std::vector<int32_t>& shape, size_t count, uint32_t seed) {
    return m.quantize(m.constant<int8_t>("w" + std::to_string(made++), shape, TfliteType::INT8,
                                         random_values<int8_t>(count, seed, -127, 127)),
                      {0.01f}, {0});
  };
  const auto bias = [&](int32_t count, float scale) {
    const std::vector<int64_t> values(static_cast<size_t>(count), 1000);
    return m.quantize(
        m.constant<int64_t>("b" + std::to_string(made++), {count}, TfliteType::INT64, values),
        {scale}, {0});
  };
  const float s_x = 0.0005f, s_a = 0.002f, s_b = 0.004f;
  const int32_t x = m.quantize(m.input("x", {1, 4, 4, 2}, TfliteType::INT16), {s_x}, {0});
  const int32_t a = tensor({1, 4, 4, 3}, s_a), b = tensor({1, 4, 4, 3}, s_b);
  const int32_t sum = tensor({1, 4, 4, 3}, s_b), joined = tensor({1, 4, 4, 6}, s_b);
  const int32_t pooled = tensor({1, 2, 2, 6}, s_b), greatest = tensor({1, 1, 1, 6}, s_b);
  const int32_t up = tensor({1, 2, 2, 2}, s_b), product = tensor({1, 2, 2, 2}, 0.01f);
  const int32_t y = m.quantize(m.output("y", {1, 5}, TfliteType::INT16), {0.02f}, {0});
  tflite::Conv2DOptionsT conv;
  conv.padding = tflite::Padding::SAME;
  conv.stride_h = conv.stride_w = 1;
  conv.activation = tflite::Activation::RELU;
  m.node(TfliteOp::CONV_2D, {x, weights({3, 3, 3, 2}, 54, 1), bias(3, s_x * 0.01f)}, {a}, conv);
  tflite::DepthwiseConv2DOptionsT depthwise;
  depthwise.padding = tflite::Padding::SAME;
  depthwise.stride_h = depthwise.stride_w = 1;
  m.node(TfliteOp::DEPTHWISE_CONV_2D, {a, weights({1, 3, 3, 3}, 27, 2), bias(3, s_a * 0.01f)}, {b},
         depthwise);
  m.node(TfliteOp::ADD, {a, b}, {sum}, tflite::AddOptionsT());
  tflite::ConcatenationOptionsT join;
  join.axis = 3;
  m.node(TfliteOp::CONCATENATION, {sum, a}, {joined}, join);
  tflite::Pool2DOptionsT pool;
  pool.padding = tflite::Padding::VALID;
  pool.stride_h = pool.stride_w = pool.filter_h = pool.filter_w = 2;
  m.node(TfliteOp::AVERAGE_POOL_2D, {joined}, {pooled}, pool);
  m.node(TfliteOp::MAX_POOL_2D, {pooled}, {greatest}, pool);
  tflite::TransposeConvOptionsT transpose;
  transpose.padding = tflite::Padding::VALID;
  transpose.stride_h = transpose.stride_w = 2;
  m.node(TfliteOp::TRANSPOSE_CONV,
         {m.ints({1, 2, 2, 2}), weights({2, 2, 2, 6}, 48, 3), greatest, bias(2, s_b * 0.01f)}, {up},
         transpose);
  m.node(TfliteOp::MUL, {up, up}, {product}, tflite::MulOptionsT());
  m.node(TfliteOp::FULLY_CONNECTED, {product, weights({5, 8}, 40, 4), bias(5, 0.0001f)}, {y},
         tflite::FullyConnectedOptionsT());

  const Folder folder;
  ConvertOptions options = m.write(folder);
  options.output = folder.file("out.mdl");
  const ConvertReport report = convert(options);
  for (const Refusal& refusal : report.refusals) UNSCOPED_INFO(refusal.text());
  REQUIRE(report.refusals.empty());
  std::map<std::string, size_t> integer = report.nodes_after;
  for (const char* mover : {"Reshape", "Transpose", "Slice"}) integer.erase(mover);
  CHECK(integer == std::map<std::string, size_t>{{"QConv", 3},
                                                 {"QAdd", 1},
                                                 {"QConcat", 1},
                                                 {"QAveragePool", 1},
                                                 {"MaxPool", 1},
                                                 {"QMul", 1},
                                                 {"QGemm", 1}});
  const auto values = random_values<int16_t>(32, 5, -32768, 32767);
  CHECK(run<int16_t>(m, {values}).size() == 5);
}
