// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "src/ops/order.h"
#include "src/ops/rules.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {{"axis", MDL_ATTRIBUTE_INT},
                                         {"sorted", MDL_ATTRIBUTE_INT}};

// The slices among which equal ones are found: `count` along a dimension with `outer` before it and
// `inner` behind it.
struct Slices {
  uint32_t axis = 0;
  int64_t outer = 1;
  int64_t count = 0;
  int64_t inner = 1;

  int64_t at(int64_t o, int64_t i) const { return (o * count + i) * inner; }
};

mdl_status read_slices(const NodeView& node, const TensorType& x, Slices* slices,
                       mdl_error* error) {
  *slices = {.count = x.elements()};
  if (node.attribute("axis") == nullptr) return MDL_OK;
  MDL_TRY(resolve_axis(node, node.int_or("axis", 0), x.rank(), &slices->axis, error));
  slices->outer = extent(x.shape, 0, slices->axis);
  slices->count = x.dim(slices->axis);
  slices->inner = extent(x.shape, slices->axis + 1, x.rank());
  return MDL_OK;
}

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  MDL_TRY(check_movable(node, inputs, 0, error));
  Slices slices;
  MDL_TRY(read_slices(node, inputs[0], &slices, error));
  const mdl_shape list = {1, {slices.count}};
  const bool whole = node.attribute("axis") == nullptr;
  MDL_TRY(set_output(node, outputs, 0, inputs[0].dtype, whole ? list : inputs[0].shape, error));
  for (size_t o = 1; o < outputs.size(); ++o) {
    MDL_TRY(set_output(node, outputs, o, MDL_INT64, list, error));
  }
  return MDL_OK;
}

mdl_status check(const NodeView& node, mdl_error* error) {
  if (node.output(0) == nullptr) return MDL_OK;
  return check_same_quantization(node, *node.input(0), *node.output(0), error);
}

uint32_t found(const NodeView& node, size_t output) {
  if (output == 2) return 0;
  return 1u << (output == 0 ? axis_of(node, 0, node.input(0)->rank) : 0);
}

// Of each slice: its place in the order, the first that equals it, its place among the results.
size_t scratch(const NodeView& node, std::span<const TensorType> inputs,
               std::span<const TensorType>) {
  Slices slices;
  if (read_slices(node, inputs[0], &slices, nullptr) != MDL_OK) return 0;
  return static_cast<size_t>(slices.count) * 3 * sizeof(int64_t);
}

// y has each different slice once: in order, or (sorted = 0) as they come. Then its first index,
// for each slice of x the index in y, and how often it stands in x.
mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  const TensorType& x = call.input_types[0];
  Slices slices;
  MDL_TRY(read_slices(call.node, x, &slices, error));
  const int64_t n = slices.count;
  int64_t* order = static_cast<int64_t*>(call.scratch);
  int64_t* first = order + n;
  int64_t* place = first + n;
  const auto compare = [&](int64_t a, int64_t b) {
    for (int64_t o = 0; o < slices.outer; ++o) {
      for (int64_t r = 0; r < slices.inner; ++r) {
        const int by_value =
            compare_elements(x.dtype, call.inputs[0], slices.at(o, a) + r, slices.at(o, b) + r);
        if (by_value != 0) return by_value;
      }
    }
    return 0;
  };
  for (int64_t i = 0; i < n; ++i) order[i] = i;
  std::sort(order, order + n, [&](int64_t a, int64_t b) {
    const int by_value = compare(a, b);
    return by_value != 0 ? by_value < 0 : a < b;
  });
  for (int64_t k = 0; k < n; ++k) {
    const bool equal = k > 0 && compare(order[k - 1], order[k]) == 0;
    first[order[k]] = equal ? first[order[k - 1]] : order[k];
  }
  const bool sorted = call.node.int_or("sorted", 1) != 0;
  int64_t count = 0;
  for (int64_t k = 0; k < n; ++k) {
    const int64_t i = sorted ? order[k] : k;
    place[i] = first[i] == i ? count++ : place[first[i]];
  }

  const size_t bytes = static_cast<size_t>(slices.inner) * element_bytes(x);
  for (int64_t i = 0; i < n; ++i) {
    const int64_t p = place[i];
    if (int64_t* inverse = call.out<int64_t>(2)) inverse[i] = p;
    int64_t* counts = call.out<int64_t>(3);
    if (counts != nullptr) counts[p] = first[i] == i ? 1 : counts[p] + 1;
    if (first[i] != i) continue;
    if (int64_t* indices = call.out<int64_t>(1)) indices[p] = i;
    for (int64_t o = 0; call.outputs[0] != nullptr && o < slices.outer; ++o) {
      std::memcpy(call.out<uint8_t>(0) + static_cast<size_t>(o * count + p) * bytes,
                  call.in<uint8_t>(0) + static_cast<size_t>(o * n + i) * bytes, bytes);
    }
  }
  call.found[0].dims[slices.axis] = count;
  for (const size_t o : {size_t{1}, size_t{3}}) {
    if (o < call.found.size()) call.found[o].dims[0] = count;
  }
  return MDL_OK;
}

}  // namespace

extern const Op op_Unique = {
    .name = "Unique",
    .max_outputs = 4,
    .attributes = kAttributes,
    .infer = infer,
    .check = check,
    .reference = reference,
    .scratch = scratch,
    .found = found,
};

}  // namespace medulla
