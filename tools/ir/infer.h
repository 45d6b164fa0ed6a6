// SPDX-License-Identifier: Apache-2.0
// Shapes and dtypes of a whole graph, by the operators' own rules.
#ifndef MEDULLA_TOOLS_IR_INFER_H_
#define MEDULLA_TOOLS_IR_INFER_H_

#include "tools/ir/graph.h"

namespace medulla::tools {

// Sets dims and dtype of every tensor that a node makes, node by node. An output's declared dtype
// counts where the operator cannot know it (QuantizeLinear). Symbols are carried along dimensions
// that change with them. Throws std::runtime_error, whose text names the node.
void infer_shapes(Graph& graph);

// The same for the outputs of one node of the graph, whose inputs are known; without symbols.
void infer_node(Graph& graph, const Node& node);

// Extents that a node finds at run time, of the dimensions in `mask`, get "<name>:found" as symbol.
void name_found(uint32_t mask, const std::string& name, Tensor& tensor);
// Extents below a maximum at which to see what changes with it. Not each has to be valid, for a
// kernel wants its length and a pyramid multiples; where there is a multiple of what divides the
// maximum at least 64 times or less, one of these is such.
std::vector<int64_t> smaller_extents(int64_t maximum);
// What to add to the reason why none of them is: " (with T=15 ...".
std::string only_maximum(const std::string& symbol, int64_t maximum);
// "N" of "N:50", the symbol of an extent of 50 that follows N in a measure of its own, and of "N".
// A name may have colons itself.
std::string without_measure(const std::string& symbol, int64_t extent);
// Whether a symbol is such a one or follows it.
bool is_found(const std::string& symbol);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_IR_INFER_H_
