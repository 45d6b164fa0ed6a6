// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <complex>
#include <numbers>

#include "tests/catch.h"
#include "tests/convert/onnx_model.h"
#include "tests/convert/run_graph.h"

using namespace medulla;
using namespace medulla::tools;

namespace {

Floats run(const OnnxModel& model, const Floats& x) {
  const Folder folder;
  ConvertReport report;
  const Model result = import_and_optimize(model.write(folder), report);
  for (const Refusal& refusal : report.refusals) UNSCOPED_INFO(refusal.text());
  REQUIRE(report.refusals.empty());
  return tools::to_floats(run_graph(result.main(), {as_bytes(x)})[0]);
}

std::string refused(const OnnxModel& model) {
  const Folder folder;
  const ConvertReport report = convert(model.write(folder));
  return report.refusals.empty() ? "" : report.refusals[0].text();
}

// Bin k of complex samples x[n * step].
std::complex<double> bin(const Floats& x, size_t first, size_t step, size_t count, size_t k,
                         size_t length, double sign) {
  std::complex<double> sum = 0;
  for (size_t n = 0; n < count; ++n) {
    const double angle =
        sign * 2 * std::numbers::pi * static_cast<double>(k * n) / static_cast<double>(length);
    const size_t at = first + n * step;
    sum += std::complex<double>(x[2 * at], x[2 * at + 1]) * std::polar(1.0, angle);
  }
  return sum;
}

}  // namespace

TEST_CASE("DFT is a product with a matrix, along any axis") {
  const int64_t length = GENERATE(3, 5, 8);  // cuts off, all, fills up
  const int64_t inverse = GENERATE(0, 1);
  OnnxModel m(20);
  m.input("x", {2, 5, 3, 2});
  m.ints("length", {length});
  m.ints("axis", {-3});
  set_int(m.node("DFT", {"x", "length", "axis"}, {"y"}), "inverse", inverse);
  m.output("y", {2, length, 3, 2});
  const Floats x = random_floats(60, 7);
  const Floats y = run(m, x);
  const auto bins = static_cast<size_t>(length);
  REQUIRE(y.size() == 12 * bins);
  for (size_t i = 0; i < y.size() / 2; ++i) {
    const size_t batch = i / (3 * bins), k = i / 3 % bins, c = i % 3;
    const auto expected =
        bin(x, batch * 15 + c, 3, std::min<size_t>(5, bins), k, bins, inverse != 0 ? 1 : -1) /
        (inverse != 0 ? static_cast<double>(length) : 1);
    CHECK(y[2 * i] == Approx(expected.real()).margin(1e-5));
    CHECK(y[2 * i + 1] == Approx(expected.imag()).margin(1e-5));
  }
}

TEST_CASE("DFT of one side, there and back") {
  const auto model = [](int64_t inverse, int64_t axis) {
    OnnxModel m(17);
    m.input("x", {1, inverse != 0 ? 3 : 4, inverse + 1});
    auto* node = m.node("DFT", {"x"}, {"y"});
    set_int(node, "onesided", 1);
    set_int(node, "inverse", inverse);
    set_int(node, "axis", axis);
    m.output("y", {1, inverse != 0 ? 4 : 3, 2 - inverse});
    return m;
  };
  CHECK(run(model(0, 1), {1, 2, 3, 4}) == Floats{10, 0, -2, 2, -2, 0});
  CHECK(run(model(1, 1), {10, 0, -2, 2, -2, 0}) == Floats{1, 2, 3, 4});
  CHECK(refused(model(0, 2)).find("axis is that of the real") != std::string::npos);
}

TEST_CASE("STFT is a convolution with a windowed matrix") {
  OnnxModel m(17);
  m.input("x", {2, 10, 1});
  m.bytes("step", {}, onnx::TensorProto::INT32, {3});
  m.floats("window", {4}, {0.5f, 1, 1, 0.25f});
  m.node("STFT", {"x", "step", "window"}, {"y"});
  m.output("y", {2, 3, 3, 2});
  const Floats x = random_floats(20, 8);
  const Floats y = run(m, x);
  REQUIRE(y.size() == 36);
  for (size_t i = 0; i < 18; ++i) {
    const size_t batch = i / 9, frame = i / 3 % 3, k = i % 3;
    Floats windowed;
    for (size_t n = 0; n < 4; ++n) {
      const float weights[] = {0.5f, 1, 1, 0.25f};
      windowed.push_back(x[batch * 10 + frame * 3 + n] * weights[n]);
      windowed.push_back(0);
    }
    const auto expected = bin(windowed, 0, 1, 4, k, 4, -1);
    CHECK(y[2 * i] == Approx(expected.real()).margin(1e-5));
    CHECK(y[2 * i + 1] == Approx(expected.imag()).margin(1e-5));
  }
}
