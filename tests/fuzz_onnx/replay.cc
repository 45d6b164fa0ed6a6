// SPDX-License-Identifier: Apache-2.0
// Replays the corpus, and models of ONNX's suite with fields changed.
#include <algorithm>
#include <cstdlib>

#include "tests/catch.h"
#include "tests/fuzz/import.h"
#include "tests/shared.h"

namespace {

namespace fs = std::filesystem;

fs::path suite() {
  const char* given = std::getenv("MEDULLA_ONNX_TESTDATA");
  return fs::path(given != nullptr ? given : "/usr/share/libonnx-testdata/data") / "node";
}

bool is_suite_absent() {
  if (fs::is_directory(suite())) return false;
  medulla::test::skip("ONNX's conformance suite is not installed (package libonnx-testdata)");
  return true;
}

std::vector<fs::path> models_of_suite() {
  std::vector<fs::path> models;
  for (const auto& entry : fs::directory_iterator(suite())) {
    const fs::path model = entry.path() / "model.onnx";
    if (fs::exists(model) && fs::file_size(model) < 16384) models.push_back(model);
  }
  std::sort(models.begin(), models.end());
  return models;
}

void change_suite(size_t step, unsigned tries) {
  if (is_suite_absent()) return;
  const std::vector<fs::path> models = models_of_suite();
  size_t count = 0;
  for (size_t i = 0; i < models.size(); i += step) {
    count += medulla::tools::change_and_convert(medulla::tools::bytes_of(models[i]), tries);
  }
  CHECK(count > 0);
}

}  // namespace

TEST_CASE("the ONNX importer survives its corpus") {
  CHECK(medulla::tools::replay("tests/fuzz_onnx/corpus") > 0);
}

TEST_CASE("a model of ONNX's suite with fields changed is refused or converts") {
  change_suite(20, 6);
}

TEST_CASE("models of ONNX's suite with many fields changed are refused or convert", "[slow]") {
  change_suite(4, 12);
}
