// SPDX-License-Identifier: Apache-2.0
// Nodes that run graphs, for every importer: what their bodies take, and what they make.
#ifndef MEDULLA_TOOLS_IMPORT_CONTROL_H_
#define MEDULLA_TOOLS_IMPORT_CONTROL_H_

#include <memory>

#include "tools/import/convert.h"
#include "tools/passes/builder.h"

namespace medulla::tools {

// Number i of them is graph i + 1 of the model.
using Bodies = std::vector<std::unique_ptr<Graph>>;

// A body as it was imported, and the tensors around it that it reads, each of which is one of its
// last inputs.
struct ImportedBody {
  uint32_t index;
  Graph* graph;
  std::vector<int32_t> captures;
};

// Thrown where a body cannot be taken, for reasons that are in the report.
struct BodyRefused {};

// The value of a condition that is constant.
bool is_true(const Tensor& condition);
// The type of what a body gets: as it is outside, but no constant.
Tensor type_of(const Tensor& from);
// A tensor without dimensions.
Tensor one_element(const char* name, mdl_dtype dtype);
// The bound of a loop that the source does not give: what --max says of one of the names. Refuses a
// loop without.
int64_t bound_of(const ConvertOptions& options, const std::vector<std::string>& names);

// Appends an If, which runs one of the bodies; returns what it makes.
std::vector<int32_t> add_if(Builder& build, int32_t condition, const ImportedBody& then_body,
                            const ImportedBody& else_body);

// A Loop, ready to be appended. Its body's inputs are the iteration, the condition, what is
// carried, slices of what is scanned, and the captures.
struct LoopParts {
  int32_t trip_count = -1;
  int32_t condition = -1;
  std::vector<int32_t> carried;
  std::vector<int32_t> scanned;
  ImportedBody body;
  int64_t limit = 0;
  bool conditional = false;  // the body's first output says whether to go on
  bool early = false;        // may end before the limit
  Attributes attributes;
};

// Appends it; returns the carried values and the scans.
std::vector<int32_t> add_loop(Builder& build, LoopParts parts);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_IMPORT_CONTROL_H_
