// SPDX-License-Identifier: Apache-2.0
// Where Attention finds its rows.
#ifndef MEDULLA_SRC_OPS_ATTENTION_H_
#define MEDULLA_SRC_OPS_ATTENTION_H_

#include "src/base/checked.h"
#include "src/ops/broadcast.h"
#include "src/ops/rules.h"

namespace medulla {

// [B, heads, rows, width], or [B, rows, heads * width] in rank 3.
struct HeadRows {
  int64_t batch = 0, heads = 0, rows = 0, width = 0;
  int64_t batch_stride = 0, head_stride = 0, row_stride = 0;

  int64_t offset(int64_t b, int64_t head, int64_t row) const {
    return b * batch_stride + head * head_stride + row * row_stride;
  }
};

// `heads` counts in rank 3 alone. False: the shape is none of the two.
inline bool read_heads(const mdl_shape& shape, int64_t heads, HeadRows* rows) {
  const int64_t* dims = shape.dims;
  if (shape.rank == 4) {
    *rows = {.batch = dims[0], .heads = dims[1], .rows = dims[2], .width = dims[3]};
    rows->row_stride = rows->width;
    rows->head_stride = rows->rows * rows->width;
    rows->batch_stride = dims[1] * rows->head_stride;
    return true;
  }
  if (shape.rank != 3 || heads < 1 || dims[2] % heads != 0) return false;
  *rows = {.batch = dims[0], .heads = heads, .rows = dims[1], .width = dims[2] / heads};
  rows->head_stride = rows->width;
  rows->row_stride = dims[2];
  rows->batch_stride = dims[1] * dims[2];
  return true;
}

struct AttentionShape {
  HeadRows q, k, v;
  mdl_shape output;  // read_heads of it, with q.heads, gives its rows
  mdl_shape scores;  // [B, heads, queries, keys]

  // The head of k and v that serves one of q.
  int64_t kv_head(int64_t head) const { return head / (q.heads / k.heads); }
  // Keys [0, seen) may be attended by a query when the node is causal: the last query sees all.
  int64_t seen(int64_t query) const { return query + 1 + k.rows - q.rows; }
};

// The head counts are those of tensors of rank 3. False: the shapes do not fit each other. Heads of
// no width do not: their number of rows would have no bound.
inline bool read_attention(int64_t heads, int64_t kv_heads, const mdl_shape& q_shape,
                           const mdl_shape& k_shape, const mdl_shape& v_shape, AttentionShape* a) {
  HeadRows &q = a->q, &k = a->k, &v = a->v;
  if (!read_heads(q_shape, heads, &q) || !read_heads(k_shape, kv_heads, &k) ||
      !read_heads(v_shape, kv_heads, &v)) {
    return false;
  }
  if (k.batch != q.batch || v.batch != q.batch || k.width != q.width || v.rows != k.rows ||
      k.width < 1 || v.heads != k.heads || k.heads < 1 || q.heads % k.heads != 0) {
    return false;
  }
  a->scores = {.rank = 4, .dims = {q.batch, q.heads, q.rows, k.rows}};
  a->output = {.rank = 4, .dims = {q.batch, q.heads, q.rows, v.width}};
  if (q_shape.rank == 4) return true;
  int64_t width = 0;
  if (!checked_mul(q.heads, v.width, &width)) return false;
  a->output = {.rank = 3, .dims = {q.batch, q.rows, width}};
  return true;
}

inline bool read_attention(const NodeView& node, std::span<const TensorType> inputs,
                           AttentionShape* a) {
  const int64_t heads = node.int_or("num_heads", 0);
  return read_attention(heads, node.int_or("kv_num_heads", heads), inputs[0].shape, inputs[1].shape,
                        inputs[2].shape, a);
}

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_ATTENTION_H_
