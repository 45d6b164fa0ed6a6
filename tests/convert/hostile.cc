// SPDX-License-Identifier: Apache-2.0
// Files that are made to deceive: each is refused by name, or means what ONNX says.
#include "tests/convert/refused.h"
#include "tests/convert/run_graph.h"

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

TEST_CASE("a model of an old opset names what nothing makes") {
  OnnxModel m(6);
  m.input("x", {2});
  SECTION("an output") {
    m.node("Relu", {"x"}, {"y"});
    m.output("z", {2});
    check_refused(m, {"'z' (output, opset 6)", "nothing makes it"});
  }
  SECTION("an input") {
    m.node("Relu", {"z"}, {"y"});
    m.output("y", {2});
    check_refused(m, {"'y_node' (Relu, opset 6)", "reads 'z', which nothing makes"});
  }
}

TEST_CASE("attributes mean something or are refused") {
  OnnxModel m(13);
  m.input("x", {1, 4, 6, 6});
  m.floats("w", {4, 4, 3, 3}, Floats(144, 1.0f));
  SECTION("auto_pad") {
    set_string(m.node("Conv", {"x", "w"}, {"y"}), "auto_pad", "SAME_MIDDLE");
    m.output("y", {-1, -1, -1, -1});
    check_refused(m, {"'y_node' (Conv", "auto_pad", "SAME_MIDDLE", "SAME_UPPER"});
  }
  SECTION("kernel_shape") {
    set_ints(m.node("Conv", {"x", "w"}, {"y"}), "kernel_shape", {5, 5});
    m.output("y", {-1, -1, -1, -1});
    check_refused(m, {"'y_node' (Conv", "kernel_shape", "contradicts"});
  }
  SECTION("kernel of another rank") {
    auto* node = m.node("MaxPool", {"x"}, {"y"});
    set_ints(node, "kernel_shape", {2, 2, 2});
    set_string(node, "auto_pad", "SAME_UPPER");
    m.output("y", {-1, -1, -1, -1});
    check_refused(m, {"'y_node' (MaxPool", "3 dimensions", "rank 4"});
  }
  SECTION("strides") {
    auto* node = m.node("Conv", {"x", "w"}, {"y"});
    set_ints(node, "strides", {0, 1});
    set_string(node, "auto_pad", "SAME_UPPER");
    m.output("y", {-1, -1, -1, -1});
    check_refused(m, {"'y_node' (Conv", "is 0"});
  }
  SECTION("group") {
    set_int(m.node("ConvTranspose", {"x", "w"}, {"y"}), "group", 0);
    m.output("y", {-1, -1, -1, -1});
    check_refused(m, {"'y_node' (ConvTranspose", "group is 0"});
  }
  SECTION("blocks") {
    for (const char* op : {"DepthToSpace", "SpaceToDepth"}) {
      OnnxModel blocks(13);
      blocks.input("x", {1, 4, 6, 6});
      set_int(blocks.node(op, {"x"}, {"y"}), "blocksize", 0);
      blocks.output("y", {-1, -1, -1, -1});
      check_refused(blocks, {op, "blocksize", "is 0"});
    }
  }
  SECTION("perm") {
    for (const Dims& perm : {Dims{0}, Dims{0, 1, 1, 2}, Dims{0, 1, 2, 4}}) {
      OnnxModel moved(13);
      moved.input("x", {1, 4, 6, 6});
      set_ints(moved.node("Transpose", {"x"}, {"y"}), "perm", perm);
      moved.output("y", {-1, -1, -1, -1});
      check_refused(moved, {"'y_node' (Transpose", "4 dimensions once"});
    }
  }
}

TEST_CASE("an operator is checked in opsets that the library does not know") {
  OnnxModel m(28);
  m.input("x", {1, 4});
  m.ints("axes", {1});
  const auto output = [&] { m.output("y", {-1, -1}); };
  SECTION("an attribute that became an input") {
    set_ints(m.node("ReduceMean", {"x"}, {"y"}), "axes", {1});
    output();
    check_refused(m, {"'y_node' (ReduceMean", "axes", "no such attribute"});
  }
  SECTION("of another type") {
    set_string(m.node("ReduceMean", {"x", "axes"}, {"y"}), "keepdims", "no");
    output();
    check_refused(m, {"'y_node' (ReduceMean", "keepdims", "string", "int"});
  }
  SECTION("unknown") {
    set_int(m.node("Relu", {"x"}, {"y"}), "nosuch", 1);
    output();
    check_refused(m, {"'y_node' (Relu", "nosuch"});
  }
  SECTION("too many inputs") {
    m.node("Sub", {"x", "x", "x"}, {"y"});
    output();
    check_refused(m, {"'y_node' (Sub", "3 inputs", "2"});
  }
  SECTION("too few") {
    m.node("Concat", {}, {"y"});
    output();
    check_refused(m, {"'y_node' (Concat", "0 inputs"});
  }
  SECTION("an empty name") {
    m.node("Identity", {""}, {"y"});
    output();
    check_refused(m, {"'y_node' (Identity", "input 0 is missing"});
  }
}

TEST_CASE("a constant that an operator stands for stays in proportion") {
  OnnxModel m(17);
  SECTION("a Fourier transform") {
    m.input("x", {1, 1 << 20, 1});
    m.node("DFT", {"x"}, {"y"});
    m.output("y", {-1, -1, -1});
    check_refused(m, {"'y_node' (DFT", "would make a constant of"});
  }
  SECTION("one of frames") {
    m.input("x", {1, 1 << 20, 1});
    m.ints("step", {1});
    m.ints("length", {1 << 20});
    m.node("STFT", {"x", "step", "", "length"}, {"y"});
    m.output("y", {-1, -1, -1, -1});
    check_refused(m, {"'y_node' (STFT", "would make a constant of"});
  }
  SECTION("a greatest value") {
    m.input("x", {1 << 30});
    m.node("Hardmax", {"x"}, {"y"});
    m.output("y", {-1});
    check_refused(m, {"'y_node' (Hardmax", "would make a constant of"});
  }
}
