// SPDX-License-Identifier: Apache-2.0
// What programs of real models promise: an arena near its bound, a run within its stack, and the
// same bytes whether memory is shared or not.
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "src/model/model.h"
#include "tests/catch.h"
#include "tests/graph/builder.h"
#include "tests/graph/painted_stack.h"
#include "tests/shared.h"
#include "tools/import/convert.h"

using namespace medulla;
using namespace medulla::test;

namespace {

namespace fs = std::filesystem;

// A model converted into a file that goes with it.
struct Converted {
  explicit Converted(const fs::path& onnx)
      : path(fs::temp_directory_path() / ("medulla_models_" + std::to_string(getpid()) + ".mdl")) {
    tools::ConvertOptions options;
    options.input = onnx.string();
    options.output = path.string();
    refused = !tools::convert(options).refusals.empty();
    mdl_error error = MDL_ERROR_INIT;
    if (!refused && mdl_model_open(path.c_str(), nullptr, &model, &error) != MDL_OK) {
      throw std::runtime_error(error.text);
    }
  }
  ~Converted() {
    mdl_model_close(model);
    fs::remove(path);
  }

  fs::path path;
  bool refused = false;
  mdl_model* model = nullptr;
};

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

}  // namespace

TEST_CASE("real models keep to the arena's bound and to the stack") {
  if (absent("models")) return;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(shared("models"))) {
    if (entry.path().extension() != ".onnx") continue;
    CAPTURE(entry.path().string());
    const Converted converted(entry.path());
    if (converted.refused) continue;  // the importer's tests say what it takes
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
}
