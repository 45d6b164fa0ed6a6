// SPDX-License-Identifier: Apache-2.0
// Attention in tiles of queries. k and v of a head are packed; then for each tile gemm_f32 makes
// the scores, which stay in the cache, softmax_f32 their weights and gemm_f32 the output.
#include "src/ops/attention.h"

#include <algorithm>
#include <limits>

#include "backends/cpu/activation.h"
#include "backends/cpu/broadcast.h"
#include "backends/cpu/chain.h"
#include "kernels/elementwise_f32/elementwise_f32.h"
#include "kernels/gemm_f32/gemm_f32.h"
#include "kernels/softmax_f32/softmax_f32.h"

namespace medulla::cpu {

extern const Lowering lowering_attention;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

struct Kernels {
  const GemmF32Row* gemm;
  const SoftmaxF32Row* softmax;
  const ElementwiseF32Row* elementwise;
};

struct Plan {
  StepHead head;
  Kernels kernels;
  Source q, k, v;
  Source mask;  // where the node is masked
  int y;        // operand
  bool masked;
  bool selects;  // the mask is bool
  bool causal;
  float scale;
  float softcap;
  int64_t heads;
  int64_t kv_heads;
  size_t tile;  // queries
};

struct Args {
  const Plan* plan;
  AttentionShape shape;
  HeadRows y_rows;
  Strides mask_at;
  size_t tiles;  // of one head
  // Places in the scratch, in bytes; packed k stands first.
  size_t packed_v, queries, scores;
  const float* q;
  const float* k;
  const float* v;
  const void* mask;
  float* y;
};

mdl_status choose(const Cpu& cpu, const GroupView& group, Kernels* kernels, AttentionShape* shape,
                  mdl_error* error) {
  const NodeView node = group.node(0);
  if (group.node_count() != 1 || !is_op(node.node(), "Attention")) return MDL_ERROR_UNSUPPORTED;
  const int64_t heads = node.int_or("num_heads", 0);
  if (!read_attention(heads, node.int_or("kv_num_heads", heads), max_shape(*node.input(0)),
                      max_shape(*node.input(1)), max_shape(*node.input(2)), shape)) {
    return MDL_ERROR_UNSUPPORTED;
  }
  GemmF32Problem problem;
  static_cast<KernelRequest&>(problem) = kernel_request(cpu);
  problem.m = static_cast<size_t>(shape->q.rows);
  problem.n = static_cast<size_t>(shape->k.rows);
  problem.k = static_cast<size_t>(shape->k.width);
  MDL_TRY(choose_row(cpu, "gemm_f32", gemm_f32_rows(), problem, &kernels->gemm, error));
  MDL_TRY(choose_row(cpu, "softmax_f32", softmax_f32_rows(), kernel_request(cpu), &kernels->softmax,
                     error));
  return choose_row(cpu, "elementwise_f32", elementwise_f32_rows(), kernel_request(cpu),
                    &kernels->elementwise, error);
}

mdl_status supports(const Cpu& cpu, const GroupView& group, mdl_error* error) {
  Kernels kernels;
  AttentionShape shape;
  return choose(cpu, group, &kernels, &shape, error);
}

// x = f(x, value)
void apply(const Plan& plan, BinaryF32 function, const float* x, float value, float* y, size_t n) {
  plan.kernels.elementwise->kernel
      ->binary[static_cast<size_t>(function)][static_cast<size_t>(BroadcastF32::b)](x, &value, y, n,
                                                                                    -kInf, kInf);
}

struct Tile {
  int64_t b, head;
  int64_t first;  // query
  size_t count;
};

void pack_head(const Args& args, int64_t b, int64_t kv, std::byte* scratch) {
  const size_t nr = args.plan->kernels.gemm->kernel->nr;
  const HeadRows &k = args.shape.k, &v = args.shape.v;
  const size_t keys = static_cast<size_t>(k.rows);
  gemm_f32_pack(nr, keys, static_cast<size_t>(k.width), args.k + k.offset(b, kv, 0), 1,
                static_cast<size_t>(k.row_stride), nullptr, scratch);
  gemm_f32_pack(nr, static_cast<size_t>(v.width), keys, args.v + v.offset(b, kv, 0),
                static_cast<size_t>(v.row_stride), 1, nullptr, scratch + args.packed_v);
}

// The queries of a tile, scaled; *stride: between rows.
const float* queries_of(const Args& args, const Tile& tile, float* scaled, size_t* stride) {
  const Plan& plan = *args.plan;
  const HeadRows& q = args.shape.q;
  const float* from = args.q + q.offset(tile.b, tile.head, tile.first);
  *stride = static_cast<size_t>(q.row_stride);
  if (plan.scale == 1) return from;
  const size_t width = static_cast<size_t>(q.width);
  for (size_t i = 0; i < tile.count; ++i) {
    apply(plan, BinaryF32::mul, from + i * *stride, plan.scale, scaled + i * width, width);
  }
  *stride = width;
  return scaled;
}

// Whether the product's epilogue can add the mask: one float for each key, side by side.
bool adds_mask(const Args& args) {
  const Plan& plan = *args.plan;
  return plan.masked && !plan.selects && plan.softcap == 0 &&
         (args.mask_at.of[3] == 1 || args.shape.k.rows == 1);
}

void mask_row(const Args& args, int64_t mask, int64_t query, float* scores) {
  const int64_t keys = args.shape.k.rows;
  const int64_t step = args.mask_at.of[3];
  if (args.plan->selects) {
    const uint8_t* m = static_cast<const uint8_t*>(args.mask) + mask;
    for (int64_t j = 0; j < keys; ++j) scores[j] = m[j * step] != 0 ? scores[j] : -kInf;
  } else if (args.plan->masked && !adds_mask(args)) {
    const float* m = static_cast<const float*>(args.mask) + mask;
    for (int64_t j = 0; j < keys; ++j) scores[j] += m[j * step];
  }
  if (!args.plan->causal) return;
  for (int64_t j = std::max<int64_t>(0, args.shape.seen(query)); j < keys; ++j) scores[j] = -kInf;
}

void weigh(const Args& args, float* scores) {
  const size_t keys = static_cast<size_t>(args.shape.k.rows);
  if (std::all_of(scores, scores + keys, [](float s) { return s == -kInf; })) {
    std::fill(scores, scores + keys, 0.0f);
    return;
  }
  args.plan->kernels.softmax->kernel->softmax(
      {.rows = 1, .n = keys, .x = scores, .x_stride = keys, .y = scores, .y_stride = keys});
}

void run_tile(const Args& args, const Tile& tile, std::byte* scratch) {
  const Plan& plan = *args.plan;
  const GemmF32Kernel& gemm = *plan.kernels.gemm->kernel;
  const size_t keys = static_cast<size_t>(args.shape.k.rows);
  float* scores = reinterpret_cast<float*>(scratch + args.scores);
  const int64_t row_step = args.mask_at.of[2];
  const int64_t mask =
      tile.b * args.mask_at.of[0] + tile.head * args.mask_at.of[1] + tile.first * row_step;
  GemmF32 product = {.n = keys,
                     .k = static_cast<size_t>(args.shape.k.width),
                     .b = scratch,
                     .c = scores,
                     .ldc = keys,
                     .lo = -kInf,
                     .hi = kInf};
  product.a =
      queries_of(args, tile, reinterpret_cast<float*>(scratch + args.queries), &product.lda);
  if (adds_mask(args)) {
    product.residual = static_cast<const float*>(args.mask) + mask;
    product.ldr = static_cast<size_t>(row_step);
  }
  gemm.run(product, 0, tile.count, 0, keys);
  if (plan.softcap != 0) {
    const size_t n = tile.count * keys;
    apply(plan, BinaryF32::div, scores, plan.softcap, scores, n);
    plan.kernels.elementwise->kernel->unary[static_cast<size_t>(UnaryF32::tanh)](scores, scores, n,
                                                                                 0, 0);
    apply(plan, BinaryF32::mul, scores, plan.softcap, scores, n);
  }
  for (size_t i = 0; i < tile.count; ++i) {
    const int64_t row = static_cast<int64_t>(i);
    mask_row(args, mask + row * row_step, tile.first + row, scores + i * keys);
    weigh(args, scores + i * keys);
  }
  const GemmF32 sum = {.n = static_cast<size_t>(args.y_rows.width),
                       .k = keys,
                       .a = scores,
                       .lda = keys,
                       .b = scratch + args.packed_v,
                       .c = args.y + args.y_rows.offset(tile.b, tile.head, tile.first),
                       .ldc = static_cast<size_t>(args.y_rows.row_stride),
                       .lo = -kInf,
                       .hi = kInf};
  gemm.run(sum, 0, tile.count, 0, sum.n);
}

// Rows are tiles, head by head.
mdl_status run(const void* memory, uint32_t, int64_t begin, int64_t end, void* scratch) {
  const Args& args = *static_cast<const Args*>(memory);
  auto* bytes = static_cast<std::byte*>(scratch);
  const auto tiles = static_cast<int64_t>(args.tiles);
  const auto size = static_cast<int64_t>(args.plan->tile);
  int64_t packed = -1;
  for (int64_t r = begin; r < end; ++r) {
    const int64_t head = r / tiles % args.shape.q.heads;
    const int64_t b = r / tiles / args.shape.q.heads;
    const int64_t kv = args.shape.kv_head(head);
    if (b * args.shape.k.heads + kv != packed) {
      pack_head(args, b, kv, bytes);
      packed = b * args.shape.k.heads + kv;
    }
    const int64_t first = r % tiles * size;
    const auto count = static_cast<size_t>(std::min(size, args.shape.q.rows - first));
    run_tile(args, {b, head, first, count}, bytes);
  }
  return MDL_OK;
}

// Lays out the scratch; returns its bytes.
size_t lay_out(const Plan& plan, const AttentionShape& shape, Args* args) {
  const auto aligned = [](size_t bytes) {
    return (bytes + kPackAlign - 1) / kPackAlign * kPackAlign;
  };
  const size_t nr = plan.kernels.gemm->kernel->nr;
  const size_t keys = static_cast<size_t>(shape.k.rows);
  const size_t width = static_cast<size_t>(shape.k.width);
  args->packed_v = aligned(gemm_f32_packed_bytes(nr, keys, width));
  args->queries =
      args->packed_v + aligned(gemm_f32_packed_bytes(nr, static_cast<size_t>(shape.v.width), keys));
  args->scores = args->queries;
  if (plan.scale != 1) args->scores += aligned(plan.tile * width * sizeof(float));
  return args->scores + plan.tile * keys * sizeof(float);
}

mdl_status plan(const Cpu& cpu, const GroupView& group, const mdl_host& host, mdl_step& step,
                mdl_error* error) {
  const NodeView node = group.node(0);
  Kernels kernels;
  AttentionShape shape;
  MDL_TRY(choose(cpu, group, &kernels, &shape, error));
  Plan* plan = make_step_data<Plan>(host, lowering_attention, step);
  if (plan == nullptr) return fail_memory(error, node);
  const mdl_tensor* mask = node.input(3);
  const int64_t heads = node.int_or("num_heads", 0);
  const size_t mr = kernels.gemm->kernel->mr;
  const size_t rows = rows_in_cache(std::max<size_t>(1, static_cast<size_t>(shape.k.rows)));
  *plan = {.head = plan->head,
           .kernels = kernels,
           .q = read_source(group, node.input(0)),
           .k = read_source(group, node.input(1)),
           .v = read_source(group, node.input(2)),
           .mask = mask != nullptr ? read_source(group, mask) : Source{},
           .y = group.operand(&group.output()),
           .masked = mask != nullptr,
           .selects = mask != nullptr && mask->dtype == MDL_BOOL,
           .causal = node.int_or("causal", 0) != 0,
           .scale = static_cast<float>(node.float_or("scale", 1)),
           .softcap = static_cast<float>(node.float_or("softcap", 0)),
           .heads = heads,
           .kv_heads = node.int_or("kv_num_heads", heads),
           .tile = std::max(mr, rows / mr * mr)};
  Args args;
  step.kernel = kernels.gemm->name;
  step.run = run;
  step.args_bytes = sizeof(Args);
  step.scratch_bytes = lay_out(*plan, shape, &args);
  step.macs = static_cast<uint64_t>(shape.q.batch * shape.q.heads * shape.q.rows) *
              static_cast<uint64_t>(shape.k.rows * (shape.k.width + shape.v.width));
  return MDL_OK;
}

mdl_status resize(const mdl_step& step, const mdl_shape* shapes, void* memory, mdl_rows& rows,
                  mdl_error*) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  Args& args = *static_cast<Args*>(memory);
  args.plan = &plan;
  AttentionShape& shape = args.shape;
  if (!read_attention(plan.heads, plan.kv_heads, shape_of(plan.q, shapes), shape_of(plan.k, shapes),
                      shape_of(plan.v, shapes), &shape)) {
    return MDL_ERROR_INTERNAL;
  }
  read_heads(shape.output, shape.q.heads, &args.y_rows);
  args.mask_at =
      plan.masked ? broadcast_strides(shape_of(plan.mask, shapes), shape.scores) : Strides{};
  args.tiles = (static_cast<size_t>(shape.q.rows) + plan.tile - 1) / plan.tile;
  lay_out(plan, shape, &args);
  rows.rows[0] = shape.q.batch * shape.q.heads * static_cast<int64_t>(args.tiles);
  return MDL_OK;
}

void bind(const mdl_step& step, const mdl_operand* operands, const void*, void* memory) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  Args& args = *static_cast<Args*>(memory);
  args.q = static_cast<const float*>(data_of(plan.q, operands));
  args.k = static_cast<const float*>(data_of(plan.k, operands));
  args.v = static_cast<const float*>(data_of(plan.v, operands));
  args.mask = plan.masked ? data_of(plan.mask, operands) : nullptr;
  args.y = static_cast<float*>(operands[plan.y].data);
}

}  // namespace

extern const Lowering lowering_attention = {
    .supports = supports,
    .plan = plan,
    .resize = resize,
    .bind = bind,
};

}  // namespace medulla::cpu
