// SPDX-License-Identifier: Apache-2.0
#include "kernels/transpose/transpose.h"

#include <vector>

#include "tests/catch.h"
#include "tests/kernels/util.h"

namespace medulla {
namespace {

using test::Guarded;
using test::Random;

template <class T>
void check(uint64_t seed, size_t log2_bytes) {
  Random random(seed);
  const auto extent = [&] { return random.integer<size_t>(1, random.one_in(2) ? 20 : 150); };
  Transpose t;
  t.rows = extent();
  t.columns = extent();
  t.x_stride = t.columns + (random.one_in(2) ? 0 : random.integer<size_t>(0, 20));
  t.y_stride = t.rows + (random.one_in(2) ? 0 : random.integer<size_t>(0, 20));
  Guarded<T> x((t.rows - 1) * t.x_stride + t.columns, random.one_in(2));
  random.fill(std::span<T>(x));
  t.x = x.data();
  Guarded<T> expected((t.columns - 1) * t.y_stride + t.rows);
  for (size_t i = 0; i < t.rows; ++i) {
    for (size_t j = 0; j < t.columns; ++j) {
      expected[j * t.y_stride + i] = x[i * t.x_stride + j];
    }
  }
  KernelRequest request;
  request.isa = host_isa();
  for (const TransposeRow& row : transpose_rows()) {
    if (row_refusal(row, request) != nullptr) continue;
    Guarded<T> actual(expected.size(), random.one_in(2));
    t.y = actual.data();
    row.kernel->run[log2_bytes](t);
    INFO(row.name << " bytes " << sizeof(T) << " seed " << seed << " rows " << t.rows << " columns "
                  << t.columns << " strides " << t.x_stride << " " << t.y_stride);
    CHECK(test::difference(actual, expected) == "");
  }
}

TEST_CASE("transpose: extents and strides at random") {
  for (uint64_t seed = 1; seed <= test::seeds(600); ++seed) {
    check<uint8_t>(seed, 0);
    check<uint16_t>(seed, 1);
    check<uint32_t>(seed, 2);
    check<uint64_t>(seed, 3);
  }
}

}  // namespace
}  // namespace medulla
