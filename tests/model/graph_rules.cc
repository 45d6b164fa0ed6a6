// SPDX-License-Identifier: Apache-2.0
// Each rule of a model's graph, broken.
#include <cmath>
#include <limits>

#include "tests/model/rules.h"

namespace medulla::test {

TEST_CASE("Rules of tensors") {
  header_refused("tensor 0: has no name", [](Header& h) { h.graphs[0]->tensors[0]->name = ""; });
  header_refused("tensor 0: its name is no text",
                 [](Header& h) { h.graphs[0]->tensors[0]->name = std::string("a\0b", 3); });
  header_refused("tensor 'x': dtype is 0",
                 [](Header& h) { tensor_of(h, "x").dtype = format::DataType::None; });
  header_refused("tensor 'x': dtype is 16",
                 [](Header& h) { tensor_of(h, "x").dtype = static_cast<format::DataType>(16); });
  header_refused("tensor 'x': rank is 9", [](Header& h) {
    tensor_of(h, "x").dims.assign(9, 1);
    tensor_of(h, "x").symbols.clear();
  });
  header_refused("tensor 'x': dimension 0 is -4",
                 [](Header& h) { tensor_of(h, "x").dims[0] = -4; });
  header_refused("tensor 'x': its shape overflows at dimension 1", [](Header& h) {
    tensor_of(h, "x").dims = {int64_t{1} << 40, int64_t{1} << 40};
  });
  header_refused("tensor 'x': its shape overflows at dimension 2", [](Header& h) {
    tensor_of(h, "x").dims = {int64_t{1} << 40, 0, int64_t{1} << 40};
    tensor_of(h, "x").symbols.clear();
  });
  header_refused(
      "tensor 'x': takes 4503599627370496 bytes, the limit is 1099511627776",
      [](Header& h) {
        tensor_of(h, "x").dims = {int64_t{1} << 50, 0};
      },
      MDL_ERROR_LIMIT);
  header_refused(
      "tensor 'x': takes 4503599627370496 bytes, the limit is 1099511627776",
      [](Header& h) {
        tensor_of(h, "x").dims = {int64_t{1} << 30, int64_t{1} << 20};
      },
      MDL_ERROR_LIMIT);
  header_refused("tensor 'x': has 1 symbols, should have 0 or 2",
                 [](Header& h) { tensor_of(h, "x").symbols.pop_back(); });
  header_refused("tensor 'x': symbol 0 is no text",
                 [](Header& h) { tensor_of(h, "x").symbols[0] = "\xFF"; });
  header_refused("dimension 'n' is at most 4 in tensor",
                 [](Header& h) { tensor_of(h, "grown").symbols[0] = "n"; });
  header_refused("tensor 'w': two tensors have this name",
                 [](Header& h) { tensor_of(h, "v").name = "w"; });
  header_refused("tensor 'w': is no constant, no input, no state, and no node makes it",
                 [](Header& h) {
                   tensor_of(h, "w").buffer = 0;
                   node_of(h, "shifted").inputs.pop_back();
                   node_of(h, "shifted").inputs.push_back(index_of(h, "v"));
                 });
}

TEST_CASE("Rules of constants") {
  header_refused("tensor 'w': its constant is buffer 3 (from 1), the file has 2",
                 [](Header& h) { tensor_of(h, "w").buffer = 3; });
  header_refused("tensor 'w': its constant is buffer 1 of 12 bytes, the shape needs 16",
                 [](Header& h) { tensor_of(h, "w").dims[0] = 4; });
  header_refused("tensor 'w': its constant is buffer 1 of 12 bytes, the shape needs 6",
                 [](Header& h) { tensor_of(h, "w").dtype = format::DataType::Float16; });
  header_refused("tensor 'w': its constant is buffer 1 of 12 bytes, the shape needs 2",
                 [](Header& h) { tensor_of(h, "w").dtype = format::DataType::Int4; });
  header_refused("tensor 'w': its constant is buffer 1 of 12 bytes, the shape needs 0",
                 [](Header& h) { tensor_of(h, "w").dims[0] = 0; });
  header_refused("tensor 'w': is a constant and its dimension 0 is dynamic",
                 [](Header& h) { tensor_of(h, "w").symbols = {"m"}; });
}

TEST_CASE("Rules of quantization") {
  const auto q = [](Header& h) -> format::QuantizationT& {
    return *tensor_of(h, "q").quantization;
  };
  for (float scale : {0.0f, -1.0f, std::nanf(""), std::numeric_limits<float>::infinity(),
                      std::numeric_limits<float>::denorm_min()}) {
    header_refused("tensor 'q': scale 0 is ", [&](Header& h) { q(h).scales = {scale}; });
  }
  header_refused("tensor 'q': zero point 0 is 128, should be from -128 to 127",
                 [&](Header& h) { q(h).zero_points = {128}; });
  header_refused("tensor 'q': zero point 0 is -1, should be from 0 to 255", [&](Header& h) {
    tensor_of(h, "q").dtype = format::DataType::UInt8;
    q(h).zero_points = {-1};
  });
  header_refused("tensor 'q': has 0 zero points, should have 1",
                 [&](Header& h) { q(h).zero_points.clear(); });
  header_refused("tensor 'q': has 3 scales, should have 1, or 2", [&](Header& h) {
    q(h).scales = {1, 1, 1};
    q(h).zero_points = {0, 0, 0};
  });
  header_refused("tensor 'q': has 0 scales", [&](Header& h) {
    q(h).scales.clear();
    q(h).zero_points.clear();
  });
  header_refused("tensor 'q': has 0 scales, should have 1, or 0", [&](Header& h) {
    tensor_of(h, "q").dims = {0};
    q(h).scales.clear();
    q(h).zero_points.clear();
  });
  header_refused("tensor 'q': has 2 scales along dimension 0, which is dynamic", [&](Header& h) {
    q(h).scales = {1, 1};
    q(h).zero_points = {0, 0};
    tensor_of(h, "q").symbols = {"m"};
  });
  header_refused("tensor 'q': quantization axis is 1, should be from 0 to 0",
                 [&](Header& h) { q(h).axis = 1; });
  header_refused("tensor 'q': quantization axis is -1", [&](Header& h) { q(h).axis = -1; });
  header_refused("tensor 'x': is float32 and has a quantization", [](Header& h) {
    tensor_of(h, "x").quantization = std::make_unique<format::QuantizationT>();
  });
}

TEST_CASE("Rules of inputs and outputs") {
  header_refused("input 0 is tensor -1, should be from 0 to",
                 [](Header& h) { h.graphs[0]->inputs[0] = -1; });
  header_refused("input 1 is tensor 99", [](Header& h) { h.graphs[0]->inputs[1] = 99; });
  header_refused("input 2 ('w') is also a constant",
                 [](Header& h) { h.graphs[0]->inputs.push_back(index_of(h, "w")); });
  header_refused("input 2 ('x') is also an input",
                 [](Header& h) { h.graphs[0]->inputs.push_back(index_of(h, "x")); });
  header_refused("node 'sum' (Add): output 0 ('sum') is also an input",
                 [](Header& h) { h.graphs[0]->inputs.push_back(index_of(h, "sum")); });
  header_refused("output 0 is tensor 99", [](Header& h) { h.graphs[0]->outputs[0] = 99; });
  header_refused("output 0 ('x') is an input, should be made by a node",
                 [](Header& h) { h.graphs[0]->outputs[0] = index_of(h, "x"); });
  header_refused("output 2 ('turned') is also another output",
                 [](Header& h) { h.graphs[0]->outputs.push_back(index_of(h, "turned")); });
  header_refused("the main graph has no output", [](Header& h) { h.graphs[0]->outputs.clear(); });
}

TEST_CASE("Rules of nodes") {
  header_refused("node 'sum' (Add): input 1 is tensor 99",
                 [](Header& h) { node_of(h, "sum").inputs[1] = 99; });
  header_refused("node 'sum' (Add): output 0 is tensor -2",
                 [](Header& h) { node_of(h, "sum").outputs[0] = -2; });
  header_refused("node 'sum' (Add): input 1 ('turned') should be",
                 [](Header& h) { node_of(h, "sum").inputs[1] = index_of(h, "turned"); });
  header_refused("node 'shifted' (Add): output 0 ('sum') is also made by another node",
                 [](Header& h) { node_of(h, "shifted").outputs[0] = index_of(h, "sum"); });
  header_refused("node 'turned' (Transpose): output 0 ('w') is also a constant",
                 [](Header& h) { node_of(h, "turned").outputs[0] = index_of(h, "w"); });
  header_refused("node 0: its name is no text",
                 [](Header& h) { h.graphs[0]->nodes[0]->name = "\x80"; });
  header_refused(
      "node 'sum' (Nothing): no operator of this name is known",
      [](Header& h) { node_of(h, "sum").op = "Nothing"; }, MDL_ERROR_UNSUPPORTED);
  header_refused(
      "node 'sum' (Add): operator version 2 is not known",
      [](Header& h) { node_of(h, "sum").version = 2; }, MDL_ERROR_VERSION);
  header_refused("node 'sum' (Add): input 1 is left out",
                 [](Header& h) { node_of(h, "sum").inputs[1] = -1; });
  header_refused("node 'sum' (Add): has 1 inputs",
                 [](Header& h) { node_of(h, "sum").inputs.pop_back(); });
  header_refused("node 'turned' (Transpose): output 'turned' is declared [4,3]", [](Header& h) {
    tensor_of(h, "turned").dims = {4, 3};
    tensor_of(h, "turned").symbols.clear();
  });
  header_refused("node 'kept' (Identity): ",
                 [](Header& h) { tensor_of(h, "kept").dtype = format::DataType::UInt8; });
}

TEST_CASE("Rules of attributes") {
  const auto perm = [](Header& h) -> format::AttributeT& {
    return *node_of(h, "turned").attributes[0];
  };
  header_refused("node 'turned' (Transpose): attribute 'perm' has type 7",
                 [&](Header& h) { perm(h).type = static_cast<format::AttributeType>(7); });
  header_refused("attribute 'perm' holds values of more than its own type",
                 [&](Header& h) { perm(h).i = 1; });
  header_refused("attribute 'perm' holds values of more than its own type",
                 [&](Header& h) { perm(h).s = "x"; });
  header_refused("attribute 'perm' holds values of more than its own type",
                 [&](Header& h) { perm(h).type = format::AttributeType::Int; });
  header_refused("attribute 'perm' holds no string", [&](Header& h) {
    perm(h).type = format::AttributeType::String;
    perm(h).ints.clear();
  });
  header_refused("node 'turned': attribute 'perm' is no text", [&](Header& h) {
    perm(h).type = format::AttributeType::String;
    perm(h).ints.clear();
    perm(h).s = "\xED\xA0\x80";
  });
  header_refused("node 'turned': attribute 'perm': string 1 is no text", [&](Header& h) {
    perm(h).type = format::AttributeType::Strings;
    perm(h).ints.clear();
    perm(h).strings = {"fine", "\xF5"};
  });
  header_refused("attribute 'perm' has type string, should be ints", [&](Header& h) {
    perm(h).type = format::AttributeType::String;
    perm(h).ints.clear();
    perm(h).s = "fine";
  });
  header_refused("attribute 'body' is graph 0, should be above the node's own, 0, and below 1",
                 [&](Header& h) {
                   perm(h).name = "body";
                   perm(h).ints.clear();
                   perm(h).type = format::AttributeType::Graph;
                 });
  header_refused("attribute 'perm' stands twice", [&](Header& h) {
    node_of(h, "turned").attributes.push_back(std::make_unique<format::AttributeT>());
    format::AttributeT& second = *node_of(h, "turned").attributes.back();
    second.name = "perm";
    second.type = format::AttributeType::Ints;
    second.ints = {1, 0};
  });
}

TEST_CASE("Rules of states") {
  const auto state = [](Header& h, size_t s) -> format::StateT& { return *h.graphs[0]->states[s]; };
  header_refused("state 0: names tensor -1", [&](Header& h) { state(h, 0).tensor = -1; });
  header_refused("state 1: names tensor 99", [&](Header& h) { state(h, 1).written = 99; });
  header_refused("state 0 ('replaced'): kind is 2",
                 [&](Header& h) { state(h, 0).kind = static_cast<format::StateKind>(2); });
  header_refused("state 0 ('w'): the tensor is also a constant",
                 [&](Header& h) { state(h, 0).tensor = index_of(h, "w"); });
  header_refused("state 0 ('x'): the tensor is also an input",
                 [&](Header& h) { state(h, 0).tensor = index_of(h, "x"); });
  header_refused("state 1 ('replaced'): the tensor is also another state's",
                 [&](Header& h) { state(h, 1).tensor = index_of(h, "replaced"); });
  header_refused("node 'turned' (Transpose): output 0 ('turned') is also a state", [&](Header& h) {
    state(h, 1).tensor = index_of(h, "turned");
    state(h, 1).axis = 1;
  });
  header_refused("state 0 ('replaced'): is written from 'x', which should be made by a node",
                 [&](Header& h) { state(h, 0).written = index_of(h, "x"); });
  header_refused("state 0 ('replaced'): is [4,3], 'turned', which is written to it, is [3,4]",
                 [&](Header& h) { state(h, 0).written = index_of(h, "turned"); });
  header_refused("state 0 ('replaced'): is float32, 'kept', which is written to it, is int8",
                 [&](Header& h) { state(h, 0).written = index_of(h, "kept"); });
  header_refused("tensor 'replaced': its initial value is buffer 1 of 12 bytes, the shape needs 48",
                 [&](Header& h) { state(h, 0).initial = 1; });
  header_refused("state 1 ('grown'): has an initial value",
                 [&](Header& h) { state(h, 1).initial = 1; });
  header_refused("state 1 ('grown'): axis is 2, should be from 0 to below 2",
                 [&](Header& h) { state(h, 1).axis = 2; });
  header_refused("state 1 ('grown'): grows along dimension 1, which should be dynamic",
                 [&](Header& h) { state(h, 1).axis = 1; });
  header_refused("state 1 ('grown'): is int4; a state that grows should have values of whole bytes",
                 [&](Header& h) { tensor_of(h, "grown").dtype = format::DataType::Int4; });
  header_refused("state 1 ('grown'): is [3,3], 'more', which is written to it, is [4,3]",
                 [&](Header& h) { tensor_of(h, "grown").dims[0] = 3; });
}

TEST_CASE("Rules of bodies") {
  const auto add_body = [](Header& h) -> format::GraphT& {
    h.graphs.push_back(std::make_unique<format::GraphT>());
    h.graphs.back()->name = "body";
    format::GraphT& body = *h.graphs.back();
    for (const char* name : {"x", "y"}) {
      body.tensors.push_back(std::make_unique<format::TensorT>());
      body.tensors.back()->name = name;
      body.tensors.back()->dtype = format::DataType::Float32;
    }
    body.nodes.push_back(std::make_unique<format::NodeT>());
    body.nodes[0]->name = "y";
    body.nodes[0]->op = "Identity";
    body.nodes[0]->inputs = {0};
    body.nodes[0]->outputs = {1};
    body.inputs = {0};
    body.outputs = {1};
    return body;
  };
  opens(change_header(whole(), [&](Header& h) { add_body(h); }), MDL_OK, "");
  header_refused("graph 1: output 0 is tensor 2", [&](Header& h) { add_body(h).outputs[0] = 2; });
  header_refused("graph 1: output 0 ('x') is an input, should be made by a node",
                 [&](Header& h) { add_body(h).outputs[0] = 0; });
  header_refused("graph 1: has no output", [&](Header& h) { add_body(h).outputs.clear(); });
  header_refused("graph 1: has states, which only the main graph has", [&](Header& h) {
    add_body(h).states.push_back(std::make_unique<format::StateT>());
  });
  header_refused("graph 1: its name is no text", [&](Header& h) { add_body(h).name = "\xFE"; });
}

}  // namespace medulla::test
