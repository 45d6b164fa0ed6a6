// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "src/base/checked.h"
#include "src/ops/move.h"
#include "src/ops/number.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"pads", MDL_ATTRIBUTE_INTS, true},
                                         {"mode", MDL_ATTRIBUTE_STRING},
                                         {"value", MDL_ATTRIBUTE_FLOAT}};

enum class Mode { kConstant, kReflect, kEdge, kWrap, kUnknown };

Mode mode_of(const NodeView& node) {
  constexpr const char* kNames[] = {"constant", "reflect", "edge", "wrap"};
  const char* name = node.string_or("mode", "constant");
  int mode = 0;
  while (mode < 4 && std::strcmp(name, kNames[mode]) != 0) ++mode;
  return static_cast<Mode>(mode);
}

// The bytes of a padded element; false when the dtype does not have the value.
bool padding(mdl_dtype dtype, double value, void* element) {
  store_number(dtype, element, 0, value);
  bool same = false;
  load_number(dtype, element, 0, [&](auto v) { same = static_cast<double>(v) == value; });
  return same;
}

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_movable(node, inputs, 0, error));
  const mdl_shape& x = inputs[0].shape;
  const std::span<const int64_t> pads = node.ints("pads");
  if (pads.size() != 2 * x.rank) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "pads has ", pads.size(),
                     " entries, should have ", 2 * x.rank);
  }
  const Mode mode = mode_of(node);
  if (mode == Mode::kUnknown) {
    return fail_node(error, MDL_ERROR_BAD_MODEL, node, "mode is '", node.string_or("mode", ""),
                     "', should be 'constant', 'reflect', 'edge' or 'wrap'");
  }
  alignas(8) uint8_t element[8];
  const double value = node.float_or("value", 0);
  if (mode == Mode::kConstant && !padding(inputs[0].dtype, value, element)) {
    return fail_node(error, MDL_ERROR_BAD_MODEL, node, "value is ", value, ", should be a ",
                     mdl_dtype_name(inputs[0].dtype));
  }
  mdl_shape shape = x;
  for (uint32_t d = 0; d < x.rank; ++d) {
    const int64_t size = x.dims[d];
    const int64_t begin = pads[d];
    const int64_t end = pads[x.rank + d];
    // What is cut off has to be there; reflections reach once over the tensor; the other modes but
    // constant need an element to repeat.
    const int64_t most = mode == Mode::kReflect ? size - 1 : INT64_MAX;
    const bool fills = mode != Mode::kConstant && (begin > 0 || end > 0);
    if (begin < -size || end < -size || !checked_add(size, begin, &shape.dims[d]) ||
        !checked_add(shape.dims[d], end, &shape.dims[d]) || shape.dims[d] < 0 ||
        (fills && (size == 0 || begin > most || end > most))) {
      return fail_node(error, MDL_ERROR_SHAPE, node, "pads of dimension ", d, " are ", begin,
                       " and ", end, ", too many for a size of ", size);
    }
  }
  return set_output(node, outputs, 0, inputs[0].dtype, shape, error);
}

// Which of `size` elements stands at `i`, counted from the first; -1: none, the padding value.
int64_t source(Mode mode, int64_t i, int64_t size) {
  if (i >= 0 && i < size) return i;
  switch (mode) {
    case Mode::kReflect:
      return i < 0 ? -i : 2 * (size - 1) - i;
    case Mode::kEdge:
      return i < 0 ? 0 : size - 1;
    case Mode::kWrap:
      return i % size < 0 ? i % size + size : i % size;
    default:
      return -1;
  }
}

// y[i...] = x[source(i - begin)...]; negative pads cut elements off. The last dimensions that stay
// as they are go together.
mdl_status reference(const ReferenceCall& call, mdl_error*) {
  const TensorType& x = call.input_types[0];
  const std::span<const int64_t> pads = call.node.ints("pads");
  const Mode mode = mode_of(call.node);
  const Strides strides = dense_strides(x.shape);
  const size_t bytes = element_bytes(x);
  alignas(8) uint8_t element[8];
  if (mode == Mode::kConstant) padding(x.dtype, call.node.float_or("value", 0), element);
  mdl_shape runs = call.output_types[0].shape;
  size_t run = bytes;
  while (runs.rank > 0 && pads[runs.rank - 1] == 0 && pads[x.rank() + runs.rank - 1] == 0) {
    run *= static_cast<size_t>(runs.dims[--runs.rank]);
  }
  if (run == 0) return MDL_OK;
  uint8_t* y = call.out<uint8_t>(0);
  for (Walk<1> w(runs, {Strides{}}); !w.done(); w.next(), y += run) {
    int64_t from = 0;
    bool inside = true;
    for (uint32_t d = 0; d < runs.rank && inside; ++d) {
      const int64_t s = source(mode, w.index[d] - pads[d], x.dim(d));
      inside = s >= 0;
      from += s * strides.of[d];
    }
    if (inside) {
      std::memcpy(y, call.in<uint8_t>(0) + static_cast<size_t>(from) * bytes, run);
    } else {
      for (size_t i = 0; i < run; i += bytes) std::memcpy(y + i, element, bytes);
    }
  }
  return MDL_OK;
}

}  // namespace

extern const Op op_Pad = {
    .name = "Pad",
    .attributes = kAttributes,
    .infer = infer,
    .check = check_quantization_kept,
    .reference = reference,
};

}  // namespace medulla
