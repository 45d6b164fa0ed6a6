// SPDX-License-Identifier: Apache-2.0
// What moves elements. Shapes, axes and counts become attributes.
#include <algorithm>

#include "tools/import/dimensions.h"
#include "tools/import/tflite_ops.h"

namespace medulla::tools {
namespace {

using Op = tflite::BuiltinOperator;

int32_t slice(TfliteNode& node, int32_t x, const Dims& starts, const Dims& ends,
              const Dims& steps) {
  Dims axes;
  for (size_t d = 0; d < starts.size(); ++d) axes.push_back(static_cast<int64_t>(d));
  return node.build.add_like(
      "Slice", {x}, {{"starts", starts}, {"ends", ends}, {"axes", axes}, {"steps", steps}});
}

}  // namespace

// RESHAPE gives the shape as a tensor or as an option; SQUEEZE and EXPAND_DIMS say what changes.
void convert_reshape(TfliteNode& node) {
  Builder& build = node.build;
  const int32_t x = node.moved(0);
  const int64_t rank = build.rank(x);
  if (node.op == Op::EXPAND_DIMS) {
    const Dims axis = node.constant_ints(1, "the axis");
    if (axis.size() != 1) refuse("the axis is " + std::to_string(axis.size()) + " numbers");
    return node.set(
        0, build.add_like("Unsqueeze", {x}, {{"axes", Dims{node.axis(axis[0], rank + 1)}}}));
  }
  if (node.op == Op::SQUEEZE) {
    Dims axes;
    const auto* options = node.proto.options_as<tflite::SqueezeOptions>();
    if (options != nullptr && options->dims() != nullptr) {
      for (const int32_t a : *options->dims()) axes.push_back(node.axis(a, rank));
    }
    const bool all = axes.empty();
    for (int64_t d = 0; all && d < rank; ++d) {
      if (build.dims(x)[static_cast<size_t>(d)] == 1) axes.push_back(d);
    }
    if (axes.empty()) return node.set(0, x);
    std::sort(axes.begin(), axes.end());
    return node.set(0, build.add_like("Squeeze", {x}, {{"axes", axes}}));
  }
  Dims shape;
  const auto* options = node.proto.options_as<tflite::ReshapeOptions>();
  if (node.has(1)) {
    shape = node.constant_ints(1, "the shape");
  } else if (options != nullptr && options->new_shape() != nullptr) {
    shape.assign(options->new_shape()->begin(), options->new_shape()->end());
  } else {
    refuse("has no shape");
  }
  if (shape == Dims{0}) shape.clear();  // how old files write a scalar
  if (shape == build.dims(x)) return node.set(0, x);
  node.set(0, build.add_like("Reshape", {x}, {{"shape", shape}, {"allowzero", int64_t{1}}}));
}

void convert_transpose(TfliteNode& node) {
  Dims perm;
  const int32_t x = node.moved(0);
  for (const int64_t p : node.constant_ints(1, "the permutation")) {
    perm.push_back(node.axis(p, node.build.rank(x)));
  }
  node.set(0, node.build.transpose(x, perm));
}

void convert_concatenation(TfliteNode& node) {
  const auto& options = node.options<tflite::ConcatenationOptions>();
  Builder& build = node.build;
  std::vector<int32_t> all, inputs;
  const bool integers = node.moved(0, node.input_count()) == node.stored(0) &&
                        options.activation() == tflite::Activation::NONE;
  for (size_t i = 0; i < node.input_count(); ++i) {
    const int32_t t = integers ? node.stored(i) : node.value(i);
    all.push_back(t);
    if (build.tensor(t).elements() > 0) inputs.push_back(t);
  }
  if (inputs.empty()) inputs = all;
  const int64_t axis = node.axis(options.axis(), build.rank(inputs[0]));
  const int32_t y = build.concat(std::move(inputs), axis);
  node.set(0, node.activated(y, options.activation()));
}

void convert_pack(TfliteNode& node) {
  const auto& options = node.options<tflite::PackOptions>();
  Builder& build = node.build;
  const bool integers = node.moved(0, node.input_count()) == node.stored(0);
  std::vector<int32_t> inputs;
  int64_t axis = 0;
  for (size_t i = 0; i < node.input_count(); ++i) {
    const int32_t t = integers ? node.stored(i) : node.value(i);
    axis = node.axis(options.axis(), build.rank(t) + 1);
    inputs.push_back(build.add_like("Unsqueeze", {t}, {{"axes", Dims{axis}}}));
  }
  node.set(0, build.concat(std::move(inputs), axis));
}

void convert_unpack(TfliteNode& node) {
  const auto& options = node.options<tflite::UnpackOptions>();
  Builder& build = node.build;
  const int32_t x = node.moved(0);
  const int64_t axis = node.axis(options.axis(), build.rank(x));
  for (size_t o = 0; o < node.output_count(); ++o) {
    const auto at = static_cast<int64_t>(o);
    const int32_t part = build.add_like(
        "Slice", {x},
        {{"starts", Dims{at}}, {"ends", Dims{at + 1}}, {"axes", Dims{axis}}, {"steps", Dims{1}}});
    node.set(o, build.add_like("Squeeze", {part}, {{"axes", Dims{axis}}}));
  }
}

// SPLIT (axis, x) into equal parts; SPLIT_V (x, sizes, axis), where one size may be -1.
void convert_split(TfliteNode& node) {
  Builder& build = node.build;
  const bool equal = node.op == Op::SPLIT;
  const int32_t x = node.moved(equal ? 1 : 0);
  const Dims given = node.constant_ints(equal ? 0 : 2, "the axis");
  if (given.size() != 1) refuse("the axis is " + std::to_string(given.size()) + " numbers");
  const int64_t axis = node.axis(given[0], build.rank(x));
  const int64_t whole = build.dims(x)[static_cast<size_t>(axis)];
  const auto parts = static_cast<int64_t>(node.output_count());
  Dims sizes;
  if (equal) {
    if (parts < 1 || whole % parts != 0) {
      refuse("cannot split " + std::to_string(whole) + " into " + std::to_string(parts));
    }
    sizes.assign(node.output_count(), whole / parts);
  } else {
    sizes = node.constant_ints(1, "the list of sizes");
    int64_t rest = whole;
    for (const int64_t s : sizes) rest -= std::max<int64_t>(s, 0);
    for (int64_t& s : sizes) s = s == -1 ? rest : s;
  }
  if (sizes.size() != node.output_count()) refuse("has another number of outputs than of sizes");
  int64_t start = 0;
  for (size_t o = 0; o < sizes.size(); ++o) {
    node.set(o, build.add_like("Slice", {x},
                               {{"starts", Dims{start}},
                                {"ends", Dims{start + sizes[o]}},
                                {"axes", Dims{axis}},
                                {"steps", Dims{1}}}));
    start += sizes[o];
  }
}

void convert_slice(TfliteNode& node) {
  const int32_t x = node.moved(0);
  const Dims begin = node.constant_ints(1, "the begin"), size = node.constant_ints(2, "the size");
  const Dims& dims = node.build.dims(x);
  if (begin.size() != dims.size() || size.size() != dims.size()) {
    refuse("begin and size should have " + std::to_string(dims.size()) + " numbers");
  }
  Dims ends;
  for (size_t d = 0; d < dims.size(); ++d) {
    if (begin[d] < 0 || begin[d] > dims[d] || size[d] < -1 || size[d] > dims[d] - begin[d]) {
      refuse("begin " + std::to_string(begin[d]) + " and size " + std::to_string(size[d]) +
             " leave dimension " + std::to_string(d));
    }
    ends.push_back(size[d] == -1 ? INT32_MAX : begin[d] + size[d]);
  }
  node.set(0, slice(node, x, begin, ends, Dims(dims.size(), 1)));
}

// Python's x[a:b:c, ..., newaxis, k]: bit i of a mask speaks of the i-th entry.
void convert_strided_slice(TfliteNode& node) {
  const auto& options = node.options<tflite::StridedSliceOptions>();
  const int32_t x = node.moved(0);
  const Dims begin = node.constant_ints(1, "the begin"), end = node.constant_ints(2, "the end"),
             strides = node.constant_ints(3, "the strides");
  const Dims dims = node.build.dims(x);
  if (begin.size() != end.size() || begin.size() != strides.size() || begin.size() > 31) {
    refuse("begin, end and strides should have as many numbers");
  }
  const auto bit = [](int32_t mask, size_t i) { return (mask >> i & 1) != 0; };
  size_t news = 0;
  bool ellipsis = false;
  for (size_t i = 0; i < begin.size(); ++i) {
    if (bit(options.ellipsis_mask(), i)) {
      ellipsis = true;
    } else {
      news += bit(options.new_axis_mask(), i);
    }
  }
  const size_t named = begin.size() - news - ellipsis;
  if (named > dims.size()) refuse("names more dimensions than the input has");
  Dims starts, ends, steps, shape, dropped, added;
  const auto symbols = symbols_of(node.build.tensor(x));
  const auto whole = [&] {
    starts.push_back(0);
    ends.push_back(INT32_MAX);
    steps.push_back(1);
    shape.push_back(dims[starts.size() - 1]);
  };
  for (size_t i = 0; i < begin.size(); ++i) {
    if (bit(options.ellipsis_mask(), i)) {
      for (size_t k = named; k < dims.size(); ++k) whole();
      continue;
    }
    if (bit(options.new_axis_mask(), i)) {
      added.push_back(static_cast<int64_t>(shape.size()));
      shape.push_back(1);
      continue;
    }
    const size_t d = starts.size();
    const int64_t size = dims[d], step = strides[i];
    if (step == 0) refuse("a stride is 0");
    const bool shrinks = bit(options.shrink_axis_mask(), i);
    if (shrinks) dropped.push_back(static_cast<int64_t>(d));
    if (!symbols[d].empty()) {
      // Counted from an end that is known at run time.
      if (options.offset()) require_static(node.build, x, d, "an end that is an offset");
      const bool last = begin[i] == -1;
      const int64_t past = step > 0 ? INT32_MAX : INT32_MIN;
      starts.push_back(!bit(options.begin_mask(), i) || shrinks ? begin[i]
                       : step > 0                               ? 0
                                                                : INT32_MAX);
      ends.push_back(shrinks                      ? (last ? INT32_MAX : begin[i] + 1)
                     : bit(options.end_mask(), i) ? past
                                                  : end[i]);
      steps.push_back(shrinks ? 1 : step);
      if (!shrinks) shape.push_back(size);  // is inferred
      continue;
    }
    const auto clamped = [&](int64_t v) {
      v = v < 0 ? v + size : v;
      return std::clamp<int64_t>(v, step > 0 ? 0 : -1, step > 0 ? size : size - 1);
    };
    int64_t from = bit(options.begin_mask(), i) ? (step > 0 ? 0 : size - 1) : clamped(begin[i]);
    int64_t to = bit(options.end_mask(), i) ? (step > 0 ? size : -1)
                 : options.offset()         ? clamped(begin[i] + end[i])
                                            : clamped(end[i]);
    if (shrinks) {
      const int64_t at = begin[i] < 0 ? begin[i] + size : begin[i];
      if (at < 0 || at >= size) {
        refuse("index " + std::to_string(begin[i]) + " leaves a dimension of " +
               std::to_string(size));
      }
      from = at;
      to = at + 1;
      steps.push_back(1);
    } else {
      const int64_t span = step > 0 ? to - from : from - to;
      shape.push_back(span > 0 ? (span - 1) / std::abs(step) + 1 : 0);
      if (span <= 0) from = to = 0;
      steps.push_back(span > 0 ? step : 1);
    }
    starts.push_back(from);
    // Below the first element: counted from the end, beyond every size.
    ends.push_back(to < 0 ? INT32_MIN : to);
  }
  while (starts.size() < dims.size()) whole();
  int32_t y = slice(node, x, starts, ends, steps);
  if (node.build.is_static(x)) return node.set(0, node.build.reshape(y, shape));
  if (!dropped.empty()) y = node.build.add_like("Squeeze", {y}, {{"axes", dropped}});
  if (!added.empty()) y = node.build.add_like("Unsqueeze", {y}, {{"axes", added}});
  node.set(0, y);
}

void convert_reverse(TfliteNode& node) {
  const int32_t x = node.moved(0);
  Dims axes;
  for (const int64_t a : node.constant_ints(1, "the list of axes")) {
    axes.push_back(node.axis(a, node.build.rank(x)));
  }
  if (axes.empty()) return node.set(0, x);
  node.set(0, node.build.add_like("Slice", {x},
                                  {{"starts", Dims(axes.size(), -1)},
                                   {"ends", Dims(axes.size(), INT32_MIN)},
                                   {"axes", axes},
                                   {"steps", Dims(axes.size(), -1)}}));
}

// With batch dimensions, x [B..., O..., A, I...] and indices [B..., K...] give [B..., O..., K...,
// I...]: one gather from [B * A, O..., I...] by indices that each batch has moved by A.
void convert_gather(TfliteNode& node) {
  const auto* options = node.proto.options_as<tflite::GatherOptions>();
  Builder& build = node.build;
  const int32_t x = node.moved(0);
  const int32_t at = node.stored(1);
  const int64_t axis = node.axis(options == nullptr ? 0 : options->axis(), build.rank(x));
  const int64_t batch_dims = options == nullptr ? 0 : options->batch_dims();
  const Dims d = build.dims(x), k = build.dims(at);
  const int64_t b = batch_dims < 0 ? batch_dims + static_cast<int64_t>(k.size()) : batch_dims;
  if (b == 0) return node.set(0, build.add_like("Gather", {x, at}, {{"axis", axis}}));
  if (b < 0 || b > axis || b > static_cast<int64_t>(k.size())) {
    refuse("batch_dims is " + std::to_string(batch_dims) + ", more than the axis or the indices");
  }
  node.require_static(x, "GATHER with batch dimensions");
  node.require_static(at, "GATHER with batch dimensions");
  const auto first = [&](const Dims& dims, int64_t count) { return dims.begin() + count; };
  if (!std::equal(d.begin(), first(d, b), k.begin())) refuse("the batch dimensions differ");
  int64_t batch = 1, each = 1;
  for (int64_t i = 0; i < b; ++i) batch *= d[static_cast<size_t>(i)];
  for (auto i = first(k, b); i != k.end(); ++i) each *= *i;
  const int64_t size = d[static_cast<size_t>(axis)];

  Dims perm, flat = {batch * size}, result(d.begin(), first(d, b));
  for (int64_t i = 0; i < b; ++i) perm.push_back(i);
  perm.push_back(axis);
  for (int64_t i = b; i < static_cast<int64_t>(d.size()); ++i) {
    if (i == axis) continue;
    perm.push_back(i);
    flat.push_back(d[static_cast<size_t>(i)]);
  }
  std::vector<int64_t> moves;
  for (int64_t i = 0; i < batch; ++i) moves.push_back(i * size);
  const int32_t wide = build.add_typed("Cast", {build.reshape(at, {batch, each})},
                                       {{"to", int64_t{MDL_INT64}}}, MDL_INT64);
  const int32_t indices = build.add("Add", {wide, build.constant(MDL_INT64, {batch, 1}, moves)});
  int32_t y = build.add_like("Gather", {build.reshape(build.transpose(x, perm), flat), indices},
                             {{"axis", int64_t{0}}});
  // [batch, each, O..., I...] -> [batch, O..., each, I...]
  const int64_t outer = axis - b;
  Dims back = {0};
  for (int64_t i = 0; i < outer; ++i) back.push_back(i + 2);
  back.push_back(1);
  for (int64_t i = outer + 2; i < build.rank(y); ++i) back.push_back(i);
  y = build.transpose(y, back);
  result.insert(result.end(), first(d, b), first(d, axis));
  result.insert(result.end(), first(k, b), k.end());
  result.insert(result.end(), first(d, axis + 1), d.end());
  node.set(0, build.reshape(y, result));
}

void convert_tile(TfliteNode& node) {
  node.set(0, node.build.add_like("Tile", {node.moved(0)},
                                  {{"repeats", node.constant_ints(1, "the list of repeats")}}));
}

}  // namespace medulla::tools
