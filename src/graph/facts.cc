// SPDX-License-Identifier: Apache-2.0
#include "src/graph/facts.h"

#include <cstring>

namespace medulla {
namespace {

// Whether a and b agree in scale bits and zero point.
bool same_quantization(const mdl_quantization& a, const mdl_quantization& b) {
  if (a.count != b.count || a.count > 1) return false;
  return a.count == 0 || (std::memcmp(a.scales, b.scales, sizeof(float)) == 0 &&
                          a.zero_points[0] == b.zero_points[0]);
}

}  // namespace

bool is_static(const mdl_tensor& tensor) {
  for (uint32_t d = 0; d < tensor.rank; ++d) {
    if (tensor.symbols[d] != nullptr) return false;
  }
  return true;
}

int64_t last_dim(const mdl_tensor& tensor) {
  return tensor.rank > 0 ? tensor.dims[tensor.rank - 1] : 1;
}

bool same_type(const mdl_tensor& a, const mdl_tensor& b) {
  if (a.dtype != b.dtype || a.rank != b.rank || a.bytes != b.bytes) return false;
  for (uint32_t d = 0; d < a.rank; ++d) {
    if (a.dims[d] != b.dims[d] || (a.symbols[d] == nullptr) != (b.symbols[d] == nullptr)) {
      return false;
    }
    if (a.symbols[d] != nullptr && std::strcmp(a.symbols[d], b.symbols[d]) != 0) return false;
  }
  return true;
}

bool is_plain_concat(const NodeView& node) {
  if (std::strcmp(node.op(), "Concat") == 0) return true;
  if (std::strcmp(node.op(), "QConcat") != 0) return false;
  for (size_t i = 0; i < node.input_count(); ++i) {
    if (!same_quantization(node.input(i)->quantization, node.output(0)->quantization)) return false;
  }
  return true;
}

}  // namespace medulla
