// SPDX-License-Identifier: Apache-2.0
#include "tools/passes/layout.h"

#include <algorithm>
#include <numeric>

namespace medulla::tools {
namespace {

Dims identity(size_t rank) {
  Dims perm(rank);
  std::iota(perm.begin(), perm.end(), 0);
  return perm;
}

bool moves_only_ones(const Dims& dims, const Dims& perm) {
  int64_t last = -1;
  for (const int64_t p : perm) {
    if (dims[static_cast<size_t>(p)] == 1) continue;
    if (p < last) return false;
    last = p;
  }
  return true;
}

std::string symbol(const Tensor& tensor, size_t d) {
  return d < tensor.symbols.size() ? tensor.symbols[d] : "";
}

bool is_one(const Tensor& tensor, size_t d) {
  return tensor.dims[d] == 1 && symbol(tensor, d).empty();
}

// Dimensions of `in` whose product is that of dimensions of `out`; extents of 1 are left out. One
// that varies is alone with its like.
struct Run {
  std::vector<size_t> in, out;
};

std::vector<Run> runs_of(const Tensor& x, const Tensor& y) {
  const Dims &in = x.dims, &out = y.dims;
  std::vector<Run> runs;
  size_t i = 0, o = 0;
  const auto skip = [](const Tensor& tensor, size_t& at) {
    while (at < tensor.dims.size() && is_one(tensor, at)) ++at;
  };
  for (skip(x, i), skip(y, o); i < in.size() && o < out.size(); skip(x, i), skip(y, o)) {
    Run& run = runs.emplace_back();
    if (symbol(x, i) != symbol(y, o)) return {};
    const bool varies = !symbol(x, i).empty();
    int64_t left = in[i], right = out[o];
    run.in.push_back(i++);
    run.out.push_back(o++);
    if (varies && left != right) return {};
    while (left != right) {
      skip(x, i);
      skip(y, o);
      if (left < right && i < in.size() && symbol(x, i).empty()) {
        left *= in[i];
        run.in.push_back(i++);
      } else if (left > right && o < out.size() && symbol(y, o).empty()) {
        right *= out[o];
        run.out.push_back(o++);
      } else {
        return {};
      }
    }
  }
  return runs;
}

}  // namespace

int32_t reshaped(Builder& build, int32_t id, const Dims& wanted, const Symbols& symbols) {
  const Tensor& from = build.tensor(id);
  if (!build.is_static(id) && from.elements() == 0) return -1;  // 0 would copy
  Dims shape = wanted;
  for (size_t d = 0; d < symbols.size(); ++d) {
    if (symbols[d].empty()) continue;
    shape[d] = d < from.symbols.size() && from.symbols[d] == symbols[d] ? 0 : -1;
  }
  if (std::count(shape.begin(), shape.end(), -1) > 1) return -1;
  const bool same = wanted == from.dims && (symbols.empty() || symbols == from.symbols);
  return same ? id : build.reshape(id, shape);
}

Dims compose(const Dims& first, const Dims& second) { return permuted(first, second); }

Layout::Layout(Rewriter& rewrite) : rewrite_(rewrite) {
  for (const Tensor& tensor : rewrite.from.tensors) perms_.push_back(identity(tensor.dims.size()));
}

void Layout::set(int32_t old, int32_t tensor, Dims perm) {
  rewrite_.set(old, tensor);
  set_pending(old, std::move(perm));
}

int32_t Layout::view(int32_t tensor, const Dims& dims, const Symbols& symbols) {
  const auto source = sources_.find(tensor);
  const int32_t from = source == sources_.end() ? tensor : source->second;
  const int32_t to = reshaped(rewrite_.build, from, dims, symbols);
  if (to >= 0 && to != from) sources_[to] = from;
  return to;
}

size_t Layout::transposes() const {
  return static_cast<size_t>(std::count_if(made_.begin(), made_.end(), [&](const auto& made) {
    return !rewrite_.to.is_constant(made.first.first);
  }));
}

int32_t Layout::transposed(int32_t tensor, const Dims& perm) {
  if (is_identity(perm)) return tensor;
  const auto key = std::make_pair(tensor, perm);
  if (const auto found = made_.find(key); found != made_.end()) return found->second;
  Builder& build = rewrite_.build;
  build.set_name(build.tensor(tensor).name);
  int32_t result = -1;
  const auto& quantization = build.tensor(tensor).quantization;
  const bool per_channel = quantization && quantization->scales.size() > 1;
  if (const auto q = integers_.find(tensor); q != integers_.end()) {
    const int32_t integers = transposed(q->second, perm);
    result = build.add("DequantizeLinear", {integers});
    integers_[result] = integers;
  } else if (moves_only_ones(build.dims(tensor), perm) && !per_channel) {
    const Symbols& symbols = build.tensor(tensor).symbols;
    result = view(tensor, permuted(build.dims(tensor), perm),
                  symbols.empty() ? symbols : permuted(symbols, perm));
  }
  if (result < 0) result = build.transpose(tensor, perm);
  return made_[key] = result;
}

int32_t Layout::in_layout(int32_t old, const Dims& wanted) {
  const Tensor& tensor = rewrite_.tensor(old);
  if (tensor.elements() == 1 && tensor.dims.size() <= 1) return plain(old);
  if (tensor.dims.size() == wanted.size()) {
    return transposed(raw(old), compose(perm(old), invert(wanted)));
  }
  // Of lower rank: broadcast from the left, so it gets extents of 1 there first; a constant may
  // lose them again.
  Builder& build = rewrite_.build;
  Dims shape(wanted.size() - tensor.dims.size(), 1);
  shape.insert(shape.end(), tensor.dims.begin(), tensor.dims.end());
  build.set_name(tensor.name);
  const int32_t result = transposed(view(plain(old), shape, {}), invert(wanted));
  if (!tensor.data) return result;
  Dims dims = build.dims(result);
  while (!dims.empty() && dims.front() == 1) dims.erase(dims.begin());
  return build.reshape(result, dims);
}

void Layout::keep(const Node& node) {
  std::vector<int32_t> inputs;
  std::vector<Dims> perms;
  for (const int32_t t : node.inputs) inputs.push_back(t < 0 ? -1 : plain(t));
  for (const int32_t t : node.outputs) {
    perms.push_back(t < 0 ? Dims() : identity(rewrite_.tensor(t).dims.size()));
  }
  emit(node, std::move(inputs), node.attributes, perms);
}

void Layout::emit(const Node& node, std::vector<int32_t> inputs, Attributes attributes,
                  const std::vector<Dims>& perms) {
  Node copy{node.name, node.op, node.version, std::move(attributes), std::move(inputs), {}};
  for (size_t o = 0; o < node.outputs.size(); ++o) {
    const int32_t old = node.outputs[o];
    if (old < 0) {
      copy.outputs.push_back(-1);
      continue;
    }
    Tensor tensor = rewrite_.tensor(old);
    tensor.dims = permuted(tensor.dims, invert(perms[o]));
    if (!tensor.symbols.empty()) tensor.symbols = permuted(tensor.symbols, invert(perms[o]));
    if (tensor.quantization && tensor.quantization->scales.size() > 1) {
      int32_t& axis = tensor.quantization->axis;
      axis = static_cast<int32_t>(perms[o][static_cast<size_t>(axis)]);
    }
    rewrite_.to.tensors.push_back(std::move(tensor));
    const auto id = static_cast<int32_t>(rewrite_.to.tensors.size()) - 1;
    copy.outputs.push_back(id);
    set(old, id, perms[o]);
  }
  if (copy.op == "DequantizeLinear") integers_[copy.outputs[0]] = copy.inputs[0];
  rewrite_.to.nodes.push_back(std::move(copy));
}

void Layout::reshape(const Node& node) {
  const int32_t x = node.inputs[0], y = node.outputs[0];
  const Dims in = rewrite_.tensor(x).dims, out = rewrite_.tensor(y).dims;
  const Symbols symbols = rewrite_.tensor(y).symbols;
  Builder& build = rewrite_.build;
  const auto& quantization = rewrite_.tensor(x).quantization;
  if (quantization && quantization->scales.size() > 1) return keep(node);
  build.set_name(node.name);

  // Runs by where they begin in raw. Each has to be there in one piece, but for its order.
  const Dims p = perm(x);
  std::vector<Run> runs = runs_of(rewrite_.tensor(x), rewrite_.tensor(y));
  const auto first = [&](const Run& run) {
    int64_t least = p[run.in[0]];
    for (const size_t i : run.in) least = std::min(least, p[i]);
    return least;
  };
  std::stable_sort(runs.begin(), runs.end(),
                   [&](const Run& a, const Run& b) { return first(a) < first(b); });
  std::vector<int64_t> begins, ends;
  for (const Run& run : runs) {
    begins.push_back(first(run));
    ends.push_back(begins.back());
    for (const size_t i : run.in) ends.back() = std::max(ends.back(), p[i]);
  }
  bool whole = !runs.empty();
  for (size_t r = 1; r < runs.size(); ++r) whole &= ends[r - 1] < begins[r];
  if (!whole || !pending(x)) {
    const int32_t to = view(plain(x), out, symbols);
    return to < 0 ? keep(node) : set(y, to, identity(out.size()));
  }
  // Raw with each run in its own order; extents of 1 stay behind what they follow.
  const Dims& dims = build.dims(raw(x));
  std::vector<bool> in_run(in.size());
  Dims order;
  const auto take_ones = [&](size_t from) {
    for (size_t d = from; d < dims.size() && !in_run[d]; ++d) {
      order.push_back(static_cast<int64_t>(d));
    }
  };
  for (const Run& run : runs) {
    for (const size_t i : run.in) in_run[static_cast<size_t>(p[i])] = true;
  }
  take_ones(0);
  for (const Run& run : runs) {
    for (const size_t i : run.in) {
      order.push_back(p[i]);
      take_ones(static_cast<size_t>(p[i]) + 1);
    }
  }
  // The new raw shape: the runs' outputs, each extent of 1 behind what it follows in the old one.
  std::vector<size_t> placed;
  const auto place_ones = [&](size_t from) {
    for (size_t o = from; o < out.size() && is_one(rewrite_.tensor(y), o); ++o) {
      placed.push_back(o);
    }
  };
  place_ones(0);
  for (const Run& run : runs) {
    for (const size_t o : run.out) {
      placed.push_back(o);
      place_ones(o + 1);
    }
  }
  Dims shape, back(out.size());
  Symbols shape_symbols;
  for (size_t i = 0; i < placed.size(); ++i) {
    shape.push_back(out[placed[i]]);
    if (!symbols.empty()) shape_symbols.push_back(symbols[placed[i]]);
    back[placed[i]] = static_cast<int64_t>(i);
  }
  const int32_t to = view(transposed(raw(x), order), shape, shape_symbols);
  if (to < 0) return keep(node);
  set(y, to, back);
}

}  // namespace medulla::tools
