// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "src/ops/binary.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"direction", MDL_ATTRIBUTE_STRING, true}};

// a shifted by b bits: by the dtype's width or more, and by less than none, all are shifted out. To
// the right copies of the sign come in.
struct BitShift {
  static constexpr DtypeSet kTypes = kIntegers;
  explicit BitShift(const NodeView& node)
      : left(std::strcmp(node.string_or("direction", ""), "LEFT") == 0) {}
  uint64_t operator()(uint64_t a, uint64_t b) const {
    if (b >= 64) return 0;
    return left ? a << b : a >> b;
  }
  int64_t operator()(int64_t a, int64_t b) const {
    const bool within = b >= 0 && b < 64;
    if (!left) return a >> (within ? b : 63);
    return within ? static_cast<int64_t>(static_cast<uint64_t>(a) << b) : 0;
  }
  bool left;
};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  const char* direction = node.string_or("direction", "");
  if (std::strcmp(direction, "LEFT") != 0 && std::strcmp(direction, "RIGHT") != 0) {
    return fail_node(error, MDL_ERROR_BAD_MODEL, node, "direction is '", direction,
                     "', should be 'LEFT' or 'RIGHT'");
  }
  return infer_binary<kIntegers>(node, inputs, outputs, error);
}

}  // namespace

extern const Op op_BitShift = {
    .name = "BitShift",
    .min_inputs = 2,
    .max_inputs = 2,
    .attributes = kAttributes,
    .infer = infer,
    .reference = reference_binary<BitShift>,
    .in_place = 3,
};

}  // namespace medulla
