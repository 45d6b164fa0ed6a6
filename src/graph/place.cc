// SPDX-License-Identifier: Apache-2.0
#include "src/graph/place.h"

#include <algorithm>
#include <cstring>

#include "src/base/text.h"
#include "src/graph/backends.h"
#include "src/graph/control.h"
#include "src/ops/op.h"

namespace medulla {
namespace {

constexpr size_t kMaxMembers = 64;    // of a group
constexpr size_t kMaxReasons = 1024;  // bytes of the refusals of one group

// A group under examination; its arrays are in planning space.
struct Candidate {
  std::span<int32_t> members;
  std::span<int32_t> inputs;
  std::span<int32_t> outputs;

  mdl_group group() const {
    return {members.data(), members.size(), inputs.data(),
            inputs.size(),  outputs.data(), outputs.size()};
  }
};

class Placer {
 public:
  Placer(const mdl_graph& graph, const Uses& uses, std::span<const Instance> backends,
         const PlaceOptions& options, Arena& arena)
      : graph_(graph), uses_(uses), backends_(backends), options_(options), arena_(arena) {}

  mdl_status run(std::span<Step>* steps, mdl_error* error) {
    MDL_TRY(prepare(error));
    for (size_t n = 0; n < graph_.node_count; ++n) {
      if (taken_[n] == 0) MDL_TRY(place(static_cast<int32_t>(n), error));
    }
    // A group's outputs are read behind its last node only, so this order respects every edge.
    const std::span placed = steps_.first(step_count_);
    std::sort(placed.begin(), placed.end(),
              [](const Step& a, const Step& b) { return last(a.group) < last(b.group); });
    *steps = placed;
    return MDL_OK;
  }

 private:
  static int32_t last(const mdl_group& group) { return group.nodes[group.node_count - 1]; }

  mdl_status prepare(mdl_error* error) {
    size_t wanted = 0;
    size_t widest = 0;
    taken_ = arena_.make_temporary<uint8_t>(graph_.node_count);
    in_group_ = arena_.make_temporary<bool>(graph_.node_count);
    listed_ = arena_.make_temporary<bool>(graph_.tensor_count);
    if (taken_ == nullptr || in_group_ == nullptr || listed_ == nullptr) {
      return fail_planning(error);
    }
    for (size_t n = 0; n < graph_.node_count; ++n) {
      const mdl_node& node = graph_.nodes[n];
      taken_[n] = !uses_.live[n] || uses_.view[n];
      wanted += taken_[n] == 0;
      widest = std::max(widest, size_t{node.input_count} + node.output_count);
    }
    steps_ = {arena_.make_temporary<Step>(wanted), wanted};
    lists_ = arena_.make_temporary<int32_t>(kMaxMembers * (1 + 2 * widest));
    widest_ = widest;
    reasons_ = arena_.make_temporary<char>(kMaxReasons);
    if (steps_.data() == nullptr || lists_ == nullptr || reasons_ == nullptr) {
      return fail_planning(error);
    }
    return MDL_OK;
  }

  mdl_status place(int32_t node, mdl_error* error) {
    const Op* op = find_op(graph_.nodes[node].op);
    if (op != nullptr && op->control) return place_control(node, error);
    Text reasons(reasons_, kMaxReasons);
    if (options_.refusals[0] != 0) reasons << options_.refusals << "; ";
    for (size_t b = 0; b < backends_.size(); ++b) {
      int32_t* members = lists_;
      members[0] = node;
      size_t count = 1;
      if (backends_[b].backend->fuse != nullptr) {
        count = backends_[b].backend->fuse(backends_[b].instance, &graph_, node, taken_, members,
                                           kMaxMembers);
        const char* fault = fault_of(node, {members, std::min(count, kMaxMembers)});
        if (count == 0 || count > kMaxMembers) fault = "has no node or too many";
        if (fault != nullptr) {
          reasons << backends_[b].backend->name << ": the group it proposed " << fault << "; ";
          members[0] = node;
          count = 1;
        }
      }
      bool placed = false;
      MDL_TRY(try_backend(b, {members, count}, reasons, &placed, error));
      if (!placed && count > 1) MDL_TRY(try_backend(b, {members, 1}, reasons, &placed, error));
      if (placed) return MDL_OK;
    }
    const NodeView view(graph_, graph_.nodes[node]);
    trim_reasons();
    return fail_node(error, MDL_ERROR_UNSUPPORTED, view,
                     options_.strict ? "no named backend takes it, and placement is strict: "
                                     : "no backend takes it: ",
                     static_cast<const char*>(reasons_));
  }

  mdl_status place_control(int32_t node, mdl_error* error) {
    lists_[0] = node;
    const Candidate candidate = list_tensors({lists_, 1});
    Step& step = steps_[step_count_];
    step = {};
    step.group = candidate.group();
    MDL_TRY(keep_group(candidate, &step.group, error));
    MDL_TRY(plan_control(graph_, graph_.nodes[node], options_, arena_, &step, error));
    taken_[node] = 1;
    ++step_count_;
    return MDL_OK;
  }

  // Null when a group may run as one step. Every reader outside of it has to stand behind its last
  // node: then no path leads out and back, and steps can run in the order of their last nodes.
  const char* fault_of(int32_t node, std::span<const int32_t> members) {
    if (members.empty() || members[0] != node) return "does not begin with the node";
    for (size_t m = 0; m < members.size(); ++m) {
      const int32_t n = members[m];
      if (n < 0 || static_cast<size_t>(n) >= graph_.node_count) return "has a node out of range";
      if (m > 0 && n <= members[m - 1]) return "is not ascending";
      if (taken_[n] != 0) return "has a node that is spoken for";
    }
    for (const int32_t n : members) in_group_[n] = true;
    const char* fault = nullptr;
    for (const int32_t n : members) {
      for (uint32_t o = 0; o < graph_.nodes[n].output_count && fault == nullptr; ++o) {
        const int32_t tensor = graph_.nodes[n].outputs[o];
        if (tensor >= 0) fault = fault_of_tensor(tensor, members.back());
      }
    }
    for (const int32_t n : members) in_group_[n] = false;
    return fault;
  }

  const char* fault_of_tensor(int32_t tensor, int32_t last_member) const {
    bool inside = false;
    bool outside = graph_.tensors[tensor].flags != 0;
    bool early = false;
    for (const int32_t reader : uses_.of(tensor)) {
      if (in_group_[reader]) {
        inside = true;
      } else if (uses_.live[static_cast<size_t>(reader)]) {
        outside = true;
        early |= reader < last_member;
      }
    }
    if (inside && outside) return "hides a tensor that is needed elsewhere";
    if (early) return "leads out and back";
    return nullptr;
  }

  Candidate list_tensors(std::span<int32_t> members) {
    Candidate c;
    c.members = members;
    int32_t* inputs = lists_ + kMaxMembers;
    int32_t* outputs = inputs + kMaxMembers * widest_;
    size_t input_count = 0;
    size_t output_count = 0;
    for (const int32_t n : members) in_group_[n] = true;
    for (const int32_t n : members) {
      const mdl_node& node = graph_.nodes[n];
      for (uint32_t i = 0; i < node.input_count; ++i) {
        const int32_t t = node.inputs[i];
        if (t < 0 || listed_[t]) continue;
        const mdl_tensor& tensor = graph_.tensors[t];
        if (tensor.data != nullptr || (tensor.producer >= 0 && in_group_[tensor.producer]))
          continue;
        listed_[t] = true;
        inputs[input_count++] = t;
      }
      for (uint32_t o = 0; o < node.output_count; ++o) {
        const int32_t t = node.outputs[o];
        if (t < 0) continue;
        const auto inside = [&](int32_t reader) { return in_group_[reader]; };
        const std::span readers = uses_.of(t);
        if (std::none_of(readers.begin(), readers.end(), inside)) outputs[output_count++] = t;
      }
    }
    for (size_t i = 0; i < input_count; ++i) listed_[inputs[i]] = false;
    for (const int32_t n : members) in_group_[n] = false;
    c.inputs = {inputs, input_count};
    c.outputs = {outputs, output_count};
    return c;
  }

  mdl_status try_backend(size_t b, std::span<int32_t> members, Text& reasons, bool* placed,
                         mdl_error* error) {
    const mdl_backend& backend = *backends_[b].backend;
    const Candidate candidate = list_tensors(members);
    mdl_group group = candidate.group();
    mdl_error reason = MDL_ERROR_INIT;
    mdl_status status =
        checked_status(backend.supports(backends_[b].instance, &graph_, &group, &reason), &reason);
    Step& step = steps_[step_count_];
    if (status == MDL_OK) {
      MDL_TRY(keep_group(candidate, &group, error));
      step = {};
      step.plan.struct_size = sizeof(mdl_step);
      const mdl_host host = {sizeof(mdl_host), &arena_, allocate};
      status = checked_status(
          backend.plan(backends_[b].instance, &graph_, &group, &host, &step.plan, &reason),
          &reason);
      if (status == MDL_OK) status = check_plan(group, step.plan, &reason);
    }
    if (status == MDL_ERROR_UNSUPPORTED) {
      reasons << backend.name << ": ";
      if (members.size() > 1) reasons << "as a group of " << members.size() << ": ";
      reasons << static_cast<const char*>(reason.text) << "; ";
      return MDL_OK;
    }
    if (status != MDL_OK) {
      const NodeView node(graph_, graph_.nodes[members[0]]);
      return fail_node(error, status, node, "backend ", backend.name, ": ",
                       static_cast<const char*>(reason.text));
    }
    step.group = group;
    step.backend = static_cast<uint32_t>(b);
    MDL_TRY(keep_reasons(&step, error));
    for (const int32_t n : members) taken_[n] = 1;
    ++step_count_;
    *placed = true;
    return MDL_OK;
  }

  mdl_status check_plan(const mdl_group& group, const mdl_step& plan, mdl_error* reason) const {
    if (plan.run == nullptr || plan.kernel == nullptr || plan.phase_count == 0 ||
        plan.phase_count > MDL_MAX_PHASES) {
      return fail(reason, MDL_ERROR_BACKEND, "its step has no run, no kernel name, or ",
                  plan.phase_count, " phases");
    }
    const bool finds = std::any_of(group.nodes, group.nodes + group.node_count, [&](int32_t n) {
      return finds_extents(NodeView(graph_, graph_.nodes[n]));
    });
    if (finds != (plan.found != nullptr) || (finds && group.node_count > 1)) {
      return fail(reason, MDL_ERROR_UNSUPPORTED, "kernel ", plan.kernel,
                  finds ? " does not report, for the node alone, the extents that it finds"
                        : " reports extents that are known before");
    }
    if (plan.numerics > options_.numerics) {
      return fail(reason, MDL_ERROR_UNSUPPORTED, "kernel ", plan.kernel,
                  plan.numerics == MDL_CLASS_BOUNDED ? " is bounded" : " is only measured",
                  " and the program's numerics are ",
                  options_.numerics == MDL_CLASS_EXACT ? "exact" : "fast");
    }
    return MDL_OK;
  }

  mdl_status keep_group(const Candidate& candidate, mdl_group* group, mdl_error* error) {
    const size_t m = candidate.members.size();
    const size_t i = candidate.inputs.size();
    int32_t* list = arena_.make<int32_t>(m + i + candidate.outputs.size());
    if (list == nullptr) return fail_planning(error);
    std::copy(candidate.members.begin(), candidate.members.end(), list);
    std::copy(candidate.inputs.begin(), candidate.inputs.end(), list + m);
    std::copy(candidate.outputs.begin(), candidate.outputs.end(), list + m + i);
    group->nodes = list;
    group->inputs = list + m;
    group->outputs = list + m + i;
    return MDL_OK;
  }

  // Takes the last separator off; the length of what is left.
  size_t trim_reasons() {
    size_t length = std::strlen(reasons_);
    if (length >= 2 && reasons_[length - 2] == ';') reasons_[length -= 2] = 0;
    return length;
  }

  mdl_status keep_reasons(Step* step, mdl_error* error) {
    step->refusals = "";
    const size_t length = trim_reasons();
    if (length == 0) return MDL_OK;
    char* text = arena_.make<char>(length + 1);
    if (text == nullptr) return fail_planning(error);
    std::memcpy(text, reasons_, length);
    step->refusals = text;
    return MDL_OK;
  }

  static void* allocate(void* context, size_t size, size_t alignment) {
    if (alignment > MDL_ALIGNMENT) return nullptr;
    return static_cast<Arena*>(context)->allocate(size);
  }

  const mdl_graph& graph_;
  const Uses& uses_;
  std::span<const Instance> backends_;
  const PlaceOptions options_;
  Arena& arena_;
  std::span<Step> steps_;
  size_t step_count_ = 0;
  uint8_t* taken_ = nullptr;  // of each node
  bool* in_group_ = nullptr;  // of each node: in the group at hand
  bool* listed_ = nullptr;    // of each tensor: among its inputs
  int32_t* lists_ = nullptr;  // members, inputs, outputs of the group at hand
  size_t widest_ = 0;         // arguments of the widest node
  char* reasons_ = nullptr;
};

}  // namespace

mdl_status place_nodes(const mdl_graph& graph, const Uses& uses, std::span<const Instance> backends,
                       const PlaceOptions& options, Arena& arena, std::span<Step>* steps,
                       mdl_error* error) {
  return Placer(graph, uses, backends, options, arena).run(steps, error);
}

}  // namespace medulla
