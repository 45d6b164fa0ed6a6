// SPDX-License-Identifier: Apache-2.0
// Einsum against its definition: a sum over every index.
#include "tests/catch.h"
#include "tests/convert/onnx_model.h"
#include "tests/convert/run_graph.h"

using namespace medulla;
using namespace medulla::tools;

namespace {

using Extents = std::map<char, int64_t>;

size_t offset(const std::string& term, const Extents& extents, const Extents& index) {
  int64_t at = 0;
  for (const char label : term) at = at * extents.at(label) + index.at(label);
  return static_cast<size_t>(at);
}

std::vector<int64_t> dims_of(const std::string& term, const Extents& extents) {
  std::vector<int64_t> dims;
  for (const char label : term) dims.push_back(extents.at(label));
  return dims;
}

size_t count(const std::vector<int64_t>& dims) {
  size_t n = 1;
  for (const int64_t d : dims) n *= static_cast<size_t>(d);
  return n;
}

Floats naive(const std::vector<std::string>& terms, const std::string& output,
             const Extents& extents, const std::vector<Floats>& values) {
  Floats y(count(dims_of(output, extents)), 0.0f);
  Extents index;
  for (const auto& [label, extent] : extents) index[label] = 0;
  for (;;) {
    float product = 1;
    for (size_t i = 0; i < terms.size(); ++i) {
      product *= values[i][offset(terms[i], extents, index)];
    }
    y[offset(output, extents, index)] += product;
    auto at = index.begin();
    for (; at != index.end() && ++at->second == extents.at(at->first); ++at) at->second = 0;
    if (at == index.end()) return y;
  }
}

OnnxModel einsum(const std::string& equation, const std::vector<std::vector<int64_t>>& inputs,
                 const std::vector<int64_t>& output) {
  OnnxModel model(13);
  std::vector<std::string> names;
  for (size_t i = 0; i < inputs.size(); ++i) {
    names.push_back("x" + std::to_string(i));
    model.input(names.back(), inputs[i]);
  }
  model.output("y", output);
  set_string(model.node("Einsum", names, {"y"}), "equation", equation);
  return model;
}

std::string refusal(const std::string& equation, const std::vector<std::vector<int64_t>>& inputs) {
  const Folder folder;
  ConvertReport report;
  import_and_optimize(einsum(equation, inputs, {}).write(folder), report);
  return report.refusals.empty() ? "" : report.refusals[0].text();
}

}  // namespace

TEST_CASE("Einsum is the sum over every index") {
  const Extents all = {{'a', 2}, {'b', 3}, {'c', 4}, {'d', 2}, {'e', 3}, {'f', 2}};
  struct Equation {
    std::vector<std::string> terms;
    std::string output;
  };
  for (const Equation& e : std::initializer_list<Equation>{{{"ab"}, "ba"},
                                                           {{"ab"}, ""},
                                                           {{"abc"}, "c"},
                                                           {{"ac", "cb"}, "ab"},
                                                           {{"ac", "cb"}, "ba"},
                                                           {{"a", "b"}, "ab"},
                                                           {{"ab", "ab"}, "ab"},
                                                           {{"ab", "ab"}, ""},
                                                           {{"abcd", "aecd"}, "abe"},
                                                           {{"abcd", "aced"}, "abce"},
                                                           {{"abc", "abd", "cd"}, "ab"},
                                                           {{"abc", "cde", "eaf"}, "bdf"},
                                                           {{"abcd", "e"}, "adeb"},
                                                           {{"adbd"}, "ba"},
                                                           {{"aba", "ab"}, "b"}}) {
    Extents extents;
    std::vector<std::vector<int64_t>> inputs;
    std::vector<Floats> values;
    std::vector<std::shared_ptr<const Bytes>> feeds;
    std::string equation;
    for (const std::string& term : e.terms) {
      for (const char label : term) extents[label] = all.at(label);
      inputs.push_back(dims_of(term, all));
      values.push_back(
          tools::random_floats(count(inputs.back()), 7 + static_cast<uint32_t>(values.size())));
      feeds.push_back(as_bytes(values.back()));
      equation += (equation.empty() ? "" : ", ") + term;
    }
    equation += " -> " + e.output;
    INFO(equation);
    const Folder folder;
    ConvertReport report;
    const Model model = import_and_optimize(
        einsum(equation, inputs, dims_of(e.output, extents)).write(folder), report);
    INFO((report.refusals.empty() ? "" : report.refusals[0].text()));
    REQUIRE(report.refusals.empty());
    const Floats y = tools::to_floats(run_graph(model.main(), feeds)[0]);
    const Floats expected = naive(e.terms, e.output, extents, values);
    REQUIRE(y.size() == expected.size());
    for (size_t i = 0; i < y.size(); ++i) REQUIRE(y[i] == Approx(expected[i]).margin(1e-4));
  }
}

TEST_CASE("Einsum's ellipsis broadcasts, and is implied in an output that is left out") {
  const Folder folder;
  ConvertReport report;
  const OnnxModel model = einsum("...ij,...jk", {{2, 1, 1, 2}, {3, 2, 1}}, {2, 3, 1, 1});
  const Model result = import_and_optimize(model.write(folder), report);
  REQUIRE(report.refusals.empty());
  const Floats a = {1, 2, 3, 4}, b = {1, 10, 2, 20, 3, 30};
  CHECK(tools::to_floats(run_graph(result.main(), {as_bytes(a), as_bytes(b)})[0]) ==
        Floats{21, 42, 63, 43, 86, 129});
}

TEST_CASE("Einsum says what does not fit") {
  CHECK(refusal("ij,jk->ik", {{2, 2}}).find("more terms than inputs") != std::string::npos);
  CHECK(refusal("ij->ik", {{2, 2}}).find("output's labels") != std::string::npos);
  CHECK(refusal("ij->ii", {{2, 2}}).find("output's labels") != std::string::npos);
  CHECK(refusal("ijk->i", {{2, 2}}).find("does not fit an input of rank 2") != std::string::npos);
  CHECK(refusal("i1->i", {{2, 2}}).find("should be letters") != std::string::npos);
  CHECK(refusal("ii->i", {{2, 3}}).find("two extents") != std::string::npos);
}
