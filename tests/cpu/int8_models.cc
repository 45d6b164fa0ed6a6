// SPDX-License-Identifier: Apache-2.0
// Every quantized model gives the reference's bytes on the rows of each instruction set that is
// here.
#include <cstdio>
#include <sstream>

#include "tests/cpu/every_row.h"
#include "tests/graph/converted.h"
#include "tests/shared.h"

namespace medulla::test {
namespace {

namespace fs = std::filesystem;

bool has_integers(const mdl_graph& graph) {
  for (size_t n = 0; n < graph.node_count; ++n) {
    if (graph.nodes[n].op[0] == 'Q' && std::strcmp(graph.nodes[n].op, "QuantizeLinear") != 0) {
      return true;
    }
  }
  return false;
}

// Returns how many models below the folder have integer nodes.
size_t compare_models(EveryRow& rows, const std::string& folder) {
  size_t models = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    const bool onnx = name.find("int8") != std::string::npos && entry.path().extension() == ".onnx";
    if (!onnx && entry.path().extension() != ".tflite") continue;
    CAPTURE(entry.path().string());
    const Converted converted(entry.path());
    if (converted.refused || !has_integers(model_graph(*converted.model))) continue;
    ++models;
    rows.compare(model_graph(*converted.model), 1);
  }
  return models;
}

}  // namespace

// MEDULLA_MODELS names more folders, separated by colons.
TEST_CASE("every quantized model has one result everywhere", "[int8_models][slow]") {
  EveryRow rows;
  size_t models = 0;
  for (const std::string folder : {"models", "data"}) {
    if (!absent(folder)) models += compare_models(rows, shared(folder));
  }
  const char* const more = std::getenv("MEDULLA_MODELS");
  std::istringstream folders(more != nullptr ? more : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    models += compare_models(rows, folder);
  }
  std::printf("%zu quantized models, %zu runs, 0 bytes differ\n", models, rows.runs());
}

TEST_CASE("the quantized model of the tree has one result everywhere", "[int8_models]") {
  EveryRow rows;
  const Converted converted(committed_model("ecg_cnn_int8"));
  REQUIRE_FALSE(converted.refused);
  rows.compare(model_graph(*converted.model), 1);
}

}  // namespace medulla::test
