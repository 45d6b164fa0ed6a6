// SPDX-License-Identifier: Apache-2.0
// Models of files, converted for a test.
#ifndef MEDULLA_TESTS_GRAPH_CONVERTED_H_
#define MEDULLA_TESTS_GRAPH_CONVERTED_H_

#include <unistd.h>

#include <filesystem>
#include <stdexcept>
#include <string>

#include "src/model/model.h"
#include "tests/paths.h"
#include "tools/import/convert.h"

namespace medulla::test {

// The models that lie in the tree: float32, quantized, with a state.
constexpr const char* kCommittedModels[] = {"ecg_cnn_fp32", "ecg_cnn_int8", "ecg_stream_gru"};

inline std::filesystem::path committed_model(const std::string& name) {
  return std::filesystem::path(kSourceDir) / "examples/ecg_monitor/models" / (name + ".onnx");
}

// A model converted into a file that goes with it.
struct Converted {
  explicit Converted(const std::filesystem::path& model_file)
      : path(std::filesystem::temp_directory_path() /
             ("medulla_models_" + std::to_string(getpid()) + ".mdl")) {
    tools::ConvertOptions options;
    options.input = model_file.string();
    options.output = path.string();
    refused = !tools::convert(options).refusals.empty();
    mdl_error error = MDL_ERROR_INIT;
    if (!refused && mdl_model_open(path.c_str(), nullptr, &model, &error) != MDL_OK) {
      throw std::runtime_error(error.text);
    }
  }
  ~Converted() {
    mdl_model_close(model);
    std::filesystem::remove(path);
  }
  Converted(const Converted&) = delete;
  Converted& operator=(const Converted&) = delete;

  std::filesystem::path path;
  bool refused = false;
  mdl_model* model = nullptr;
};

}  // namespace medulla::test

#endif  // MEDULLA_TESTS_GRAPH_CONVERTED_H_
