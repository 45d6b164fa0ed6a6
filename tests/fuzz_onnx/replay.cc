// SPDX-License-Identifier: Apache-2.0
// Replays the corpus, and models of ONNX's suite with fields changed.
#include <algorithm>
#include <cstdlib>

#include "tests/catch.h"
#include "tests/fuzz/import.h"
#include "tests/shared.h"

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> models_of_suite() {
  const char* given = std::getenv("MEDULLA_ONNX_TESTDATA");
  const fs::path root = given != nullptr ? given : "/usr/share/libonnx-testdata/data";
  std::vector<fs::path> models;
  if (!fs::is_directory(root / "node")) {
    medulla::test::skip("ONNX's conformance suite is not installed (package libonnx-testdata)");
    return models;
  }
  for (const auto& entry : fs::directory_iterator(root / "node")) {
    const fs::path model = entry.path() / "model.onnx";
    if (fs::exists(model) && fs::file_size(model) < 16384) models.push_back(model);
  }
  std::sort(models.begin(), models.end());
  return models;
}

void change_suite(size_t step, unsigned tries) {
  const std::vector<fs::path> models = models_of_suite();
  for (size_t i = 0; i < models.size(); i += step) {
    medulla::tools::change_and_convert(medulla::tools::bytes_of(models[i]), tries);
  }
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
