// SPDX-License-Identifier: Apache-2.0
#include "src/ops/attention.h"

#include <cmath>
#include <limits>

#include "kernels/elementwise_f32/scalar.h"
#include "src/ops/greatest.h"
#include "src/ops/row_sum.h"

namespace medulla {
namespace {

constexpr AttributeRule kAttributes[] = {
    {"scale", MDL_ATTRIBUTE_FLOAT},      // 1
    {"softcap", MDL_ATTRIBUTE_FLOAT},    // 0: none
    {"causal", MDL_ATTRIBUTE_INT},       // the last query sees all keys, each before it one less
    {"num_heads", MDL_ATTRIBUTE_INT},    // of q and y in rank 3
    {"kv_num_heads", MDL_ATTRIBUTE_INT}  // of k and v in rank 3; as many
};

mdl_status infer(const NodeView& node, std::span<const TensorType> inputs,
                 std::span<TensorType> outputs, mdl_error* error) {
  for (size_t i = 0; i < 3; ++i) MDL_TRY(check_dtype(node, inputs, i, MDL_FLOAT32, error));
  AttentionShape a;
  if (!read_attention(node, inputs, &a)) {
    const int64_t heads = node.int_or("num_heads", 0);
    return fail_node(error, MDL_ERROR_SHAPE, node, "inputs are ", inputs[0].shape, ", ",
                     inputs[1].shape, ", ", inputs[2].shape,
                     ", should be [B, H, Lq, D], [B, Hkv, Lk, D], [B, Hkv, Lk, Dv], H a multiple ",
                     "of Hkv, D not 0; or of rank 3, [B, L, heads * D], with num_heads, which is ",
                     heads, ", and kv_num_heads, which is ", node.int_or("kv_num_heads", heads));
  }
  if (inputs.size() > 3 && inputs[3].dtype != MDL_DTYPE_NONE) {
    MDL_TRY(check_dtypes(node, inputs, 3, kBool | set_of({MDL_FLOAT32}), error));
    MDL_TRY(check_broadcasts_to(node, inputs, 3, a.scores, error));
  }
  return set_output(node, outputs, 0, MDL_FLOAT32, a.output, error);
}

mdl_status check(const NodeView& node, mdl_error* error) {
  MDL_TRY(check_float(node, "scale", error));
  MDL_TRY(check_float(node, "softcap", error));
  const double softcap = node.float_or("softcap", 0);
  if (softcap >= 0) return MDL_OK;
  return fail_node(error, MDL_ERROR_BAD_MODEL, node, "softcap is ", softcap,
                   ", should be 0 or more");
}

// One key's score before any mask.
float score(const float* q, const float* k, int64_t width, float scale, float softcap) {
  float sum = 0;
  for (int64_t d = 0; d < width; ++d) sum = std::fma(q[d] * scale, k[d], sum);
  return softcap == 0 ? sum : softcap * tanh_f32(sum / softcap);
}

// Scores become the weights of the keys: their Softmax, or zeros where no key may be attended.
void weigh(float* scores, int64_t keys) {
  Greatest<float> greatest;
  for (int64_t j = 0; j < keys; ++j) greatest.add(scores[j]);
  const float m = greatest.value();
  const bool none = m == -std::numeric_limits<float>::infinity();
  RowSum sum;
  for (int64_t j = 0; j < keys; ++j) {
    scores[j] = none ? 0 : exp_f32(scores[j] - m);
    sum.add(scores[j]);
  }
  const float total = none ? 1 : sum.total();
  for (int64_t j = 0; j < keys; ++j) scores[j] /= total;
}

// For each query, with all its keys:
//   s[j] = a chain of fma over fl(q * scale) and k[j] from +0
//   s[j] = fl(softcap * tanh_f32(fl(s[j] / softcap)))     unless softcap is 0
//   s[j] = fl(s[j] + mask[j]), or -inf where a bool mask is false
//   s[j] = -inf for the keys that `causal` hides
//   p = Softmax(s); all +0 where every s is -inf
//   y[c] = a chain of fma over p[j] and v[j][c] from +0, j ascending
mdl_status reference(const ReferenceCall& call, mdl_error*) {
  AttentionShape a;
  const std::span<const TensorType> types = call.input_types;
  if (!read_attention(call.node, types, &a)) return MDL_ERROR_INTERNAL;
  HeadRows y;
  read_heads(a.output, a.q.heads, &y);
  const auto* mask = call.in<uint8_t>(3);
  const bool selects = mask != nullptr && types[3].dtype == MDL_BOOL;
  const Strides at = mask != nullptr ? broadcast_strides(types[3].shape, a.scores) : Strides{};
  const float scale = float_attribute(call.node, "scale", 1);
  const float softcap = float_attribute(call.node, "softcap", 0);
  const bool causal = call.node.int_or("causal", 0) != 0;
  const int64_t keys = a.k.rows;
  float* scores = static_cast<float*>(call.scratch);
  mdl_shape queries = a.scores;
  queries.rank = 3;
  for (Walk<1> w(queries, {at}); !w.done(); w.next()) {
    const int64_t b = w.index[0], head = w.index[1], i = w.index[2];
    const int64_t kv = a.kv_head(head);
    for (int64_t j = 0; j < keys; ++j) {
      const int64_t m = w.offset[0] + j * at.of[3];
      scores[j] = score(call.in<float>(0) + a.q.offset(b, head, i),
                        call.in<float>(1) + a.k.offset(b, kv, j), a.q.width, scale, softcap);
      if (mask != nullptr && !selects) scores[j] += call.in<float>(3)[m];
      if ((selects && mask[m] == 0) || (causal && j >= a.seen(i))) {
        scores[j] = -std::numeric_limits<float>::infinity();
      }
    }
    weigh(scores, keys);
    float* row = call.out<float>(0) + y.offset(b, head, i);
    for (int64_t c = 0; c < y.width; ++c) {
      row[c] = 0;
      for (int64_t j = 0; j < keys; ++j) {
        row[c] = std::fma(scores[j], call.in<float>(2)[a.v.offset(b, kv, j) + c], row[c]);
      }
    }
  }
  return MDL_OK;
}

size_t scratch(const NodeView& node, std::span<const TensorType> inputs,
               std::span<const TensorType>) {
  AttentionShape a;
  if (!read_attention(node, inputs, &a)) return 0;
  return static_cast<size_t>(a.k.rows) * sizeof(float);
}

uint64_t macs(const NodeView& node, std::span<const TensorType> inputs,
              std::span<const TensorType> outputs) {
  AttentionShape a;
  if (!read_attention(node, inputs, &a)) return 0;
  const auto keys = static_cast<uint64_t>(a.k.rows);
  return static_cast<uint64_t>(inputs[0].elements() + outputs[0].elements()) * keys;
}

}  // namespace

// Inputs q, k, v, mask: each row of q picks from the rows of v by the likeness of k's.
extern const Op op_Attention = {
    .name = "Attention",
    .min_inputs = 3,
    .max_inputs = 4,
    .attributes = kAttributes,
    .infer = infer,
    .check = check,
    .reference = reference,
    .scratch = scratch,
    .macs = macs,
};

}  // namespace medulla
