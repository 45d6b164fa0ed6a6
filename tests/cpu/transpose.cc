// SPDX-License-Identifier: Apache-2.0
#include <numeric>

#include "tests/cpu/compare.h"

namespace medulla::test {

TEST_CASE("transposes on the CPU give the reference's bytes", "[transpose]") {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    GraphBuilder builder;
    Random random(seed);
    constexpr mdl_dtype kTypes[] = {MDL_INT8, MDL_UINT8, MDL_FLOAT16, MDL_FLOAT32, MDL_INT64};
    const mdl_dtype dtype = kTypes[random.integer(0, 4)];
    const auto rank = random.integer(0, random.one_in(4) ? 8 : 4);
    const int64_t most = rank > 5 ? 4 : rank > 2 ? 14 : 60;
    Dims dims;
    for (int64_t d = 0; d < rank; ++d) dims.push_back(random.integer(1, most));
    if (rank > 0 && rank < 3 && random.one_in(3)) dims[0] = 5000;
    std::vector<int64_t> perm(dims.size());
    std::iota(perm.begin(), perm.end(), 0);
    for (int64_t d = rank; d > 1; --d) {
      std::swap(perm[static_cast<size_t>(d - 1)],
                perm[static_cast<size_t>(random.integer(0, d - 1))]);
    }
    const int32_t x = builder.input("x", dims, {}, dtype);
    const bool reversed = random.one_in(8);
    builder.output(reversed ? builder.node("Transpose", {x})
                            : builder.node("Transpose", {x}, {{"perm", perm}}));
    require_cpu_equals_reference(builder, seed);
  }
}

}  // namespace medulla::test
