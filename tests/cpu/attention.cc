// SPDX-License-Identifier: Apache-2.0
#include "tests/cpu/compare.h"

namespace medulla::test {

TEST_CASE("attention on the CPU gives the reference's bytes", "[attention]") {
  for (uint32_t seed = 0; seed < 120; ++seed) {
    CAPTURE(seed);
    GraphBuilder builder;
    Random random(seed);
    const int64_t batch = random.integer(1, 2), kv = random.integer(1, 3);
    const int64_t heads = kv * random.integer(1, 3);
    const int64_t queries = random.integer(1, random.one_in(4) ? 300 : 20);
    const int64_t keys = random.integer(1, random.one_in(4) ? 300 : 40);
    const int64_t width = random.integer(1, 40), v_width = random.integer(1, 40);
    const bool flat = random.one_in(2);
    const auto input = [&](const char* name, int64_t h, int64_t rows, int64_t w) {
      if (!flat && random.one_in(6)) {
        return builder.constant(name, {batch, h, rows, w},
                                random.floats(static_cast<size_t>(batch * h * rows * w)));
      }
      return flat ? builder.input(name, {batch, rows, h * w})
                  : builder.input(name, {batch, h, rows, w});
    };
    std::vector<int32_t> inputs = {input("q", heads, queries, width), input("k", kv, keys, width),
                                   input("v", kv, keys, v_width)};
    if (random.one_in(2)) {
      std::vector<int64_t> dims = {batch, heads, queries, keys};
      for (int64_t& d : dims) d = random.one_in(3) ? 1 : d;
      const auto count = static_cast<size_t>(dims[0] * dims[1] * dims[2] * dims[3]);
      const int32_t mask = random.one_in(3) ? builder.constant("mask", dims, random.floats(count))
                                            : builder.input("mask", dims);
      const int32_t limit = builder.constant("limit", {1}, std::vector<float>{0.5f});
      inputs.push_back(random.one_in(2) ? mask : builder.node("Less", {mask, limit}));
    }
    std::map<std::string, AttributeValue> attributes = {{"num_heads", heads}, {"kv_num_heads", kv}};
    if (random.one_in(2)) attributes["scale"] = 0.25 + 0.125 * static_cast<double>(seed % 4);
    if (random.one_in(3)) attributes["softcap"] = 2.0;
    if (random.one_in(3)) attributes["causal"] = int64_t{1};
    builder.output(builder.node("Attention", inputs, attributes));
    require_cpu_equals_reference(builder, seed);
  }
}

}  // namespace medulla::test
