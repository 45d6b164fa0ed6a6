// SPDX-License-Identifier: Apache-2.0
// Opens bytes as a model, digests unread, and runs what opens. Preset fuzz makes a libFuzzer
// program of it; the test of this folder replays the corpus.
#include <cstdlib>
#include <cstring>

#include "src/model/model.h"

namespace {

// What opens may still be large; the fuzzer has other things to do than to fill memory.
constexpr uint64_t kTensorBytes = 1 << 16;
constexpr uint64_t kBudget = 1 << 24;

void run(const mdl_model* model) {
  mdl_error error = MDL_ERROR_INIT;
  mdl_program_options options = MDL_PROGRAM_OPTIONS_INIT;
  options.memory_budget = kBudget;
  mdl_program* program = nullptr;
  if (mdl_program_create(model, &options, &program, &error) != MDL_OK) return;
  mdl_session* session = nullptr;
  if (mdl_session_create(program, nullptr, &session, &error) == MDL_OK) {
    mdl_session_run(session);
    mdl_session_run(session);
  }
  mdl_session_destroy(session);
  mdl_program_destroy(program);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // Memory of the exact size, so that the sanitizer sees every read past it.
  void* block = nullptr;
  if (posix_memalign(&block, MDL_ALIGNMENT, size == 0 ? 1 : size) != 0) return 0;
  if (size > 0) std::memcpy(block, data, size);
  mdl_model_options options = MDL_MODEL_OPTIONS_INIT;
  options.max_tensor_bytes = kTensorBytes;
  mdl_model* model = nullptr;
  mdl_error error = MDL_ERROR_INIT;
  if (medulla::open_model_memory({static_cast<const uint8_t*>(block), size}, options, false, &model,
                                 &error) == MDL_OK) {
    run(model);
    mdl_model_close(model);
  }
  std::free(block);
  return 0;
}
