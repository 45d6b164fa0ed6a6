// SPDX-License-Identifier: Apache-2.0
// What `medulla inspect` makes of a graph: pictures and JSON.
#ifndef MEDULLA_TOOLS_COMMAND_INSPECT_H_
#define MEDULLA_TOOLS_COMMAND_INSPECT_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "medulla/backend.h"
#include "tools/command/bodies.h"

namespace medulla::tools {

// The graph in Graphviz' language: nodes with operator and name, edges with dtype and shape, bodies
// as clusters.
std::string dot_of(const mdl_graph& graph);

// One self-contained page: the graph, the memory plan over time, the cost of the layers. `report`
// is what inspect --json prints.
std::string html_of(const mdl_graph& graph, const nlohmann::json& report);

// Adds scales, zero_points and axis where there are any.
void add_quantization(nlohmann::json& row, const mdl_quantization& quantization);
// Every tensor, a constant with its offset in the file, which begins at `file`. Names begin with
// the path of their graph.
nlohmann::json tensors_json(const std::vector<PlacedGraph>& graphs, const uint8_t* file);
// Every node, operands by their tensors' names, null where one is left out; those of the main graph
// first, so that a plan's numbers of nodes hold.
nlohmann::json nodes_json(const std::vector<PlacedGraph>& graphs);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_COMMAND_INSPECT_H_
