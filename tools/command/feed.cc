// SPDX-License-Identifier: Apache-2.0
#include "tools/command/feed.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iostream>
#include <random>
#include <stdexcept>

#include "src/model/model.h"
#include "tools/command/tensor_files.h"
#include "tools/common/printable.h"

namespace medulla::tools {
namespace {

// Where the numbers of an input lie: what its scale can hold, its own or that of the node which
// quantises it; -1 to 1 when nothing says.
std::pair<double, double> range_of(const mdl_graph& graph, int32_t index) {
  const mdl_tensor* tensor = &graph.tensors[index];
  for (size_t n = 0; n < graph.node_count && tensor->quantization.count == 0; ++n) {
    const mdl_node& node = graph.nodes[n];
    if (node.inputs == nullptr || node.input_count == 0 || node.inputs[0] != index) continue;
    if (std::strcmp(node.op, "QuantizeLinear") == 0) tensor = &graph.tensors[node.outputs[0]];
  }
  const auto whole = [&](double least, double most) -> std::pair<double, double> {
    if (tensor->quantization.count == 0) return {least, most};
    const double scale = static_cast<double>(tensor->quantization.scales[0]);
    const double zero = tensor->quantization.zero_points[0];
    return {(least - zero) * scale, (most - zero) * scale};
  };
  switch (tensor->dtype) {
    case MDL_INT8:
      return whole(-128, 127);
    case MDL_UINT8:
      return whole(0, 255);
    case MDL_INT16:
      return whole(-32768, 32767);
    case MDL_BOOL:
      return {0, 1};
    case MDL_FLOAT16:
    case MDL_BFLOAT16:
    case MDL_FLOAT32:
    case MDL_FLOAT64:
      return {-1, 1};
    default:
      return {0, 0};  // indices: 0 is one for sure
  }
}

void set_input(mdl_session* session, size_t index, const std::vector<double>& values) {
  const std::vector<float> narrow(values.begin(), values.end());
  mdl_error error = MDL_ERROR_INIT;
  check(mdl_session_set_input(session, index, narrow.data(), narrow.size(), &error), error);
}

}  // namespace

std::optional<Numbers> read_tensor(const mdl_session* session, const std::string& name) {
  mdl_tensor_info info = MDL_TENSOR_INFO_INIT;
  const void* data = nullptr;
  mdl_error error = MDL_ERROR_INIT;
  if (mdl_session_tensor(session, name.c_str(), &info, &data, &error) != MDL_OK) return {};
  return numbers_of(info, data);
}

std::map<std::string, Numbers> feed(const Engine& engine, const std::vector<std::string>& files,
                                    uint32_t seed) {
  mdl_model* model = engine.model.get();
  mdl_session* session = engine.session.get();
  const std::vector<std::string> missing = load_inputs(model, session, files);
  const std::vector<mdl_tensor_info> inputs = inputs_of(model);
  const mdl_graph& graph = model_graph(*model);
  std::mt19937 random(seed);
  std::map<std::string, Numbers> fed;
  for (size_t i = 0; i < inputs.size(); ++i) {
    Numbers numbers = *read_tensor(session, inputs[i].name);
    if (std::count(missing.begin(), missing.end(), inputs[i].name) > 0) {
      std::cerr << "note: '" << one_line(inputs[i].name)
                << "' has no --input and gets random numbers (--seed " << seed
                << "); they say little of what real data would show\n";
      const auto [least, most] = range_of(graph, graph.inputs[i]);
      for (double& value : numbers.values) {
        value = least + (most - least) * (static_cast<double>(random()) / 4294967296.0);
        if (is_whole(inputs[i].dtype) && inputs[i].quantization.count == 0) {
          value = std::floor(value + 0.5);
        }
      }
      set_input(session, i, numbers.values);
      numbers = *read_tensor(session, inputs[i].name);
    }
    fed[inputs[i].name] = std::move(numbers);
  }
  return fed;
}

void feed_like(const Engine& engine, const std::map<std::string, Numbers>& fed) {
  const std::vector<mdl_tensor_info> inputs = inputs_of(engine.model.get());
  std::vector<const int64_t*> dims(inputs.size(), nullptr);
  std::vector<std::vector<int64_t>> shapes(inputs.size());
  std::vector<std::vector<double>> values(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const auto found = fed.find(inputs[i].name);
    if (found == fed.end()) continue;
    std::vector<int64_t> to(inputs[i].dims, inputs[i].dims + inputs[i].rank);
    for (uint32_t d = 0; d < inputs[i].rank && d < found->second.shape.size(); ++d) {
      if ((inputs[i].dynamic >> d & 1) != 0) to[d] = found->second.shape[d];
    }
    const auto perms = layouts_between(found->second.shape, to);
    if (perms.empty()) {
      throw std::runtime_error("input '" + found->first + "' has another shape in the two models");
    }
    values[i] = permuted(found->second, perms[0]);
    shapes[i] = to;
    dims[i] = shapes[i].data();
  }
  mdl_error error = MDL_ERROR_INIT;
  check(mdl_session_resize(engine.session.get(), dims.data(), dims.size(), &error), error);
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (dims[i] != nullptr) set_input(engine.session.get(), i, values[i]);
  }
}

}  // namespace medulla::tools
