// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_TESTS_CONVERT_IMPORTED_H_
#define MEDULLA_TESTS_CONVERT_IMPORTED_H_

#include "tests/catch.h"
#include "tests/convert/onnx_model.h"
#include "tests/convert/run_graph.h"

namespace medulla::tools {

// What an OnnxModel or a TfliteModel becomes; without `report` nothing may be refused.
template <class Source>
Model imported(const Source& model, ConvertReport* report = nullptr,
               const std::map<std::string, int64_t>& maxima = {}) {
  const Folder folder;
  ConvertOptions options = model.write(folder);
  options.maxima = maxima;
  ConvertReport own;
  Model result = import_and_optimize(options, report != nullptr ? *report : own);
  for (const Refusal& refusal : own.refusals) UNSCOPED_INFO(refusal.text());
  if (report == nullptr) REQUIRE(own.refusals.empty());
  return result;
}

// The only output, for float inputs of counted values 0, 1, 2, ...
template <class Source>
Floats run_counted(const Source& model) {
  const Model result = imported(model);
  const Graph& graph = result.main();
  std::vector<std::shared_ptr<const Bytes>> inputs;
  for (const int32_t t : graph.inputs) {
    Floats x(graph.tensors[static_cast<size_t>(t)].elements());
    for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
    inputs.push_back(as_bytes(x));
  }
  return tools::to_floats(run_graph(graph, inputs)[0]);
}

}  // namespace medulla::tools

#endif  // MEDULLA_TESTS_CONVERT_IMPORTED_H_
