// SPDX-License-Identifier: Apache-2.0
// Joins of more tensors than a node takes.
#include "tests/convert/onnx_model.h"
#include "tests/convert/runner.h"

using namespace medulla::tools;

TEST_CASE("a join of more tensors than a node takes becomes several") {
  const int64_t count = GENERATE(256, 257, 600);
  OnnxModel m(13);
  m.input("x", {1, 3});
  m.input("y", {1, 3});
  std::vector<std::string> names;
  for (int64_t i = 0; i < count; ++i) names.push_back(i % 7 == 0 ? "y" : "x");
  set_int(m.node("Concat", names, {"z"}), "axis", 0);
  m.output("z", {count, 3});
  const Folder folder;
  Runner runner(m.write(folder));
  runner.set(0, {1, 2, 3});
  runner.set(1, {4, 5, 6});
  runner.run();
  const std::vector<float> z = runner.get(0);
  REQUIRE(z.size() == static_cast<size_t>(3 * count));
  for (size_t i = 0; i < z.size(); ++i) {
    CAPTURE(count, i);
    REQUIRE(z[i] == static_cast<float>((i / 3 % 7 == 0 ? 4 : 1) + i % 3));
  }
}
