// SPDX-License-Identifier: Apache-2.0
// IF and WHILE. Their subgraphs become bodies: a constant that is handed to one is taken over, and
// so is a loop variable that its body hands on as it is.
#include <optional>

#include "tools/import/boundary.h"
#include "tools/import/tflite_ops.h"
#include "tools/passes/rewriter.h"

namespace medulla::tools {
namespace {

// A loader takes no more bodies in one another.
constexpr int kMaxDepth = 4;
// A few small subgraphs that call each other can grow to any number of operators.
constexpr size_t kMostOperators = 100000;

// Gives the subgraph tensors of its own graph, one an input.
void give(TfliteScope& inside, const std::vector<int32_t>& given) {
  const std::vector<int32_t> inputs = ids(inside.subgraph.inputs());
  if (inputs.size() != given.size()) {
    refuse("its subgraph takes " + std::to_string(inputs.size()) + " inputs, is given " +
           std::to_string(given.size()));
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& tensor = inside.build.tensor(given[i]);
    const Tensor declared = inside.declared(inputs[i]);
    if (tensor.dtype != declared.dtype || tensor.quantization != declared.quantization) {
      refuse("its subgraph takes '" + inside.name_of(inputs[i]) + "' as " +
             mdl_dtype_name(declared.dtype) + ", is given " + mdl_dtype_name(tensor.dtype) +
             " or other scales");
    }
    inside.values[static_cast<size_t>(inputs[i])].stored = given[i];
  }
}

// Appends what the subgraph computes; returns its outputs.
std::vector<int32_t> compute(TfliteScope& inside) {
  const size_t refusals = inside.report.refusals.size();
  const std::string name = inside.build.name();
  convert_operators(inside);
  if (inside.report.refusals.size() > refusals) throw BodyRefused{};
  if (!inside.states.empty()) {
    refuse("its subgraph has a variable", "read and assign it in the main graph");
  }
  inside.build.set_name(name);
  std::vector<int32_t> results;
  for (const int32_t id : ids(inside.subgraph.outputs())) results.push_back(inside.result(id));
  return results;
}

std::vector<int32_t> call(const TfliteNode& node, int32_t index, Graph& graph,
                          const std::vector<int32_t>& given, const std::string& part) {
  TfliteScope inside = called_by(node, index, graph, part);
  give(inside, given);
  inside.build.set_name(node.build.name());
  return compute(inside);
}

ImportedBody add_body(const TfliteNode& node, const std::string& name) {
  Bodies& bodies = node.scope.calls.bodies;
  Graph& graph = *bodies.emplace_back(std::make_unique<Graph>());
  graph.name = name;
  return {static_cast<uint32_t>(bodies.size()), &graph, {}};
}

// What stands in the body for a tensor around it: a constant, or an input.
int32_t captured(const Builder& outside, int32_t t, ImportedBody& body,
                 std::map<int32_t, int32_t>& known) {
  const auto [found, is_new] = known.emplace(t, -1);
  if (!is_new) return found->second;
  found->second = body.graph->add_tensor(outside.tensor(t));
  if (!outside.tensor(t).data) {
    body.graph->inputs.push_back(found->second);
    body.captures.push_back(t);
  }
  return found->second;
}

void finish(Graph& body, const std::vector<int32_t>& results) {
  Builder build(body);
  for (size_t o = 0; o < results.size(); ++o) {
    const std::string name = "output " + std::to_string(o);
    build.set_name(name);
    add_output(build, results[o], name);
  }
  body.compact();
  make_names_unique(body);
}

// None where something in it is refused, so that the other one is looked at too.
std::optional<ImportedBody> add_branch(const TfliteNode& node, const char* part, int32_t index,
                                       const std::vector<int32_t>& given) {
  ImportedBody body = add_body(node, node.build.name() + part);
  std::map<int32_t, int32_t> known;
  std::vector<int32_t> inputs;
  for (const int32_t t : given) inputs.push_back(captured(node.build, t, body, known));
  try {
    finish(*body.graph, call(node, index, *body.graph, inputs, part));
  } catch (const BodyRefused&) {
    return std::nullopt;
  }
  return body;
}

void set_all(const TfliteNode& node, const std::vector<int32_t>& results) {
  if (results.size() != node.output_count()) {
    refuse("its subgraph makes " + std::to_string(results.size()) + " outputs, should make " +
           std::to_string(node.output_count()));
  }
  for (size_t o = 0; o < results.size(); ++o) {
    // What is behind is no longer what the file declares.
    node.scope.shapes_vary |= !node.build.is_static(results[o]);
    node.set(o, results[o]);
  }
}

}  // namespace

TfliteScope called_by(const TfliteNode& node, int32_t index, Graph& graph,
                      const std::string& part) {
  const TfliteScope& outer = node.scope;
  const auto* subgraphs = outer.file.model().subgraphs();
  if (index < 1 || static_cast<uint32_t>(index) >= subgraphs->size()) {
    refuse(
        "calls subgraph " + std::to_string(index) + " of " + std::to_string(subgraphs->size()) +
            (index == 0 ? ", the main one, in which it stands" : ", which the file does not have"),
        "export the model again");
  }
  const tflite::SubGraph& subgraph = *subgraphs->Get(static_cast<uint32_t>(index));
  if (outer.depth == kMaxDepth) {
    refuse("its subgraph stands in " + std::to_string(kMaxDepth) + " others",
           "flatten the innermost");
  }
  outer.calls.operators += subgraph.operators() == nullptr ? 0 : subgraph.operators()->size();
  if (outer.calls.operators > kMostOperators) {
    refuse("its subgraphs make more than " + std::to_string(kMostOperators) + " operators",
           "export the model without subgraphs that call each other");
  }
  TfliteScope inside(outer.file, subgraph, outer.report, outer.calls, graph);
  inside.depth = outer.depth + 1;
  inside.place = outer.place + node.build.name() + part + "/";
  inside.shapes_vary = outer.shapes_vary;
  const std::string name = "subgraph " + std::to_string(index);
  for (const auto* list : {subgraph.inputs(), subgraph.outputs()}) {
    for (const int32_t id : ids(list)) {
      if (id >= 0 && static_cast<size_t>(id) < inside.values.size()) continue;
      refuse(name + " names tensor " + std::to_string(id) + " of " +
             std::to_string(inside.values.size()) + " as input or output");
    }
  }
  return inside;
}

void convert_if(TfliteNode& node) {
  const auto& options = node.options<tflite::IfOptions>();
  std::vector<int32_t> given;
  for (size_t i = 1; i < node.input_count(); ++i) given.push_back(node.stored(i));
  const Tensor& condition = node.build.tensor(node.stored(0));
  if (condition.data) {
    const int32_t taken = is_true(condition) ? options.then_subgraph() : options.else_subgraph();
    return set_all(node, call(node, taken, node.build.graph(), given, ""));
  }
  const auto yes = add_branch(node, ".then", options.then_subgraph(), given);
  const auto no = add_branch(node, ".else", options.else_subgraph(), given);
  if (!yes || !no) throw BodyRefused{};
  set_all(node, add_if(node.build, node.stored(0), *yes, *no));
}

// The condition is asked in front of the loop, and at the end of its body.
void convert_while(TfliteNode& node) {
  const auto& options = node.options<tflite::WhileOptions>();
  Builder& build = node.build;
  const std::string name = build.name();
  std::vector<int32_t> start;
  for (size_t i = 0; i < node.input_count(); ++i) start.push_back(node.stored(i));
  LoopParts parts;
  parts.body = add_body(node, name + ".body");
  Graph& body = *parts.body.graph;
  Builder inner(body);
  body.inputs = {inner.add_tensor(one_element("iteration", MDL_INT64)),
                 inner.add_tensor(one_element("condition", MDL_BOOL))};

  TfliteScope inside = called_by(node, options.body_subgraph(), body, ".body");
  const std::vector<int32_t> inputs = ids(inside.subgraph.inputs());
  const std::vector<int32_t> outputs = ids(inside.subgraph.outputs());
  if (inputs.size() != start.size() || outputs.size() != start.size()) {
    refuse("its body takes " + std::to_string(inputs.size()) + " variables and makes " +
           std::to_string(outputs.size()) + ", should take and make " +
           std::to_string(start.size()));
  }
  std::vector<int32_t> variables(start.size());
  for (size_t i = 0; i < start.size(); ++i) {
    if (outputs[i] == inputs[i]) continue;
    parts.carried.push_back(start[i]);
    variables[i] = inner.add_tensor(type_of(build.tensor(start[i])));
    body.inputs.push_back(variables[i]);
  }
  std::map<int32_t, int32_t> known;
  for (size_t i = 0; i < start.size(); ++i) {
    if (outputs[i] == inputs[i]) variables[i] = captured(build, start[i], parts.body, known);
  }
  give(inside, variables);
  inside.build.set_name(name);
  const std::vector<int32_t> made = compute(inside);

  const auto asked = [&](Graph& graph, const std::vector<int32_t>& given) {
    const std::vector<int32_t> answer =
        call(node, options.cond_subgraph(), graph, given, ".condition");
    if (answer.size() != 1) refuse("its condition makes more than one output");
    return answer[0];
  };
  parts.condition = asked(build.graph(), start);
  std::vector<int32_t> results = {asked(body, made)};
  for (size_t i = 0; i < start.size(); ++i) {
    if (outputs[i] != inputs[i]) results.push_back(made[i]);
  }
  finish(body, results);
  build.set_name(name);
  node.scope.calls.loops.insert(name);
  parts.limit = bound_of(node.scope.calls.options, {name});
  parts.conditional = true;
  parts.early = true;
  std::vector<int32_t> ends = add_loop(build, std::move(parts));
  std::vector<int32_t> all = start;
  for (size_t i = 0, c = 0; i < all.size(); ++i) {
    if (outputs[i] != inputs[i]) all[i] = ends[c++];
  }
  set_all(node, all);
}

}  // namespace medulla::tools
