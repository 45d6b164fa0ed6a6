// SPDX-License-Identifier: Apache-2.0
#include "tests/cpu/compare.h"

namespace medulla::test {

TEST_CASE("pools on the CPU give the reference's bytes", "[pool]") {
  for (uint32_t seed = 0; seed < 120; ++seed) {
    const bool max = seed % 2 == 0;
    CAPTURE(seed, max);
    GraphBuilder builder;
    Random random(seed);
    const bool signal = random.one_in(3);
    const size_t spatial = signal ? 1 : 2;
    const int64_t kernel = random.integer(1, 4);
    Dims x = {random.integer(1, 2)};
    for (size_t s = 0; s < spatial; ++s) x.push_back(random.integer(9, 20));
    x.push_back(random.integer(1, 37));
    std::vector<int64_t> pads(2 * spatial);
    for (int64_t& p : pads) p = random.integer(0, kernel - 1);
    std::map<std::string, AttributeValue> attributes = {
        {"kernel_shape", std::vector<int64_t>(spatial, kernel)},
        {"strides", std::vector<int64_t>(spatial, random.integer(1, 3))},
        {"dilations", std::vector<int64_t>(spatial, random.integer(1, 2))},
        {"pads", pads},
        {"ceil_mode", random.integer(0, 1)}};
    if (!max) attributes["count_include_pad"] = random.integer(0, 1);
    const mdl_dtype dtype = max && random.one_in(2) ? MDL_INT8 : MDL_FLOAT32;
    const int32_t t = builder.input("x", x, {}, dtype);
    builder.output(builder.node(max ? "MaxPool" : "AveragePool", {t}, attributes));
    require_cpu_equals_reference(builder, seed);
  }
}

TEST_CASE("sums and means on the CPU give the reference's bytes", "[reduce]") {
  for (uint32_t seed = 0; seed < 100; ++seed) {
    CAPTURE(seed);
    GraphBuilder builder;
    Random random(seed);
    Dims x;
    const bool global = random.one_in(3);
    for (int64_t rank = random.integer(global ? 3 : 1, 4); rank > 0; --rank) {
      x.push_back(random.integer(1, random.one_in(4) ? 100 : 12));
    }
    const int32_t t = builder.input("x", x);
    if (global) {
      builder.output(builder.node("GlobalAveragePool", {t}));
    } else {
      const auto rank = static_cast<int64_t>(x.size());
      const int64_t begin = random.integer(0, rank - 1);
      Dims axes;
      for (int64_t end = random.integer(begin, rank - 1), d = begin; d <= end; ++d) {
        if (!random.one_in(8)) axes.push_back(d);  // now and then with a gap, or all
      }
      builder.output(builder.node(random.one_in(2) ? "ReduceMean" : "ReduceSum", {t},
                                  {{"axes", axes}, {"keepdims", random.integer(0, 1)}}));
    }
    require_cpu_equals_reference(builder, seed);
  }
}

TEST_CASE("softmax on the CPU gives the reference's bytes", "[softmax]") {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    GraphBuilder builder;
    Random random(seed);
    Dims x;
    for (int64_t rank = random.integer(1, 4); rank > 0; --rank) x.push_back(random.integer(1, 20));
    const int64_t axis = random.integer(0, static_cast<int64_t>(x.size()) - 1);
    const int32_t t = builder.input("x", x);
    builder.output(
        builder.node(random.one_in(2) ? "Softmax" : "LogSoftmax", {t}, {{"axis", axis}}));
    require_cpu_equals_reference(builder, seed);
  }
}

}  // namespace medulla::test
