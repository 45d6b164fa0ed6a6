// SPDX-License-Identifier: Apache-2.0
// States that begin empty and grow, read by each lowering: along the last axis where it can be.
#include <functional>

#include "tests/cpu/compare.h"

namespace medulla::test {
namespace {

constexpr int kRuns = 3;

// past [.., kRuns along `axis`, ..] grows by `added` each run; `make` reads it.
struct Growing {
  using Make = std::function<int32_t(GraphBuilder&, int32_t past)>;

  Growing(const Dims& dims, int32_t axis, mdl_dtype dtype, const Make& make, int64_t added = 1) {
    Dims more = dims;
    more[static_cast<size_t>(axis)] = added;
    const int32_t x = builder.input("x", more, {}, dtype);
    const int32_t past = builder.state("past", dims, MDL_STATE_APPEND, axis, nullptr, dtype);
    if (dtype == MDL_INT8) {
      builder.quantized(x, {0.5f}, {3});
      builder.quantized(past, {0.5f}, {3});
    }
    const int32_t fresh = builder.node("Identity", {x}, {}, "fresh");
    if (dtype == MDL_INT8) builder.quantized(fresh, {0.5f}, {3});
    builder.write(past, fresh);
    const int32_t first = fresh + 1;
    const int32_t last = make(builder, past);
    for (int32_t t = first; t <= last; ++t) {
      if (builder.tensor(t).data != nullptr) continue;
      for (uint32_t d = 0; d < builder.tensor(t).rank; ++d) {
        if (builder.tensor(t).dims[d] == kRuns) builder.symbol(t, d, "grown");
      }
    }
    builder.output(last);
  }

  // The output of each run.
  std::vector<OutputBytes> run(const char* backends) {
    mdl_program_options options = MDL_PROGRAM_OPTIONS_INIT;
    options.backends = backends;
    const ProgramHandle program = make_program(builder.graph(), &options);
    const SessionHandle session = make_session(program.get());
    std::vector<OutputBytes> runs;
    Random random(1);
    for (int r = 0; r < kRuns; ++r) {
      void* in = nullptr;
      const void* out = nullptr;
      size_t bytes = 0;
      REQUIRE(mdl_session_input(session.get(), 0, &in, &bytes, nullptr) == MDL_OK);
      if (bytes > 0 && builder.tensor(0).dtype == MDL_FLOAT32) {
        std::memcpy(in, random.floats(bytes / sizeof(float)).data(), bytes);
      } else if (bytes > 0) {
        std::memcpy(in, random.bytes(bytes).data(), bytes);
      }
      const mdl_status status = mdl_session_run(session.get());
      INFO("run " << r << ": " << mdl_session_error(session.get()));
      REQUIRE(status == MDL_OK);
      REQUIRE(mdl_session_output(session.get(), 0, &out, &bytes, nullptr) == MDL_OK);
      const auto* first = static_cast<const std::byte*>(out);
      runs.push_back({{first, first + bytes}});
    }
    return runs;
  }

  GraphBuilder builder;
};

struct Kind {
  const char* name;
  Dims past;
  int32_t axis;
  mdl_dtype dtype;
  Growing::Make make;
};

std::vector<float> numbers(size_t count) { return Random(7).floats(count); }

const std::vector<Kind>& kinds() {
  using Ints = std::vector<int64_t>;
  static const std::vector<Kind> all = {
      {"unary",
       {2, kRuns},
       1,
       MDL_FLOAT32,
       [](GraphBuilder& b, int32_t past) { return b.node("Tanh", {past}); }},
      {"binary",
       {2, kRuns},
       1,
       MDL_FLOAT32,
       [](GraphBuilder& b, int32_t past) {
         return b.node("Relu", {b.node("Add", {past, b.constant("c", {2, 1}, numbers(2))})});
       }},
      {"gemm",
       {4, kRuns},
       1,
       MDL_FLOAT32,
       [](GraphBuilder& b, int32_t past) {
         const int32_t rows = b.node("Transpose", {past}, {{"perm", Ints{1, 0}}});
         return b.node("Swish", {b.node("MatMul", {rows, b.constant("w", {4, 5}, numbers(20))})});
       }},
      {"conv 1x1",
       {kRuns, 2, 2, 4},
       0,
       MDL_FLOAT32,
       [](GraphBuilder& b, int32_t past) {
         return b.node("Swish",
                       {b.node("Conv", {past, b.constant("w", {5, 1, 1, 4}, numbers(20))})});
       }},
      {"conv",
       {kRuns, 2, 2, 4},
       0,
       MDL_FLOAT32,
       [](GraphBuilder& b, int32_t past) {
         return b.node("Swish", {b.node("Conv", {past, b.constant("w", {5, 2, 1, 4}, numbers(40))},
                                        {{"strides", Ints{1, 1}}})});
       }},
      {"dwconv",
       {kRuns, 2, 2, 4},
       0,
       MDL_FLOAT32,
       [](GraphBuilder& b, int32_t past) {
         return b.node("Conv", {past, b.constant("w", {4, 2, 1, 1}, numbers(8))},
                       {{"group", int64_t{4}}});
       }},
      {"pool",
       {1, 2, 2, kRuns},
       3,
       MDL_FLOAT32,
       [](GraphBuilder& b, int32_t past) {
         return b.node("MaxPool", {past}, {{"kernel_shape", Ints{2, 2}}});
       }},
      {"softmax",
       {2, kRuns},
       1,
       MDL_FLOAT32,
       [](GraphBuilder& b, int32_t past) {
         return b.node("Softmax", {past}, {{"axis", int64_t{-1}}});
       }},
  };
  return all;
}

// Returns the outputs.
std::vector<OutputBytes> require_same_runs(Growing& growing) {
  std::vector<OutputBytes> expected = growing.run("reference");
  const std::vector<OutputBytes> given = growing.run("cpu");
  for (size_t r = 0; r < expected.size(); ++r) {
    CAPTURE(r);
    require_same(growing.builder.graph(), given[r], expected[r]);
  }
  return expected;
}

}  // namespace

TEST_CASE("states that begin empty are read on the CPU as by the reference", "[append]") {
  for (const Kind& kind : kinds()) {
    CAPTURE(kind.name);
    Growing growing(kind.past, kind.axis, kind.dtype, kind.make);
    require_same_runs(growing);
  }
}

TEST_CASE("attention of a constant to a state without keys", "[append]") {
  for (const bool masked : {false, true}) {
    for (const bool joined : {false, true}) {
      for (const int64_t added : {0, 1}) {
        CAPTURE(masked, joined, added);
        const auto make = [&](GraphBuilder& b, int32_t past) {
          const auto negative = [&](const char* name, const Dims& dims, size_t count) {
            return b.node("Neg", {b.constant(name, dims, numbers(count))});
          };
          const int32_t fresh = past + 1;
          int32_t keys = past;
          if (joined) {
            keys = b.node("Concat", {past, fresh}, {{"axis", int64_t{2}}});
            b.symbol(keys, 2, "keys");
          }
          const int32_t values = b.node("Tanh", {keys});
          if (joined) b.symbol(values, 2, "keys");
          std::vector<int32_t> inputs = {negative("q", {1, 2, 5, 4}, 40), keys, values};
          if (!masked) return b.node("Attention", inputs);
          inputs.push_back(negative("mask", {5, 1}, 5));
          return b.node("Attention", inputs,
                        {{"scale", 0.5}, {"softcap", 2.0}, {"causal", int64_t{1}}});
        };
        Growing growing({1, 2, kRuns, 4}, 2, MDL_FLOAT32, make, added);
        const std::vector<OutputBytes> runs = require_same_runs(growing);
        if (!joined || added == 0) CHECK(runs[0][0] == std::vector<std::byte>(40 * sizeof(float)));
      }
    }
  }
}

}  // namespace medulla::test
