// SPDX-License-Identifier: Apache-2.0
#include "kernels/norm_f32/norm_f32.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/catch.h"
#include "tests/kernels/util.h"

namespace medulla {
namespace {

using test::Guarded;
using test::Random;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

void fill(Random& random, Guarded<float>& values) {
  if (random.one_in(3)) {
    random.fill_extreme(values);
  } else {
    random.fill(values, -3, 3);
  }
}

// Calls run(kernel, y) for each row that is here, y a copy of x.
template <class Run>
void compare(const Guarded<float>& x, const Guarded<float>& expected, uint64_t seed,
             const Run& run) {
  KernelRequest request;
  request.isa = host_isa();
  for (const NormF32Row& row : norm_f32_rows()) {
    if (row_refusal(row, request) != nullptr) continue;
    Guarded<float> actual(expected.size(), seed % 2 == 0);
    std::copy_n(x.data(), x.size(), actual.data());
    run(*row.kernel, actual.data());
    INFO(row.name << " seed " << seed);
    CHECK(test::difference(actual, expected) == "");
  }
}

TEST_CASE("norm_f32: batches, with strides and clamps, in place and not") {
  const test::RunState state;
  for (uint64_t seed = 1; seed <= test::seeds(300); ++seed) {
    Random random(seed);
    const size_t rows = random.integer<size_t>(1, 4);
    BatchNormF32 p;
    p.n = seed < 70 ? seed : random.integer<size_t>(1, 200);
    p.x_stride = p.y_stride = p.n + random.integer<size_t>(0, 3);
    p.lo = random.one_in(2) ? 0 : -kInfinity;
    p.hi = random.one_in(3) ? 1 : kInfinity;
    Guarded<float> mean(p.n), k(p.n, true), bias(p.n);
    for (Guarded<float>* constants : {&mean, &k, &bias}) fill(random, *constants);
    p.mean = mean.data();
    p.k = k.data();
    p.bias = bias.data();
    Guarded<float> x((rows - 1) * p.x_stride + p.n, random.one_in(2));
    fill(random, x);
    Guarded<float> expected(x.size());
    std::copy_n(x.data(), x.size(), expected.data());
    for (size_t i = 0; i < x.size(); ++i) {
      const size_t c = i % p.x_stride;
      if (c >= p.n) continue;
      float v = std::fma(x[i] - mean[c], k[c], bias[c]);
      v = p.lo > v ? p.lo : v;
      expected[i] = p.hi < v ? p.hi : v;
    }
    compare(x, expected, seed,
            [&](const NormF32Kernel& kernel, float* y) { kernel.batch(p, y, y, rows); });
    compare(x, expected, seed,
            [&](const NormF32Kernel& kernel, float* y) { kernel.batch(p, x.data(), y, rows); });
  }
}

// The formula of the header for one row; scale and bias for its values in order.
void expect_row(const RunNormF32& p, const std::vector<float*>& values, const float* scale,
                const float* bias) {
  const auto sum = [&](auto term) {
    float partials[16] = {};
    for (size_t i = 0; i < values.size(); ++i) partials[i % 16] += term(*values[i]);
    for (size_t half : {8, 4, 2, 1}) {
      for (size_t i = 0; i < half; ++i) partials[i] += partials[i + half];
    }
    return partials[0] / static_cast<float>(values.size());
  };
  const float mean = p.centered ? sum([](float v) { return v; }) : 0;
  const float r = 1 / std::sqrt(sum([=](float v) { return (v - mean) * (v - mean); }) + p.epsilon);
  for (size_t i = 0; i < values.size(); ++i) {
    const float normal = (*values[i] - mean) * r;
    const size_t c = i % p.n;
    *values[i] = bias != nullptr ? std::fma(normal, scale[c], bias[c]) : normal * scale[c];
  }
}

RunNormF32 random_norm(Random& random, Guarded<float>& scale, Guarded<float>& bias) {
  RunNormF32 p;
  p.epsilon = random.one_in(3) ? 0 : 1e-5f;
  p.centered = !random.one_in(3);
  fill(random, scale);
  fill(random, bias);
  p.scale = scale.data();
  if (random.one_in(2)) p.bias = bias.data();
  return p;
}

TEST_CASE("norm_f32: runs of any length, alone or several") {
  const test::RunState state;
  for (uint64_t seed = 1; seed <= test::seeds(400); ++seed) {
    Random random(seed);
    const size_t n = seed < 70 ? seed : random.integer<size_t>(1, 300);
    Guarded<float> scale(n, random.one_in(2));
    Guarded<float> bias(n, random.one_in(2));
    RunNormF32 p = random_norm(random, scale, bias);
    p.n = n;
    p.runs = random.one_in(2) ? 1 : random.integer<size_t>(2, 40);
    p.stride = n + random.integer<size_t>(0, 3);
    Guarded<float> x((p.runs - 1) * p.stride + n, random.one_in(2));
    fill(random, x);
    Guarded<float> expected(x.size());
    std::copy_n(x.data(), x.size(), expected.data());
    std::vector<float*> values;
    for (size_t i = 0; i < x.size(); ++i) {
      if (i % p.stride < n) values.push_back(expected.data() + i);
    }
    expect_row(p, values, p.scale, p.bias);
    compare(x, expected, seed,
            [&](const NormF32Kernel& kernel, float* y) { kernel.runs(p, y, y); });
  }
}

TEST_CASE("norm_f32: neighbours, as single runs have them") {
  const test::RunState state;
  for (uint64_t seed = 1; seed <= test::seeds(200); ++seed) {
    Random random(seed);
    const size_t count = random.integer<size_t>(1, 40);
    Guarded<float> scale(count, random.one_in(2));
    Guarded<float> bias(count, random.one_in(2));
    RunNormF32 p = random_norm(random, scale, bias);
    p.n = 1;
    p.runs = random.integer<size_t>(1, 60);
    p.stride = count + random.integer<size_t>(0, 3);
    Guarded<float> x((p.runs - 1) * p.stride + count, random.one_in(2));
    fill(random, x);
    Guarded<float> expected(x.size());
    std::copy_n(x.data(), x.size(), expected.data());
    for (size_t i = 0; i < count; ++i) {
      std::vector<float*> values;
      for (size_t run = 0; run < p.runs; ++run) values.push_back(&expected[run * p.stride + i]);
      expect_row(p, values, p.scale + i, p.bias != nullptr ? p.bias + i : nullptr);
    }
    compare(x, expected, seed,
            [&](const NormF32Kernel& kernel, float* y) { kernel.neighbours(p, y, y, count); });
  }
}

}  // namespace
}  // namespace medulla
