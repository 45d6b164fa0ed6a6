// SPDX-License-Identifier: Apache-2.0
#include "tools/passes/builder.h"

#include <algorithm>

#include "tools/passes/frame.h"

namespace medulla::tools {

Dims to_channels_last_perm(size_t rank) {
  Dims perm = {0};
  for (size_t d = 2; d < rank; ++d) perm.push_back(static_cast<int64_t>(d));
  perm.push_back(1);
  return perm;
}

Dims to_channels_first_perm(size_t rank) { return invert(to_channels_last_perm(rank)); }

Dims invert(const Dims& perm) {
  Dims inverse(perm.size());
  for (size_t d = 0; d < perm.size(); ++d) {
    inverse.at(static_cast<size_t>(perm[d])) = static_cast<int64_t>(d);
  }
  return inverse;
}

bool is_identity(const Dims& perm) { return std::is_sorted(perm.begin(), perm.end()); }

int32_t Builder::add(const std::string& op, std::vector<int32_t> inputs, Attributes attributes) {
  return add_typed(op, std::move(inputs), std::move(attributes), MDL_DTYPE_NONE);
}

int32_t Builder::add_typed(const std::string& op, std::vector<int32_t> inputs,
                           Attributes attributes, mdl_dtype dtype,
                           std::optional<Quantization> quantization) {
  Tensor out;
  out.name = name_;
  out.dtype = dtype;
  out.quantization = std::move(quantization);
  const int32_t id = add_tensor(std::move(out));
  append({name_, op, 1, std::move(attributes), std::move(inputs), {id}});
  return id;
}

int32_t Builder::add_like(const std::string& op, std::vector<int32_t> inputs,
                          Attributes attributes) {
  const mdl_dtype dtype = tensor(inputs[0]).dtype;
  auto quantization = tensor(inputs[0]).quantization;
  return add_typed(op, std::move(inputs), std::move(attributes), dtype, std::move(quantization));
}

int32_t Builder::concat(std::vector<int32_t> parts, int64_t axis) {
  constexpr size_t kMost = 256;  // the operator's rule
  while (parts.size() > kMost) {
    std::vector<int32_t> wider;
    for (size_t at = 0; at < parts.size(); at += kMost) {
      const auto first = parts.begin() + static_cast<ptrdiff_t>(at);
      const auto count = std::min(kMost, parts.size() - at);
      const std::vector<int32_t> few(first, first + static_cast<ptrdiff_t>(count));
      wider.push_back(
          add_beside(".part", "Concat", few, {{"axis", axis}}, tensor(few[0]).quantization));
    }
    parts = std::move(wider);
  }
  return add_like("Concat", std::move(parts), {{"axis", axis}});
}

std::vector<int32_t> Builder::add_many(const std::string& op, std::vector<int32_t> inputs,
                                       Attributes attributes, const std::vector<bool>& wanted) {
  std::vector<int32_t> ids;
  for (const bool want : wanted) {
    Tensor out;
    out.name = name_;
    ids.push_back(want ? add_tensor(std::move(out)) : -1);
  }
  append({name_, op, 1, std::move(attributes), std::move(inputs), ids});
  return ids;
}

bool Builder::append(Node node) {
  std::string why = infer_outputs(graph_, node);
  if (!why.empty()) throw BuildError(why);
  bool constant = node.op != "DequantizeLinear" && is_worth_running(graph_, node);
  for (const int32_t id : node.inputs) constant &= id < 0 || tensor(id).data != nullptr;
  if (constant && node.attributes.count("body") == 0) {
    why = run_node(graph_, node);
    if (why.empty()) return false;
    const Op* op = find_op(node.op.c_str());
    if (op == nullptr || op->found == nullptr) throw BuildError(why);
  }
  graph_.nodes.push_back(std::move(node));
  return true;
}

// The name itself is left to the node that this one serves.
int32_t Builder::add_beside(const char* suffix, const std::string& op, std::vector<int32_t> inputs,
                            Attributes attributes, std::optional<Quantization> quantization) {
  const std::string name = name_;
  const mdl_dtype dtype = tensor(inputs[0]).dtype;
  name_ += suffix;
  const int32_t id =
      add_typed(op, std::move(inputs), std::move(attributes), dtype, std::move(quantization));
  name_ = name;
  return id;
}

int32_t Builder::transpose(int32_t id, const Dims& perm) {
  Dims sorted = perm;
  std::sort(sorted.begin(), sorted.end());
  bool valid = sorted.size() == dims(id).size();
  for (size_t d = 0; valid && d < sorted.size(); ++d) valid = sorted[d] == static_cast<int64_t>(d);
  if (!valid) {
    throw BuildError("the permutation should name each of " + std::to_string(rank(id)) +
                     " dimensions once");
  }
  if (is_identity(perm)) return id;
  auto quantization = tensor(id).quantization;
  if (quantization && quantization->scales.size() > 1) {
    quantization->axis =
        static_cast<int32_t>(invert(perm)[static_cast<size_t>(quantization->axis)]);
  }
  return add_beside(".transpose", "Transpose", {id}, {{"perm", perm}}, quantization);
}

int32_t Builder::reshape(int32_t id, const Dims& shape) {
  if (shape == dims(id)) return id;
  const auto& quantization = tensor(id).quantization;
  if (quantization && quantization->scales.size() > 1) {
    throw BuildError("a reshape of a tensor that is quantized per channel");
  }
  Attributes attributes = {{"shape", shape}};
  if (is_static(id) && std::count(shape.begin(), shape.end(), 0) > 0) {
    attributes["allowzero"] = int64_t{1};
  }
  return add_beside(".reshape", "Reshape", {id}, std::move(attributes), quantization);
}

bool Builder::is_static(int32_t id) const {
  const auto& symbols = tensor(id).symbols;
  return std::all_of(symbols.begin(), symbols.end(), [](const auto& s) { return s.empty(); });
}

}  // namespace medulla::tools
