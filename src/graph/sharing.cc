// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "src/base/text.h"
#include "src/graph/control.h"
#include "src/graph/facts.h"
#include "src/graph/memory.h"
#include "src/ops/rules.h"

namespace medulla {
namespace {

constexpr int kMaxNesting = 64;  // of concatenations that are placed in one another

constexpr uint32_t kLasting = MDL_TENSOR_OUTPUT | MDL_TENSOR_WRITTEN | MDL_TENSOR_KEEP;

class Sharer {
 public:
  Sharer(const Uses& uses, std::span<Step> placed, Arena& arena, Program* program)
      : uses_(uses), placed_(placed), arena_(arena), program_(*program), graph_(program->graph) {}

  mdl_status run(bool share, mdl_error* error) {
    MDL_TRY(prepare(error));
    for (size_t t = 0; t < graph_.tensor_count; ++t) add_tensor(static_cast<int32_t>(t));
    if (share) {
      // From the last to the first, so that a concatenation inside another is placed where its own
      // output is.
      for (size_t s = placed_.size(); s-- > 0;) place_concat(s);
    }
    MDL_TRY(keep_steps(error));
    find_lives();
    if (share) {
      // Again from the last: what moves then is one tensor at each step of a chain, not all before.
      for (size_t s = program_.steps.size(); s-- > 0;) write_in_place(static_cast<int32_t>(s));
    }
    return keep_storages(error);
  }

 private:
  mdl_status prepare(mdl_error* error) {
    const size_t tensors = graph_.tensor_count;
    program_.places = {arena_.make<Place>(tensors), tensors};
    program_.node_step = {arena_.make<int32_t>(graph_.node_count), graph_.node_count};
    storages_ = arena_.make_temporary<Storage>(tensors);
    head_ = arena_.make_temporary<int32_t>(tensors);
    next_ = arena_.make_temporary<int32_t>(tensors);
    renamed_ = arena_.make_temporary<int32_t>(tensors);
    concat_placed_ = arena_.make_temporary<bool>(placed_.size());
    step_of_ = arena_.make_temporary<int32_t>(graph_.node_count);
    claimed_ = arena_.make_temporary<int32_t>(tensors);
    claims_ = arena_.make_temporary<int32_t>(tensors);
    if (program_.places.data() == nullptr || program_.node_step.data() == nullptr ||
        storages_ == nullptr || head_ == nullptr || next_ == nullptr || renamed_ == nullptr ||
        concat_placed_ == nullptr || step_of_ == nullptr || claimed_ == nullptr ||
        claims_ == nullptr) {
      return fail_planning(error);
    }
    std::fill_n(head_, tensors, -1);
    std::fill_n(step_of_, graph_.node_count, -1);
    for (Place& place : program_.places) place = {};
    for (size_t s = 0; s < placed_.size(); ++s) {
      const mdl_group& group = placed_[s].group;
      for (size_t n = 0; n < group.node_count; ++n) {
        step_of_[group.nodes[n]] = static_cast<int32_t>(s);
      }
    }
    return MDL_OK;
  }

  Place& place(int32_t tensor) { return program_.places[static_cast<size_t>(tensor)]; }
  const mdl_tensor& tensor(int32_t index) const { return graph_.tensors[index]; }

  // A storage for each root, named by it; views join their root's.
  void add_tensor(int32_t t) {
    const mdl_tensor& info = tensor(t);
    const int32_t root = uses_.root[static_cast<size_t>(t)];
    if (root == t && !needs_storage(t)) return;
    if (root != t && place(root).storage < 0) return;
    Storage& storage = storages_[root];
    if (root == t) {
      storage = {};
      storage.bytes = info.bytes;
      if (info.data != nullptr) {
        storage.kind = StorageKind::constant;
        storage.constant = info.data;
      } else if ((info.flags & MDL_TENSOR_INPUT) != 0) {
        storage.kind = StorageKind::input;
        storage.index = find(graph_.inputs, graph_.input_count, t);
        if (static_cast<size_t>(storage.index) >= program_.room.inputs) storage.bytes = 0;
      } else if ((info.flags & MDL_TENSOR_STATE) != 0) {
        storage.kind = StorageKind::state;
        storage.index = find_state(t);
      }
    }
    if ((info.flags & MDL_TENSOR_OUTPUT) != 0 && storage.kind == StorageKind::arena) {
      storage.kind = StorageKind::output;
      storage.index = find(graph_.outputs, graph_.output_count, t);
      if (static_cast<size_t>(storage.index) >= program_.room.outputs) storage.bytes = 0;
    }
    join(t, root);
    place(t) = {root, 0, 0};
  }

  // A constant does if a view of it is read, any other root if it is there before the run or a step
  // writes it.
  bool needs_storage(int32_t t) const {
    if (tensor(t).data != nullptr) {
      const std::span readers = uses_.of(t);
      return std::any_of(readers.begin(), readers.end(),
                         [&](int32_t reader) { return uses_.view[static_cast<size_t>(reader)]; });
    }
    if (tensor(t).producer < 0) return true;
    const int32_t s = step_of_[tensor(t).producer];
    // No step makes a tensor without elements, and steps may read it.
    if (s < 0) return tensor(t).bytes == 0;
    const mdl_group& group = placed_[static_cast<size_t>(s)].group;
    return find(group.outputs, group.output_count, t) >= 0;
  }

  static int32_t find(const int32_t* list, size_t count, int32_t value) {
    for (size_t i = 0; i < count; ++i) {
      if (list[i] == value) return static_cast<int32_t>(i);
    }
    return -1;
  }

  int32_t find_state(int32_t t) const {
    for (size_t s = 0; s < graph_.state_count; ++s) {
      if (graph_.states[s].tensor == t) return static_cast<int32_t>(s);
    }
    return -1;
  }

  void join(int32_t t, int32_t storage) {
    next_[t] = head_[storage];
    head_[storage] = t;
  }

  bool has_one_member(int32_t storage) const { return next_[head_[storage]] < 0; }

  // Moves all tensors of storage `from` into `to`, behind `base`.
  void merge(int32_t from, int32_t to, const Place& base) {
    for (int32_t t = head_[from]; t >= 0;) {
      const int32_t after = next_[t];
      place(t).storage = to;
      place(t).offset += base.offset;
      if (base.pitch != 0) place(t).pitch = base.pitch;
      join(t, to);
      t = after;
    }
    head_[from] = -1;
  }

  static bool allows_pitch(const Step& step, int32_t t) {
    for (size_t i = 0; i < step.operand_count(); ++i) {
      if (step.operand(i) == t) return i < 32 && (step.plan.strided >> i & 1) != 0;
    }
    return true;  // not one of its operands
  }

  // Whether every step that reads the tensor, but `except`, can take it with a pitch; and nothing
  // but steps does.
  bool readers_allow_pitch(int32_t t, const Step* except, std::span<const Step> steps,
                           const int32_t* step_of) const {
    if ((tensor(t).flags & kLasting) != 0) return false;
    for (const int32_t reader : uses_.of(t)) {
      if (step_of[reader] < 0) continue;
      const Step& step = steps[static_cast<size_t>(step_of[reader])];
      if (&step != except && !allows_pitch(step, t)) return false;
    }
    return true;
  }

  // How a concatenation's inputs can lie in its output: as pieces, one behind the other, or side by
  // side in each row, a pitch apart. `strided`: the output's own rows are a pitch apart.
  enum class Fit { none, pieces, rows };
  Fit fit_of(const NodeView& node, bool strided) const {
    const mdl_tensor& output = *node.output(0);
    if (output.symbols[output.rank - 1] != nullptr || mdl_dtype_bits(output.dtype) < 8) {
      return Fit::none;
    }
    const uint32_t axis = axis_of(node, 0, output.rank);
    const bool last = axis + 1 == output.rank;
    int64_t outer = 1;
    for (uint32_t d = 0; d < axis; ++d) outer *= output.dims[d];
    if (outer == 1 && is_static(output) && !(last && strided)) return Fit::pieces;
    return last ? Fit::rows : Fit::none;
  }

  // Whether all of a concatenation's inputs can be made inside its output. What it takes is claimed
  // for it, so that no other concatenation does; the caller takes claims back on failure. `depth`
  // bounds the recursion.
  bool claim(size_t s, bool strided, int depth) {
    const Step& step = placed_[s];
    const NodeView node(graph_, graph_.nodes[step.group.nodes[0]]);
    if (step.group.node_count != 1 || !is_plain_concat(node)) return false;
    const Fit fit = fit_of(node, strided);
    if (fit == Fit::none) return false;
    const bool pitched = fit == Fit::rows || strided;
    for (uint32_t i = 0; i < node.node().input_count; ++i) {
      const int32_t x = node.node().inputs[i];
      if (find(node.node().inputs, i, x) >= 0) return false;  // joined twice
      if (!claim_part(x, s, pitched, depth)) return false;
    }
    return true;
  }

  bool claim_part(int32_t x, size_t s, bool pitched, int depth) {
    const mdl_tensor& info = tensor(x);
    const int32_t self = static_cast<int32_t>(s) + 1;
    if (place(x).storage != x || storages_[x].kind != StorageKind::arena) return false;
    if (claimed_[x] == self) return true;
    if (claimed_[x] != 0) return false;
    if (pitched) {
      // A view would not see the pitch.
      if (!has_one_member(x) || info.symbols[info.rank - 1] != nullptr) return false;
      if (!readers_allow_pitch(x, &placed_[s], placed_, step_of_)) return false;
      const int32_t producer = step_of_[info.producer];
      // A concatenation that is placed itself writes nothing, nor does what has no step.
      const bool made = producer < 0 || allows_pitch(placed_[static_cast<size_t>(producer)], x) ||
                        (depth > 0 && claim(static_cast<size_t>(producer), true, depth - 1));
      if (!made) return false;
    } else if (!is_static(info)) {
      return false;
    }
    claimed_[x] = self;
    claims_[claim_count_++] = x;
    return true;
  }

  // Lets the producers of a concatenation's inputs write into its output, when all of them can;
  // the step is then not needed.
  void place_concat(size_t s) {
    const NodeView node(graph_, graph_.nodes[placed_[s].group.nodes[0]]);
    if (placed_[s].group.node_count != 1 || !is_plain_concat(node)) return;
    const int32_t y = node.node().outputs[0];
    const size_t claims_before = claim_count_;
    if (!claim(s, place(y).pitch != 0, kMaxNesting)) {
      while (claim_count_ > claims_before) claimed_[claims_[--claim_count_]] = 0;
      return;
    }
    const mdl_tensor& output = *node.output(0);
    const bool strided = place(y).pitch != 0;
    const bool pitched = strided || fit_of(node, strided) == Fit::rows;
    const int64_t pitch = strided ? place(y).pitch : last_dim(output);
    const uint32_t axis = axis_of(node, 0, output.rank);
    int64_t inner = 1;  // elements from one index of the axis to the next
    for (uint32_t d = axis + 1; d < output.rank; ++d) {
      inner *= d + 1 == output.rank ? pitch : output.dims[d];
    }
    int64_t offset = 0;  // elements
    for (uint32_t i = 0; i < node.node().input_count; ++i) {
      const int32_t x = node.node().inputs[i];
      const size_t bytes = static_cast<size_t>(offset) * mdl_dtype_bits(output.dtype) / 8;
      merge(place(x).storage, place(y).storage, {-1, pitched ? pitch : 0, place(y).offset + bytes});
      offset += tensor(x).dims[axis] * inner;
    }
    concat_placed_[s] = true;
  }

  mdl_status keep_steps(mdl_error* error) {
    size_t count = 0;
    for (size_t s = 0; s < placed_.size(); ++s) count += !concat_placed_[s];
    program_.steps = {arena_.make<Step>(count), count};
    if (program_.steps.data() == nullptr) return fail_planning(error);
    for (size_t n = 0; n < graph_.node_count; ++n) {
      program_.node_step[n] = uses_.view[n] ? kNodeView : kNodeUnused;
    }
    size_t kept = 0;
    for (size_t s = 0; s < placed_.size(); ++s) {
      const mdl_group& group = placed_[s].group;
      for (size_t n = 0; n < group.node_count; ++n) {
        program_.node_step[static_cast<size_t>(group.nodes[n])] =
            concat_placed_[s] ? int32_t{kNodePlaced} : static_cast<int32_t>(kept);
      }
      if (!concat_placed_[s]) program_.steps[kept++] = placed_[s];
    }
    return MDL_OK;
  }

  void find_lives() {
    const int32_t end = static_cast<int32_t>(program_.steps.size());
    for (size_t t = 0; t < graph_.tensor_count; ++t) {
      storages_[t].first = storages_[t].kind == StorageKind::input ? 0 : end;
      storages_[t].last = storages_[t].kind == StorageKind::input ? end : 0;
    }
    for (int32_t s = 0; s < end; ++s) {
      const Step& step = program_.steps[static_cast<size_t>(s)];
      for (size_t i = 0; i < step.operand_count(); ++i) {
        Storage& storage = storages_[place(step.operand(i)).storage];
        storage.first = std::min(storage.first, s);
        storage.last = std::max(storage.last, s);
      }
    }
    for (size_t t = 0; t < graph_.tensor_count; ++t) {
      const Place& p = program_.places[t];
      if (p.storage >= 0 && (graph_.tensors[t].flags & kLasting) != 0) {
        storages_[p.storage].last = end;
      }
    }
  }

  void write_in_place(int32_t s) {
    const Step& step = program_.steps[static_cast<size_t>(s)];
    for (size_t o = 0; o < std::min<size_t>(step.group.output_count, 4); ++o) {
      for (size_t i = 0; i < std::min<size_t>(step.group.input_count, 32); ++i) {
        if ((step.plan.in_place[o] >> i & 1) != 0 && overwrite(s, i, o)) break;
      }
    }
  }

  // Lets output o of a step lie on its input i, when nothing needs the input any more.
  bool overwrite(int32_t s, size_t i, size_t o) {
    const Step& step = program_.steps[static_cast<size_t>(s)];
    const int32_t x = step.group.inputs[i];
    const int32_t y = step.group.outputs[o];
    const int32_t from = place(x).storage;
    const int32_t to = place(y).storage;
    Storage& input = storages_[from];
    Storage& output = storages_[to];
    if (from == to || input.kind != StorageKind::arena || input.last != s) return false;
    if (!same_type(tensor(x), tensor(y)) || input.bytes == 0 || place(x).offset != 0 ||
        place(x).pitch != 0 || input.bytes != tensor(x).bytes) {
      return false;
    }
    for (size_t j = 0; j < step.operand_count(); ++j) {
      if (j != i && place(step.operand(j)).storage == from) return false;
    }
    if (place(y).pitch != 0) {
      // y is a slice of rows, and x moves into it.
      const int32_t* step_of = program_.node_step.data();
      if (!has_one_member(from) || !readers_allow_pitch(x, nullptr, program_.steps, step_of)) {
        return false;
      }
      const Step& producer = program_.steps[static_cast<size_t>(step_of[tensor(x).producer])];
      if (!allows_pitch(producer, x)) return false;
    }
    output.first = std::min(output.first, input.first);
    const Place base = place(y);
    merge(from, to, base);
    return true;
  }

  mdl_status keep_storages(mdl_error* error) {
    size_t count = 0;
    for (size_t t = 0; t < graph_.tensor_count; ++t) count += head_[t] >= 0;
    for (const Step& step : program_.steps) count += step.control != nullptr;
    program_.storages = {arena_.make<Storage>(count), count};
    if (program_.storages.data() == nullptr) return fail_planning(error);
    int32_t kept = 0;
    for (size_t t = 0; t < graph_.tensor_count; ++t) {
      if (head_[t] < 0) continue;
      renamed_[t] = kept;
      program_.storages[static_cast<size_t>(kept++)] = storages_[t];
    }
    for (Step& step : program_.steps) {
      if (step.control == nullptr) continue;
      const auto at = static_cast<int32_t>(&step - program_.steps.data());
      step.room = kept;
      program_.storages[static_cast<size_t>(kept++)] = {
          .first = at, .last = at, .bytes = step.control->room_bytes};
    }
    for (Place& p : program_.places) {
      if (p.storage >= 0) p.storage = renamed_[p.storage];
    }
    return MDL_OK;
  }

  const Uses& uses_;
  std::span<Step> placed_;
  Arena& arena_;
  Program& program_;
  const mdl_graph& graph_;
  Storage* storages_ = nullptr;  // of each root
  int32_t* head_ = nullptr;      // of each storage: a list of the tensors in it, -1 ends it
  int32_t* next_ = nullptr;
  int32_t* renamed_ = nullptr;
  int32_t* step_of_ = nullptr;  // of each node: the step as placed, -1: none
  int32_t* claimed_ = nullptr;  // of each tensor: 1 + the concatenation that it lies in; 0: none
  int32_t* claims_ = nullptr;   // the tensors that are claimed, in order
  size_t claim_count_ = 0;
  bool* concat_placed_ = nullptr;  // of each step as placed
};

}  // namespace

mdl_status plan_sharing(const Uses& uses, std::span<Step> placed, bool share, Arena& arena,
                        Program* program, mdl_error* error) {
  return Sharer(uses, placed, arena, program).run(share, error);
}

}  // namespace medulla
