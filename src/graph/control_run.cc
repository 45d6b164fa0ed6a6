// SPDX-License-Identifier: Apache-2.0
// Runs If and Loop: bodies read captures, and write a branch's results, where these lie; what a
// loop carries, slices and joins is copied between its iterations.
#include <algorithm>
#include <cstring>
#include <new>

#include "src/base/text.h"
#include "src/graph/control.h"
#include "src/graph/infer.h"

namespace medulla {
namespace {

// One run of a Loop.
class LoopRun {
 public:
  explicit LoopRun(ControlArgs& args)
      : args_(args),
        control_(*args.step->control),
        loop_(control_.loop),
        node_(*control_.graph, *control_.node),
        parent_(*args.parent),
        body_(args.body(0)) {}

  mdl_status run() {
    MDL_TRY(read_head());
    for (size_t i = 0; i < loop_.captures; ++i) {
      const size_t at = 2 + loop_.carried + loop_.scanned + i;
      const int32_t t = control_.node->inputs[at];
      body_.give_input(at, parent_.data(t), parent_.shape(t));
    }
    for (size_t c = 0; c < loop_.carried; ++c) {
      const int32_t t = control_.node->inputs[2 + c];
      carry(c, parent_.data(t), parent_.shape(t));
    }
    for (; done_ < trips_ && goes_on_; ++done_) MDL_TRY(iterate());
    if (goes_on_ && loop_.conditional && node_.input(0) == nullptr) {
      return parent_.fail_control(MDL_ERROR_LIMIT, node_, "still goes on after ", done_,
                                  " iterations, the most that the file declares");
    }
    finish();
    return MDL_OK;
  }

 private:
  mdl_status read_head() {
    trips_ = loop_.limit;
    if (node_.input(0) != nullptr) {
      std::memcpy(&trips_, parent_.data(control_.node->inputs[0]), sizeof(trips_));
      if (trips_ > loop_.limit) {
        return parent_.fail_control(MDL_ERROR_LIMIT, node_, "the trip count is ", trips_,
                                    ", the file declares at most ", loop_.limit);
      }
    }
    if (loop_.scanned > 0) trips_ = scanned_shape(0).dims[0];
    if (node_.input(1) != nullptr) {
      goes_on_ = *static_cast<const uint8_t*>(parent_.data(control_.node->inputs[1])) != 0;
    }
    return MDL_OK;
  }

  mdl_shape scanned_shape(size_t s) const {
    return parent_.shape(control_.node->inputs[2 + loop_.carried + s]);
  }
  void* inside(size_t i) const { return body_.data(loop_.body->inputs[i]); }
  int32_t result(size_t o) const { return loop_.body->outputs[loop_.body_result() + o]; }

  void carry(size_t c, const void* from, const mdl_shape& shape) {
    const mdl_dtype dtype = body_input(*loop_.body, 2 + c).dtype;
    std::memcpy(inside(2 + c), from, tensor_bytes(dtype, shape));
    body_.give_shape(2 + c, shape);
  }

  // The index that iteration number `done_` has in a tensor that may be read or filled from its
  // end.
  size_t index(const char* flags, size_t n) const {
    const std::span reversed = node_.ints(flags);
    const bool back = n < reversed.size() && reversed[n] != 0;
    return static_cast<size_t>(back ? trips_ - 1 - done_ : done_);
  }

  mdl_status iterate() {
    std::memcpy(inside(0), &done_, sizeof(done_));
    *static_cast<uint8_t*>(inside(1)) = 1;
    for (size_t s = 0; s < loop_.scanned; ++s) {
      const size_t at = 2 + loop_.carried + s;
      const mdl_shape whole = scanned_shape(s);
      mdl_shape slice = {whole.rank - 1, {}};
      std::copy_n(whole.dims + 1, slice.rank, slice.dims);
      const size_t bytes = tensor_bytes(body_input(*loop_.body, at).dtype, slice);
      const auto* from = static_cast<const std::byte*>(parent_.data(control_.node->inputs[at]));
      std::memcpy(inside(at), from + index("reversed_inputs", s) * bytes, bytes);
      body_.give_shape(at, slice);
    }
    MDL_TRY(parent_.run_body(body_, node_, done_));
    if (loop_.conditional) {
      goes_on_ = *static_cast<const uint8_t*>(body_.data(loop_.body->outputs[0])) != 0;
    }
    for (size_t k = 0; k < loop_.scans; ++k) MDL_TRY(join(k));
    for (size_t c = 0; c < loop_.carried; ++c)
      carry(c, body_.data(result(c)), body_.shape(result(c)));
    return MDL_OK;
  }

  // Every piece of a scan has the shape of the first.
  mdl_status join(size_t k) {
    const int32_t from = result(loop_.carried + k);
    const int32_t to = control_.node->outputs[loop_.carried + k];
    const mdl_shape piece = body_.shape(from);
    mdl_shape& whole = args_.found()[loop_.carried + k];
    if (done_ > 0 && !std::equal(piece.dims, piece.dims + piece.rank, whole.dims + 1)) {
      mdl_shape first = {piece.rank, {}};
      std::copy_n(whole.dims + 1, piece.rank, first.dims);
      return parent_.fail_control(MDL_ERROR_SHAPE, node_, "'", loop_.body->tensors[from].name,
                                  "' is ", piece, " in iteration ", done_, " and was ", first,
                                  " before; what is joined has one shape");
    }
    whole.rank = piece.rank + 1;
    whole.dims[0] = done_ + 1;
    std::copy_n(piece.dims, piece.rank, whole.dims + 1);
    void* const data = to >= 0 ? parent_.data(to) : nullptr;
    if (data == nullptr) return MDL_OK;
    const size_t bytes = tensor_bytes(loop_.body->tensors[from].dtype, piece);
    std::memcpy(static_cast<std::byte*>(data) + index("reversed_outputs", k) * bytes,
                body_.data(from), bytes);
    return MDL_OK;
  }

  void finish() {
    for (size_t c = 0; c < loop_.carried; ++c) {
      const int32_t t = loop_.body->inputs[2 + c];
      args_.found()[c] = body_.given_shape(2 + c);
      const int32_t to = control_.node->outputs[c];
      void* const data = to >= 0 ? parent_.data(to) : nullptr;
      if (data == nullptr) continue;
      std::memcpy(data, inside(2 + c),
                  tensor_bytes(loop_.body->tensors[t].dtype, args_.found()[c]));
    }
    for (size_t k = 0; k < loop_.scans && done_ == 0; ++k) {
      const mdl_tensor& piece = loop_.body->tensors[result(loop_.carried + k)];
      mdl_shape& whole = args_.found()[loop_.carried + k];
      whole = {piece.rank + 1, {0}};
      std::copy_n(piece.dims, piece.rank, whole.dims + 1);
    }
  }

  ControlArgs& args_;
  const Control& control_;
  const LoopShape& loop_;
  const NodeView node_;
  Session& parent_;
  Session& body_;
  int64_t trips_ = 0;
  int64_t done_ = 0;
  bool goes_on_ = true;
};

mdl_status run_branch(ControlArgs& args) {
  const Control& control = *args.step->control;
  const mdl_node& node = *control.node;
  Session& parent = *args.parent;
  const bool taken = *static_cast<const uint8_t*>(parent.data(node.inputs[0])) != 0;
  Session& body = args.body(taken ? 0 : 1);
  const mdl_graph& graph = body.program().graph;
  for (uint32_t i = 1; i < node.input_count; ++i) {
    const int32_t t = node.inputs[i];
    body.give_input(i - 1, parent.data(t), parent.shape(t));
  }
  for (uint32_t o = 0; o < node.output_count; ++o) {
    body.give_output(o, parent.data(node.outputs[o]));
  }
  MDL_TRY(parent.run_body(body, NodeView(*control.graph, node), -1));
  for (uint32_t o = 0; o < node.output_count; ++o) args.found()[o] = body.shape(graph.outputs[o]);
  return MDL_OK;
}

}  // namespace

mdl_status run_control(const void* memory, uint32_t, int64_t, int64_t, void*) {
  ControlArgs& args = *static_cast<ControlArgs*>(const_cast<void*>(memory));
  if (args.step->control->loop.body == nullptr) return run_branch(args);
  return LoopRun(args).run();
}

void found_by_control(const void* memory, mdl_shape* shapes) {
  ControlArgs& args = *static_cast<ControlArgs*>(const_cast<void*>(memory));
  const mdl_node& node = *args.step->control->node;
  size_t made = 0;
  for (uint32_t o = 0; o < node.output_count; ++o) {
    if (node.outputs[o] >= 0) shapes[made++] = args.found()[o];
  }
}

// The bodies' sessions open when the step is first prepared; what a body needs of shapes and
// pointers it gets when it runs.
mdl_status Session::prepare_control(const Step& step, Call* call, mdl_error* error) {
  ControlArgs& args = *reinterpret_cast<ControlArgs*>(args_ + step.args_offset);
  const Control& control = *step.control;
  if (args.parent == nullptr) {
    std::byte* const room = arena_ + program_->storages[static_cast<size_t>(step.room)].offset;
    args = {this, &step};
    for (size_t b = 0; b < control.bodies.size(); ++b) {
      Session* body = new (static_cast<void*>(&args.body(b))) Session();
      MDL_TRY(body->open_body(control.bodies[b], *this, room, error));
    }
  }
  *call = {.run = step.plan.run,
           .args = &args,
           .rows = 1,
           .phase = 0,
           .parts = 1,
           .grain = 1,
           .step = static_cast<uint32_t>(&step - program_->steps.data())};
  return MDL_OK;
}

// Runs a body with what it was given; `iteration` is -1 for a branch.
mdl_status Session::run_body(Session& body, const NodeView& node, int64_t iteration) {
  body.error_.text[0] = 0;
  mdl_status status = body.take_given();
  if (status == MDL_OK) status = body.run_steps();
  if (status == MDL_OK || status == MDL_ERROR_CANCELLED) {
    if (status != MDL_OK) error_ = body.error_;
    return status;
  }
  const char* reason = body.error_.text;
  return iteration < 0 ? fail_control(status, node, reason)
                       : fail_control(status, node, "iteration ", iteration, ": ", reason);
}

// What changed since the body ran last reaches its steps.
mdl_status Session::take_given() {
  if (!given_) return MDL_OK;
  if (shapes_ != nullptr) {
    MDL_TRY(infer_shapes(program_->graph, room_, shapes_, &error_));
  }
  MDL_TRY(prepare_steps(&error_));
  given_ = false;
  return MDL_OK;
}

void Session::give_input(size_t index, void* pointer, const mdl_shape& shape) {
  given_ |= inputs_[index] != pointer;
  inputs_[index] = pointer;
  give_shape(index, shape);
}

void Session::give_output(size_t index, void* pointer) {
  given_ |= outputs_[index] != pointer;
  outputs_[index] = pointer;
}

void Session::give_shape(size_t index, const mdl_shape& shape) {
  if (shapes_ == nullptr) return;
  mdl_shape& known = shapes_[program_->graph.inputs[index]];
  given_ |= !std::equal(shape.dims, shape.dims + shape.rank, known.dims);
  known = shape;
}

}  // namespace medulla
