// SPDX-License-Identifier: Apache-2.0
// Runs a graph on the CPU backend and on the reference, and compares their outputs byte by byte.
#ifndef MEDULLA_TESTS_CPU_COMPARE_H_
#define MEDULLA_TESTS_CPU_COMPARE_H_

#include <random>

#include "tests/catch.h"
#include "tests/graph/builder.h"
#include "tests/threads.h"

namespace medulla::test {

// Values with zeros of both signs, subnormals and large ones among them.
class Random {
 public:
  explicit Random(uint32_t seed) : engine_(seed) {}

  int64_t integer(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(engine_);
  }
  bool one_in(int64_t n) { return integer(1, n) == 1; }
  std::vector<float> floats(size_t count) {
    std::vector<float> values(count);
    for (float& v : values) v = value();
    return values;
  }
  std::vector<int8_t> bytes(size_t count) {
    std::vector<int8_t> values(count);
    for (int8_t& v : values) {
      v = static_cast<int8_t>(one_in(8) ? (one_in(2) ? -128 : 127) : integer(-128, 127));
    }
    return values;
  }

 private:
  float value() {
    if (one_in(40)) return one_in(2) ? 0.0f : -0.0f;
    if (one_in(60)) return 1e-40f;
    if (one_in(80)) return 1e20f;
    return std::uniform_real_distribution<float>(-2.0f, 2.0f)(engine_);
  }

  std::mt19937 engine_;
};

using OutputBytes = std::vector<std::vector<std::byte>>;

// Inputs are filled from `seed`; float and int8.
inline OutputBytes run_program(const mdl_program* program, const mdl_graph& graph, size_t threads,
                               uint32_t seed) {
  const mdl_thread_pool pool = {nullptr, threads, run_on_threads};
  mdl_session_options session_options = MDL_SESSION_OPTIONS_INIT;
  session_options.threads = static_cast<uint32_t>(threads);
  if (threads > 1) session_options.pool = &pool;
  const SessionHandle session = make_session(program, &session_options);
  Random random(seed);
  for (size_t i = 0; i < graph.input_count; ++i) {
    void* data = nullptr;
    size_t bytes = 0;
    REQUIRE(mdl_session_input(session.get(), i, &data, &bytes, nullptr) == MDL_OK);
    if (graph.tensors[graph.inputs[i]].dtype == MDL_FLOAT32) {
      const std::vector<float> values = random.floats(bytes / sizeof(float));
      std::memcpy(data, values.data(), bytes);
    } else {
      const std::vector<int8_t> values = random.bytes(bytes);
      std::memcpy(data, values.data(), bytes);
    }
  }
  REQUIRE(mdl_session_run(session.get()) == MDL_OK);
  OutputBytes outputs;
  for (size_t o = 0; o < graph.output_count; ++o) {
    const void* data = nullptr;
    size_t bytes = 0;
    REQUIRE(mdl_session_output(session.get(), o, &data, &bytes, nullptr) == MDL_OK);
    const auto* first = static_cast<const std::byte*>(data);
    outputs.emplace_back(first, first + bytes);
  }
  return outputs;
}

inline OutputBytes run_graph(const mdl_graph& graph, const char* backends, const char* isa,
                             size_t threads, uint32_t seed) {
  mdl_program_options options = MDL_PROGRAM_OPTIONS_INIT;
  options.backends = backends;
  options.isa = isa;
  return run_program(make_program(graph, &options).get(), graph, threads, seed);
}

// NaNs are equal whatever their sign and payload.
inline void require_same(const mdl_graph& graph, const OutputBytes& a, const OutputBytes& b) {
  REQUIRE(a.size() == b.size());
  for (size_t o = 0; o < a.size(); ++o) {
    REQUIRE(a[o].size() == b[o].size());
    if (a[o] == b[o]) continue;
    const bool is_float = graph.tensors[graph.outputs[o]].dtype == MDL_FLOAT32;
    const size_t size = is_float ? sizeof(float) : 1;
    for (size_t at = 0; at < a[o].size(); at += size) {
      if (std::memcmp(&a[o][at], &b[o][at], size) == 0) continue;
      auto x = static_cast<float>(static_cast<int8_t>(a[o][at]));
      auto y = static_cast<float>(static_cast<int8_t>(b[o][at]));
      if (is_float) {
        std::memcpy(&x, &a[o][at], size);
        std::memcpy(&y, &b[o][at], size);
        if (x != x && y != y) continue;
      }
      FAIL("output " << o << " differs at element " << at / size << ": " << x << " and " << y);
    }
  }
}

// The reference, the portable rows and the host's rows, on 1, 2 and 8 threads.
inline void require_cpu_equals_reference(GraphBuilder& builder, uint32_t seed) {
  const mdl_graph& graph = builder.graph();
  const OutputBytes expected = run_graph(graph, "reference", nullptr, 1, seed);
  require_same(graph, run_graph(graph, "cpu", "portable", 1, seed), expected);
  for (size_t threads : {1, 2, 8}) {
    require_same(graph, run_graph(graph, "cpu", nullptr, threads, seed), expected);
  }
}

}  // namespace medulla::test

#endif  // MEDULLA_TESTS_CPU_COMPARE_H_
