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

// `shapes`: q, k, v. Everything that the operator asks of them.
inline mdl_status read_attention(const NodeView& node, const mdl_shape (&shapes)[3],
                                 AttentionShape* a, mdl_error* error) {
  const int64_t heads = node.int_or("num_heads", 0);
  const int64_t kv_heads = node.int_or("kv_num_heads", heads);
  HeadRows* const rows[] = {&a->q, &a->k, &a->v};
  for (size_t i = 0; i < 3; ++i) {
    if (read_heads(shapes[i], i == 0 ? heads : kv_heads, rows[i])) continue;
    return fail_node(error, MDL_ERROR_SHAPE, node, "input ", i, " is ", shapes[i], ", should be ",
                     "[B, heads, rows, width], or [B, rows, heads * width] with ",
                     i == 0 ? "num_heads" : "kv_num_heads", ", which is ",
                     i == 0 ? heads : kv_heads);
  }
  const HeadRows &q = a->q, &k = a->k, &v = a->v;
  if (k.batch != q.batch || v.batch != q.batch || k.width != q.width || v.rows != k.rows ||
      v.heads != k.heads || k.heads < 1 || q.heads % k.heads != 0) {
    return fail_node(error, MDL_ERROR_SHAPE, node, "inputs are ", shapes[0], ", ", shapes[1], ", ",
                     shapes[2], ", should be [B, H, Lq, D], [B, Hkv, Lk, D] and [B, Hkv, Lk, Dv], ",
                     "H a multiple of Hkv");
  }
  a->scores = {.rank = 4, .dims = {q.batch, q.heads, q.rows, k.rows}};
  a->output = {.rank = 4, .dims = {q.batch, q.heads, q.rows, v.width}};
  int64_t width = 0;
  if (shapes[0].rank == 3) {
    if (!checked_mul(q.heads, v.width, &width)) {
      return fail_node(error, MDL_ERROR_SHAPE, node, "the output's width overflows");
    }
    a->output = {.rank = 3, .dims = {q.batch, q.rows, width}};
  }
  return MDL_OK;
}

}  // namespace medulla

#endif  // MEDULLA_SRC_OPS_ATTENTION_H_
