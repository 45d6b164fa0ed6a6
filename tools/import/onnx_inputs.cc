// SPDX-License-Identifier: Apache-2.0
// The inputs of an ONNX graph: their extents, and values that the options give.
#include <algorithm>

#include "tools/import/dimensions.h"
#include "tools/import/onnx_importer.h"

namespace medulla::tools {

// An input whose value is given is a constant from here on.
void OnnxImporter::fix_inputs(const onnx::GraphProto& graph) {
  for (const auto& [name, array] : options_.fixed) {
    const auto input =
        std::find_if(graph.input().begin(), graph.input().end(),
                     [&, n = std::cref(name)](const auto& i) { return i.name() == n.get(); });
    try {
      if (input == graph.input().end()) refuse("is not an input of the graph");
      Tensor tensor;
      tensor.name = name;
      tensor.dtype = onnx_dtype(input->type().tensor_type().elem_type());
      tensor.dims = array.shape;
      if (array.dtype != tensor.dtype) {
        refuse(std::string("is fixed to values of dtype ") + mdl_dtype_name(array.dtype) +
               ", should be " + mdl_dtype_name(tensor.dtype));
      }
      const auto& shape = input->type().tensor_type().shape();
      bool fits = shape.dim_size() == static_cast<int>(tensor.dims.size());
      for (int d = 0; fits && d < shape.dim_size(); ++d) {
        fits = !symbol_of(*input, d).empty() ||
               shape.dim(d).dim_value() == tensor.dims[static_cast<size_t>(d)];
      }
      if (input->type().tensor_type().has_shape() && !fits) {
        refuse("is fixed to values of another shape than the graph declares");
      }
      tensor.data = std::make_shared<const Bytes>(array.data);
      tensors_[name] = build_.add_tensor(std::move(tensor));
    } catch (const Refused& why) {
      report_.refusals.push_back({name, "--fix", "", opset_, why.reason, why.rewrite});
    }
  }
}

// Without a maximum a first dimension, the batch, is 1, as all of a state; any other is refused.
void OnnxImporter::choose_extents(const onnx::GraphProto& graph) {
  std::set<std::string> known;
  for (const bool first : {true, false}) {
    for (const auto& input : graph.input()) {
      const int rank = input.type().tensor_type().shape().dim_size();
      const bool all = !first || options_.is_state(input.name());
      for (int d = 0; d < (all ? rank : std::min(rank, 1)); ++d) {
        const std::string symbol = symbol_of(input, d);
        if (symbol.empty()) continue;
        known.insert(symbol);
        if (tensors_.count(input.name()) > 0) continue;
        for (const auto* given : {&options_.maxima, &options_.fixed_dims}) {
          const auto found = given->find(symbol);
          if (found != given->end()) extents_[symbol] = found->second;
        }
        if (extents_.count(symbol) > 0) continue;
        extents_[symbol] = 1;
        if (first) {
          report_.notes.push_back("dimension '" + symbol + "' of input '" + input.name() +
                                  "' has no maximum and is set to 1; --max " + symbol +
                                  "=MAXIMUM lets it vary");
        } else {
          report_.refusals.push_back(
              {input.name(), "input", "", opset_,
               "dimension " + std::to_string(d) + " ('" + symbol + "') has no maximum",
               "--max " + symbol + "=MAXIMUM, or --fix-dim " + symbol +
                   "=EXTENT for one extent only"});
        }
      }
    }
  }
  check_dimensions(options_, 0, known, loop_names(graph), report_);
}

void OnnxImporter::add_inputs(const onnx::GraphProto& graph) {
  for (const auto& input : graph.input()) {
    const auto known = tensors_.find(input.name());
    try {
      if (known != tensors_.end()) {
        const Tensor& value = build_.tensor(known->second);
        const std::string why =
            value.data ? contradiction(input.type().tensor_type(), value, "its initializer is")
                       : "";
        if (!why.empty()) refuse(why, "give both one dtype and shape");
        continue;
      }
      if (!input.type().has_tensor_type()) {
        refuse("is a sequence or an optional value, not a tensor",
               "export the model with tensors as inputs");
      }
      if (!input.type().tensor_type().has_shape()) refuse("has no rank", "export with a shape");
      Tensor tensor;
      tensor.name = input.name();
      tensor.dtype = onnx_dtype(input.type().tensor_type().elem_type());
      const auto& shape = input.type().tensor_type().shape();
      for (int d = 0; d < shape.dim_size(); ++d) {
        const std::string symbol = symbol_of(input, d);
        tensor.dims.push_back(symbol.empty() ? shape.dim(d).dim_value() : extents_.at(symbol));
        const bool varies =
            !symbol.empty() && extents_.at(symbol) > 1 && options_.fixed_dims.count(symbol) == 0;
        tensor.symbols.push_back(varies ? symbol : "");
      }
      require_size(tensor.dtype, tensor.dims);
      if (std::all_of(tensor.symbols.begin(), tensor.symbols.end(),
                      [](const auto& s) { return s.empty(); })) {
        tensor.symbols.clear();
      }
      tensors_[input.name()] = build_.add_tensor(std::move(tensor));
      graph_.inputs.push_back(tensors_[input.name()]);
    } catch (const Refused& why) {
      report_.refusals.push_back({input.name(), "input", "", opset_, why.reason, why.rewrite});
      stand_in(input.name());
    }
  }
}

}  // namespace medulla::tools
