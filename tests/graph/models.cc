// SPDX-License-Identifier: Apache-2.0
// What programs of real models promise: an arena near its bound, a run within its stack, and the
// same bytes whether memory is shared or not.
#include <filesystem>

#include "src/model/model.h"
#include "tests/catch.h"
#include "tests/graph/allocator.h"
#include "tests/graph/builder.h"
#include "tests/graph/converted.h"
#include "tests/graph/painted_stack.h"
#include "tests/shared.h"

using namespace medulla;
using namespace medulla::test;

namespace {

namespace fs = std::filesystem;

std::vector<std::vector<uint8_t>> run_once(const mdl_program* program) {
  const SessionHandle session = make_session(program);
  const mdl_graph& graph = program->program.graph;
  for (size_t i = 0; i < graph.input_count; ++i) {
    const mdl_tensor& input = graph.tensors[graph.inputs[i]];
    if (input.dtype != MDL_FLOAT32) continue;
    std::vector<float> values(input.bytes / sizeof(float));
    for (size_t k = 0; k < values.size(); ++k) values[k] = static_cast<float>(k % 17) / 17 - 0.5f;
    set_input(session.get(), i, values);
  }
#if MEDULLA_PAINTED_STACK
  PaintedStack stack;
  if (stack.run(session.get()) != MDL_OK) {
    throw std::runtime_error(mdl_session_error(session.get()));
  }
  INFO(stack.bytes() << " bytes of stack");
  CHECK(stack.bytes() <= kRunStackBytes);
#else
  if (mdl_session_run(session.get()) != MDL_OK) {
    throw std::runtime_error(mdl_session_error(session.get()));
  }
#endif
  std::vector<std::vector<uint8_t>> outputs;
  for (size_t o = 0; o < graph.output_count; ++o) {
    const void* data = nullptr;
    size_t bytes = 0;
    mdl_session_output(session.get(), o, &data, &bytes, nullptr);
    const auto* first = static_cast<const uint8_t*>(data);
    outputs.emplace_back(first, first + bytes);
  }
  return outputs;
}

// Of the models below a folder: how many convert. What the importers take, their own tests say.
size_t check_models(const std::string& folder) {
  size_t count = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    const fs::path extension = entry.path().extension();
    if (extension != ".onnx" && extension != ".tflite") continue;
    CAPTURE(entry.path().string());
    const Converted converted(entry.path());
    if (converted.refused) continue;
    ++count;
    const mdl_graph& graph = model_graph(*converted.model);
    mdl_memory_need need = MDL_MEMORY_NEED_INIT;
    mdl_error error = MDL_ERROR_INIT;
    REQUIRE(mdl_program_memory_need(converted.model, nullptr, &need, &error) == MDL_OK);
    CHECK(static_cast<double>(need.arena_bytes) <=
          1.1 * static_cast<double>(need.arena_bound_bytes));
    const ProgramHandle packed = make_program(graph);
    const ProgramHandle plain = make_program(graph, nullptr, false);
    CHECK(run_once(packed.get()) == run_once(plain.get()));
  }
  return count;
}

}  // namespace

TEST_CASE("real models keep to the arena's bound and to the stack") {
  if (absent("models")) return;
  CHECK(check_models(shared("models")) >= 15);
}

TEST_CASE("models that others made keep to the arena's bound and to the stack", "[slow]") {
  if (absent("data")) return;
  CHECK(check_models(shared("data")) >= 30);
}

TEST_CASE("every allocation may fail, from file to session") {
  for (const char* name : kCommittedModels) {
    CAPTURE(name);
    const Converted converted(committed_model(name));
    REQUIRE_FALSE(converted.refused);
    for (size_t n = 0;; ++n) {
      CAPTURE(n);
      Allocator allocator(n);
      const mdl_allocator table = allocator.table();
      mdl_model_options model_options = MDL_MODEL_OPTIONS_INIT;
      mdl_program_options program_options = MDL_PROGRAM_OPTIONS_INIT;
      mdl_session_options session_options = MDL_SESSION_OPTIONS_INIT;
      model_options.allocator = program_options.allocator = session_options.allocator = &table;
      mdl_model* model = nullptr;
      mdl_program* program = nullptr;
      mdl_session* session = nullptr;
      mdl_error error = MDL_ERROR_INIT;
      mdl_status status = mdl_model_open(converted.path.c_str(), &model_options, &model, &error);
      if (status == MDL_OK) status = mdl_program_create(model, &program_options, &program, &error);
      if (status == MDL_OK) {
        status = mdl_session_create(program, &session_options, &session, &error);
      }
      if (status == MDL_OK) status = mdl_session_run(session);
      mdl_session_destroy(session);
      mdl_program_destroy(program);
      mdl_model_close(model);
      REQUIRE(allocator.live == 0);
      if (status == MDL_OK) {
        CHECK(allocator.count == n);
        break;
      }
      REQUIRE(status == MDL_ERROR_OUT_OF_MEMORY);
      REQUIRE(error.status == status);
      REQUIRE(error.text[0] != 0);
    }
  }
}
