// SPDX-License-Identifier: Apache-2.0
// Files that are made to deceive: each is refused by name, or means what ONNX says.
#include <limits>

#include "tests/convert/refused.h"

using namespace medulla;
using namespace medulla::tools;

TEST_CASE("what the loader would refuse is not written") {
  OnnxModel m(13);
  m.input("x", {2, 2});
  SECTION("a name with a zero in it") {
    m.node("Relu", {"x"}, {std::string("y\0z", 3)});
    m.output(std::string("y\0z", 3), {2, 2});
    check_refused(m, {"would not load", "UTF-8 without zeros"});
  }
  SECTION("a tensor beyond the loader's limit") {
    m.ints("shape", {1 << 21, 1 << 20, 2, 2});
    m.node("Expand", {"x", "shape"}, {"big"});
    m.node("ReduceMax", {"big"}, {"y"});
    m.output("y", {1, 1, 1, 1});
    check_refused(m, {"would not load", "limit"});
  }
}
