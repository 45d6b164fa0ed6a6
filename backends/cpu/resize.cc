// SPDX-License-Identifier: Apache-2.0
// Resize to the nearest, linear Resize and QResize of static shapes, where one dimension or two
// neighboring ones change: whole pixels at a time. Indices and weights are computed at load.
#include <algorithm>
#include <cstring>

#include "backends/cpu/chain.h"
#include "backends/cpu/quantized.h"
#include "src/ops/resize.h"

namespace medulla::cpu {

extern const Lowering lowering_resize;

namespace {

// What an index of a resized dimension reads, in elements of that dimension.
struct Tap {
  size_t first;
  size_t second;
  float weight_first;
  float weight_second;
};

// [outer, in[0], in[1], inner] becomes [outer, out[0], out[1], inner].
struct Extents {
  size_t outer;
  size_t in[2];
  size_t out[2];
  size_t inner;
  uint32_t dims[2];  // that change; MDL_MAX_RANK: none
};

struct Plan;
// Computes the row of pixels that the taps of dimension 0 give.
using RowFunction = void (*)(const Plan& plan, const Tap* taps, const Tap& tap, const void* x,
                             void* y);

struct Plan {
  StepHead head;
  RowFunction row;
  Extents extents;
  size_t bytes;  // of an element
  int32_t in_zero_point;
  float k;
  OutputRule rule;
};

struct Args {
  const Plan* plan;
  const Tap* taps[2];
  const unsigned char* x;
  unsigned char* y;
};

mdl_status read_extents(const GroupView& group, Resize* resize, Extents* extents,
                        mdl_error* error) {
  constexpr const char* kOps[] = {"Resize", "QResize"};
  const NodeView node = group.node(0);
  if (group.node_count() != 1 || !is_one_of(node.node(), kOps)) return MDL_ERROR_UNSUPPORTED;
  const mdl_tensor& x = *node.input(0);
  if (x.data != nullptr) return fail(error, MDL_ERROR_UNSUPPORTED, "a constant");
  for (uint32_t d = 0; d < x.rank; ++d) {
    if (x.symbols[d] != nullptr) {
      return fail(error, MDL_ERROR_UNSUPPORTED, "its shape can vary");
    }
  }
  MDL_TRY(read_resize(node, max_shape(x), resize, error));
  if (resize->mode == Resize::Mode::cubic || resize->antialias ||
      resize->coordinates == Resize::Coordinates::tf_crop_and_resize) {
    return fail(error, MDL_ERROR_UNSUPPORTED, "cubic, with antialias, or of a region");
  }
  if (resize->mode == Resize::Mode::linear && x.dtype != MDL_FLOAT32 && x.dtype != MDL_INT8) {
    return fail(error, MDL_ERROR_UNSUPPORTED, "linear, of neither float32 nor int8");
  }
  *extents = {1, {1, 1}, {1, 1}, 1, {MDL_MAX_RANK, MDL_MAX_RANK}};
  size_t found = 0;
  for (uint32_t d = x.rank; d-- > 0;) {
    const auto in = static_cast<size_t>(resize->input.dims[d]);
    const auto out = static_cast<size_t>(resize->output.dims[d]);
    if (out == 0) return fail(error, MDL_ERROR_UNSUPPORTED, "without elements");
    if (resize->changes(d)) {
      if (found == 2 || (found == 1 && extents->outer > 1)) {
        return fail(error, MDL_ERROR_UNSUPPORTED, "other than two neighboring dimensions change");
      }
      extents->in[1 - found] = in;
      extents->out[1 - found] = out;
      extents->dims[1 - found] = d;
      ++found;
    } else if (found == 0) {
      extents->inner *= in;
    } else {
      extents->outer *= in;
    }
  }
  return MDL_OK;
}

mdl_status supports(const Cpu&, const GroupView& group, mdl_error* error) {
  Resize resize;
  Extents extents;
  return read_extents(group, &resize, &extents, error);
}

void copy_row(const Plan& plan, const Tap* taps, const Tap& tap, const void* x, void* y) {
  const Extents& e = plan.extents;
  const size_t bytes = e.inner * plan.bytes;
  const auto* from = static_cast<const unsigned char*>(x) + tap.first * e.in[1] * bytes;
  auto* to = static_cast<unsigned char*>(y);
  for (size_t i = 0; i < e.out[1]; ++i, to += bytes) {
    std::memcpy(to, from + taps[i].first * bytes, bytes);
  }
}

struct FloatPixel {
  explicit FloatPixel(const Plan&) {}
  float load(float x) const { return x; }
  float store(float v) const { return v; }
};
// Copies of the numbers, for stored bytes might be the plan's as far as a compiler knows.
struct Int8Pixel {
  explicit Int8Pixel(const Plan& plan)
      : in_zero_point(plan.in_zero_point), k(plan.k), rule(plan.rule) {}
  float load(int8_t x) const { return static_cast<float>(x - in_zero_point); }
  int8_t store(float v) const { return quantize_s8(v * k, rule.zero_point, rule.min, rule.max); }
  const int32_t in_zero_point;
  const float k;
  const OutputRule rule;
};

// fl(fl(a * w0) + fl(b * w1)) along dimension 1, then along dimension 0, if that changes.
template <class Pixel, class T, bool kTwo>
void interpolate_row(const Plan& plan, const Tap* taps, const Tap& tap, const void* x, void* y) {
  const Pixel pixel(plan);
  const Extents e = plan.extents;
  const size_t pitch = e.in[1] * e.inner;
  const float v0 = tap.weight_first;
  const float v1 = tap.weight_second;
  const T* const first = static_cast<const T*>(x) + tap.first * pitch;
  const T* const second = static_cast<const T*>(x) + tap.second * pitch;
  T* to = static_cast<T*>(y);
  for (size_t i = 0; i < e.out[1]; ++i, to += e.inner) {
    const float w0 = taps[i].weight_first;
    const float w1 = taps[i].weight_second;
    const size_t a = taps[i].first * e.inner;
    const size_t b = taps[i].second * e.inner;
    for (size_t c = 0; c < e.inner; ++c) {
      float v = pixel.load(first[a + c]) * w0 + pixel.load(first[b + c]) * w1;
      if constexpr (kTwo) {
        const float below = pixel.load(second[a + c]) * w0 + pixel.load(second[b + c]) * w1;
        v = v * v0 + below * v1;
      }
      to[c] = pixel.store(v);
    }
  }
}

template <class Pixel, class T>
RowFunction row_function(bool two) {
  return two ? interpolate_row<Pixel, T, true> : interpolate_row<Pixel, T, false>;
}

mdl_status run(const void* memory, uint32_t, int64_t begin, int64_t end, void*) {
  const Args& args = *static_cast<const Args*>(memory);
  const Plan& plan = *args.plan;
  const Extents& e = plan.extents;
  const size_t in_bytes = e.in[0] * e.in[1] * e.inner * plan.bytes;
  const size_t row_bytes = e.out[1] * e.inner * plan.bytes;
  for (size_t r = static_cast<size_t>(begin); r < static_cast<size_t>(end); ++r) {
    const Tap& tap = args.taps[0][r % e.out[0]];
    const unsigned char* x = args.x + r / e.out[0] * in_bytes;
    unsigned char* y = args.y + r * row_bytes;
    const bool again = plan.row == copy_row && r > static_cast<size_t>(begin) &&
                       r % e.out[0] != 0 && (&tap)[-1].first == tap.first;
    if (again) {
      std::memcpy(y, y - row_bytes, row_bytes);
    } else {
      plan.row(plan, args.taps[1], tap, x, y);
    }
  }
  return MDL_OK;
}

mdl_status plan(const Cpu&, const GroupView& group, const mdl_host& host, mdl_step& step,
                mdl_error* error) {
  Resize resize;
  Extents extents;
  MDL_TRY(read_extents(group, &resize, &extents, error));
  const NodeView node = group.node(0);
  Plan* plan = make_step_data<Plan>(host, lowering_resize, step);
  if (plan == nullptr) return fail_memory(error, node);
  const bool two = extents.dims[0] < MDL_MAX_RANK;
  const bool quantized = is_op(node.node(), "QResize");
  plan->extents = extents;
  plan->bytes = mdl_dtype_bits(node.input(0)->dtype) / 8;
  plan->in_zero_point = zero_point_of(*node.input(0));
  plan->k = static_cast<float>(node.float_or("multiplier", 1));
  plan->rule = read_output_rule(node);
  plan->row =
      quantized ? row_function<Int8Pixel, int8_t>(two) : row_function<FloatPixel, float>(two);
  const bool changes = extents.dims[1] < MDL_MAX_RANK;
  if (resize.mode == Resize::Mode::nearest || (!changes && !quantized)) plan->row = copy_row;
  step.kernel = plan->row == copy_row ? "resize_nearest" : "resize_linear";
  step.run = run;
  step.args_bytes = sizeof(Args);
  step.packed_bytes = (extents.out[0] + extents.out[1]) * sizeof(Tap);
  return MDL_OK;
}

void pack(const GroupView& group, const mdl_step&, void* packed) {
  Resize resize;
  Extents extents;
  if (read_extents(group, &resize, &extents, nullptr) != MDL_OK) return;
  Tap* tap = static_cast<Tap*>(packed);
  for (size_t i = 0; i < 2; ++i) {
    const auto last = static_cast<int64_t>(extents.in[i]) - 1;
    for (size_t at = 0; at < extents.out[i]; ++at, ++tap) {
      float weights[2] = {1, 0};
      int64_t first = 0;
      if (extents.dims[i] < MDL_MAX_RANK) {
        first = resize.tap(extents.dims[i], static_cast<int64_t>(at), weights).first;
      }
      *tap = {static_cast<size_t>(std::clamp(first, int64_t{0}, last)),
              static_cast<size_t>(std::clamp(first + 1, int64_t{0}, last)), weights[0], weights[1]};
    }
  }
}

mdl_status resize(const mdl_step& step, const mdl_shape*, void* memory, mdl_rows& rows,
                  mdl_error*) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  static_cast<Args*>(memory)->plan = &plan;
  rows.rows[0] = static_cast<int64_t>(plan.extents.outer * plan.extents.out[0]);
  return MDL_OK;
}

void bind(const mdl_step& step, const mdl_operand* operands, const void* packed, void* memory) {
  const Plan& plan = *static_cast<const Plan*>(step.data);
  Args& args = *static_cast<Args*>(memory);
  args.taps[0] = static_cast<const Tap*>(packed);
  args.taps[1] = args.taps[0] + plan.extents.out[0];
  args.x = static_cast<const unsigned char*>(operands[0].data);
  args.y = static_cast<unsigned char*>(operands[1].data);
}

}  // namespace

extern const Lowering lowering_resize = {
    .supports = supports,
    .plan = plan,
    .pack = pack,
    .resize = resize,
    .bind = bind,
};

}  // namespace medulla::cpu
