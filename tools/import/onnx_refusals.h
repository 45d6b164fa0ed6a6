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

// The graph's input that a parameter is, or is computed from when that is a single one that looks
// like a parameter itself: integers in one dimension or none. -1: there is none.
int32_t source_of(const Graph& graph, int32_t parameter);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_IMPORT_ONNX_REFUSALS_H_
