// SPDX-License-Identifier: Apache-2.0
// ONNX operators that are refused on purpose, with why and with what helps.
#ifndef MEDULLA_TOOLS_IMPORT_ONNX_REFUSALS_H_
#define MEDULLA_TOOLS_IMPORT_ONNX_REFUSALS_H_

#include <onnx/onnx_pb.h>

#include "tools/ir/graph.h"

namespace medulla::tools {

struct OnnxRefusal {
  const char* reason;
  const char* rewrite;
};

bool is_refused(const onnx::NodeProto& node);
// Also for an operator that is merely not known.
const OnnxRefusal& refusal_of(const onnx::NodeProto& node);

// The graph's inputs that the tensors are or are computed from.
std::set<int32_t> sources_of(const Graph& graph, std::vector<int32_t> tensors);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_IMPORT_ONNX_REFUSALS_H_
