// SPDX-License-Identifier: Apache-2.0
#include "kernels/gemm_f32/gemm_f32.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/catch.h"
#include "tests/kernels/util.h"

namespace medulla {
namespace {

using test::Block;
using test::Guarded;
using test::Random;

struct Case {
  size_t m, n, k;
  size_t lda_extra = 0, ldc_extra = 0, ldr_extra = 0;
  bool bias = true, residual = false, in_place = false, clamp = false, extreme = false;
  bool go_on = false;
};

constexpr float kInf = std::numeric_limits<float>::infinity();

// Every row on one problem, by parts, against the formula of the header.
void check(const Case& c, uint64_t seed) {
  Random random(seed);
  const size_t lda = c.k + c.lda_extra;
  const size_t ldc = c.n + c.ldc_extra;
  const size_t ldr = c.in_place ? ldc : c.n + c.ldr_extra;
  const auto extent = [](size_t rows, size_t stride, size_t last) {
    return rows == 0 ? 0 : (rows - 1) * stride + last;
  };
  Guarded<float> a(extent(c.m, lda, c.k), random.one_in(2));
  Guarded<float> b(c.k * c.n);
  Guarded<float> bias(c.n);
  Guarded<float> residual(extent(c.m, ldr, c.n), random.one_in(2));
  const auto fill = [&](Guarded<float>& t) { c.extreme ? random.fill_extreme(t) : random.fill(t); };
  fill(a), fill(b), fill(bias), fill(residual);
  const bool transposed = random.one_in(2);
  const size_t k_stride = transposed ? 1 : c.n;
  const size_t n_stride = transposed ? c.k : 1;
  const float lo = c.clamp ? 0.0f : -kInf;
  const float hi = c.clamp ? 0.75f : kInf;

  const test::RunState state;
  Guarded<float> expected(extent(c.m, ldc, c.n));
  Guarded<float> begun(expected.size());
  fill(begun);
  if (c.in_place) std::copy_n(residual.data(), residual.size(), expected.data());
  if (c.go_on) std::copy_n(begun.data(), begun.size(), expected.data());
  for (size_t m = 0; m < c.m; ++m) {
    for (size_t n = 0; n < c.n; ++n) {
      float acc = c.bias ? bias[n] + 0.0f : 0.0f;
      if (c.go_on) acc = begun[m * ldc + n];
      for (size_t k = 0; k < c.k; ++k) {
        acc = std::fma(a[m * lda + k], b[k * k_stride + n * n_stride], acc);
      }
      if (c.residual) acc += residual[m * ldr + n];
      acc = lo > acc ? lo : acc;
      expected[m * ldc + n] = hi < acc ? hi : acc;
    }
  }

  GemmF32Problem problem;
  problem.isa = host_isa();
  problem.m = c.m;
  problem.n = c.n;
  problem.k = c.k;
  for (const GemmF32Row& row : gemm_f32_rows()) {
    if (row_refusal(row, problem) != nullptr) continue;
    const size_t nr = row.kernel->nr;
    Block packed(gemm_f32_packed_bytes(nr, c.n, c.k));
    gemm_f32_pack(nr, c.n, c.k, b.data(), k_stride, n_stride, c.bias ? bias.data() : nullptr,
                  packed.data());
    Guarded<float> actual(expected.size(), random.one_in(2));
    if (c.in_place) std::copy_n(residual.data(), residual.size(), actual.data());
    if (c.go_on) std::copy_n(begun.data(), begun.size(), actual.data());
    GemmF32 g;
    g.go_on = c.go_on;
    g.n = c.n;
    g.k = c.k;
    g.a = a.data();
    g.lda = lda;
    g.b = packed.data();
    g.residual = !c.residual ? nullptr : c.in_place ? actual.data() : residual.data();
    g.ldr = ldr;
    g.c = actual.data();
    g.ldc = ldc;
    g.lo = lo;
    g.hi = hi;
    const size_t m_cut = random.integer<size_t>(0, c.m);
    const size_t n_cut = random.integer<size_t>(0, c.n / nr) * nr;
    row.kernel->run(g, m_cut, c.m, 0, c.n);
    row.kernel->run(g, 0, m_cut, n_cut, c.n);
    row.kernel->run(g, 0, m_cut, 0, n_cut);
    INFO(row.name << " seed " << seed << " m " << c.m << " n " << c.n << " k " << c.k);
    CHECK(test::difference(actual, expected) == "");
  }
}

TEST_CASE("gemm_f32: every row gives the ordered bytes at every tail") {
  uint64_t seed = 1;
  for (size_t m : {1, 2, 3, 5, 6, 7, 8, 11, 12, 13}) {
    for (size_t n : {1, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 67, 130}) {
      for (size_t k : {1, 2, 5, 16}) check({.m = m, .n = n, .k = k}, seed++);
    }
  }
}

TEST_CASE("gemm_f32: blocks of k and of rows keep the chain") {
  uint64_t seed = 1000;
  for (size_t k : {255, 256, 257, 512, 513, 769, 1300}) {
    check({.m = 13, .n = 35, .k = k}, seed++);
    check({.m = 100, .n = 19, .k = k, .clamp = true}, seed++);
    check({.m = 100, .n = 19, .k = k, .go_on = true}, seed++);
    check({.m = 7, .n = 16, .k = k, .residual = true, .in_place = true}, seed++);
  }
}

TEST_CASE("gemm_f32: strides, bias, residual and clamp at random, with extreme values") {
  for (uint64_t seed = 2000; seed < 2400; ++seed) {
    Random random(seed);
    Case c = {};
    c.m = random.integer<size_t>(0, 40);
    c.n = random.integer<size_t>(1, 80);
    c.k = random.integer<size_t>(0, 40);
    c.lda_extra = random.integer<size_t>(0, 5);
    c.ldc_extra = random.integer<size_t>(0, 5);
    c.ldr_extra = random.integer<size_t>(0, 5);
    c.bias = random.one_in(2);
    c.residual = random.one_in(2);
    c.in_place = c.residual && random.one_in(2);
    c.go_on = !c.residual && random.one_in(2);
    c.clamp = random.one_in(2);
    c.extreme = random.one_in(2);
    check(c, seed);
  }
}

// Rows stand best first: a set gets the first row that it holds.
TEST_CASE("gemm_f32: the selector follows the ISA set") {
  GemmF32Problem problem;
  CHECK(std::string(select_row(gemm_f32_rows(), problem)->name) == "gemm_f32_portable");
  for (const GemmF32Row& row : gemm_f32_rows()) {
    problem.isa = isa_needs(row.isa);
    const auto first = std::find_if(
        gemm_f32_rows().begin(), gemm_f32_rows().end(),
        [&](const GemmF32Row& other) { return problem.isa.contains(isa_needs(other.isa)); });
    INFO(row.name);
    CHECK(std::string(select_row(gemm_f32_rows(), problem)->name) == first->name);
    if (row.isa == Isa::avx2) CHECK(std::string(first->name) == "gemm_f32_6x16_avx2");
  }
}

}  // namespace
}  // namespace medulla
