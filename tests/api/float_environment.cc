// SPDX-License-Identifier: Apache-2.0
// What the caller's floating-point environment is changes nothing, and nothing changes it.
#include <array>
#include <cfenv>
#include <fstream>
#include <iterator>

#include "medulla/medulla.h"
#include "tests/catch.h"
#include "tests/model_builder.h"

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

using namespace medulla::test;

namespace {

// The environment while it lives; the test's own afterwards.
class Environment {
 public:
  Environment(int rounding, bool flush, bool traps) {
    std::fegetenv(&saved_);
    std::fesetround(rounding);
#if defined(__SSE__)
    if (flush) _mm_setcsr(_mm_getcsr() | 0x8040);
    if (traps) _mm_setcsr(_mm_getcsr() & ~0x1F80u);
    csr_ = control();
#else
    static_cast<void>(flush);
    static_cast<void>(traps);
#endif
    rounding_ = rounding;
  }
  ~Environment() { std::fesetenv(&saved_); }

  bool is_kept() const {
#if defined(__SSE__)
    if (control() != csr_) return false;
#endif
    return std::fegetround() == rounding_;
  }

 private:
#if defined(__SSE__)
  static unsigned control() { return _mm_getcsr() & ~0x3Fu; }
  unsigned csr_ = 0;
#endif
  std::fenv_t saved_;
  int rounding_;
};

// A state that grows, a dimension that varies, subnormals and rounding.
AlignedBytes growing() {
  ModelBuilder b;
  const int32_t x = b.input("x", {4, 3}, MDL_FLOAT32, {"n", ""});
  const int32_t w = b.constant("w", {3}, {0.1f, 1e-3f, 3e7f});
  b.state("grown", {16, 3}, MDL_STATE_APPEND, 0, {"t", ""});
  const int32_t product = b.node("Mul", {x, w}, "product");
  b.graph().states[0].written = b.node("Relu", {product}, "more");
  b.output(b.node("Softmax", {product}, "y"));
  return b.bytes();
}

// One of each layer, the quantized ones with their multipliers, which the loader computes anew.
AlignedBytes layers() {
  std::ifstream file("tests/fuzz/corpus/layers.mdl", std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  return AlignedBytes(bytes.data(), bytes.size());
}

// Not computed while the test runs, which may trap.
constexpr float kValues[] = {1e-40f, -2.7f, 0.31f, 1.9f, -0.07f, 3.3f, -1e-9f, 0.5f, 2.25f, -1.1f};

// All that a caller can do, and what came of it.
std::vector<uint8_t> use(const AlignedBytes& bytes, const Environment* environment) {
  std::vector<uint8_t> result;
  mdl_error error = MDL_ERROR_INIT;
  mdl_model* model = nullptr;
  mdl_program* program = nullptr;
  mdl_session* session = nullptr;
  bool fine = true;
  const auto check = [&](mdl_status status) {
    fine = fine && status == MDL_OK && (environment == nullptr || environment->is_kept());
  };
  size_t need = 0;
  mdl_memory_need memory = MDL_MEMORY_NEED_INIT;
  check(mdl_model_memory_need(bytes.data(), bytes.size(), nullptr, &need, &error));
  check(mdl_model_open_memory(bytes.data(), bytes.size(), nullptr, &model, &error));
  if (fine) check(mdl_program_memory_need(model, nullptr, &memory, &error));
  if (fine) check(mdl_program_create(model, nullptr, &program, &error));
  if (fine) check(mdl_session_create(program, nullptr, &session, &error));
  std::vector<std::array<int64_t, MDL_MAX_RANK>> shapes(mdl_model_input_count(model));
  std::vector<const int64_t*> dims;
  std::vector<size_t> counts(shapes.size(), 1);
  for (size_t i = 0; i < shapes.size() && fine; ++i) {
    uint32_t rank = 0;
    check(mdl_session_input_shape(session, i, shapes[i].data(), &rank, &error));
    for (uint32_t d = 0; d < rank; ++d) counts[i] *= static_cast<size_t>(shapes[i][d]);
    dims.push_back(shapes[i].data());
  }
  if (fine) check(mdl_session_resize(session, dims.data(), dims.size(), &error));
  for (int run = 0; run < 3 && fine; ++run) {
    for (size_t i = 0; i < shapes.size(); ++i) {
      std::vector<float> x(counts[i]);
      for (size_t k = 0; k < x.size(); ++k) x[k] = kValues[k % std::size(kValues)];
      check(mdl_session_set_input(session, i, x.data(), x.size(), &error));
    }
    check(mdl_session_run(session));
  }
  if (fine) {
    result.resize(mdl_session_state_bytes(session));
    check(mdl_session_save(session, result.data(), result.size(), &error));
    check(mdl_session_restore(session, result.data(), result.size(), &error));
  }
  for (size_t o = 0; o < mdl_model_output_count(model) && fine; ++o) {
    const void* data = nullptr;
    size_t size = 0;
    check(mdl_session_output(session, o, &data, &size, &error));
    const uint8_t* first = static_cast<const uint8_t*>(data);
    result.insert(result.end(), first, first + size);
  }
  INFO(error.text << mdl_session_error(session));
  CHECK(fine);
  mdl_session_destroy(session);
  mdl_program_destroy(program);
  mdl_model_close(model);
  return fine ? result : std::vector<uint8_t>();
}

}  // namespace

TEST_CASE("the caller's floating-point environment changes nothing and is kept") {
  const bool quantized = GENERATE(false, true);
  const AlignedBytes bytes = quantized ? layers() : growing();
  const std::vector<uint8_t> expected = use(bytes, nullptr);
  REQUIRE_FALSE(expected.empty());
  const int rounding = GENERATE(FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO);
  const bool flush = GENERATE(false, true);
  const bool traps = GENERATE(false, true);
  CAPTURE(quantized, rounding, flush, traps);
  std::vector<uint8_t> result;
  {
    const Environment environment(rounding, flush, traps);
    result = use(bytes, &environment);
  }
  CHECK(result == expected);
}
