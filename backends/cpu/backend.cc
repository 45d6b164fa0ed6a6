// SPDX-License-Identifier: Apache-2.0
// The CPU backend: hand-written kernels behind the same door as every other backend.
#include <algorithm>
#include <new>
#include <span>

#include "backends/cpu/lowering.h"
#include "kernels/families.h"
#include "src/base/names.h"

namespace medulla::cpu {

#define MDL_LOWERING(stem, ...) extern const Lowering lowering_##stem;
#include "medulla_lowerings.inc"
#undef MDL_LOWERING

namespace {

// Ends with null, so that a build without any lowering has an array too.
constexpr const Lowering* kLowerings[] = {
#define MDL_LOWERING(stem, ...) &lowering_##stem,
#include "medulla_lowerings.inc"
#undef MDL_LOWERING
    nullptr,
};

// A list of the rows of `family`, or of the families when there is none of that name.
mdl_status fail_forced(std::string_view item, std::string_view family, mdl_error* error) {
  const std::span<const KernelName> rows = kernel_names();
  const bool known =
      std::any_of(rows.begin(), rows.end(), [&](const auto& row) { return family == row.family; });
  char list[400];
  Text text(list, sizeof(list));
  std::string_view last;
  for (const KernelName& row : rows) {
    if (known && family == row.family) text << ' ' << row.name;
    if (!known && last != row.family) text << ' ' << row.family;
    last = row.family;
  }
  return fail(error, MDL_ERROR_INVALID_ARGUMENT, "kernel '", item,
              known ? "' should be family=row, with a row of:"
                    : "' should be family=row, with a family of:",
              static_cast<const char*>(list));
}

// Every item of "family=row,..." names a row that is built and that `isa` has, one a family.
mdl_status check_forced(std::string_view kernels, IsaSet isa, mdl_error* error) {
  std::string_view rest = kernels;
  for (std::string_view item; next_name(&rest, &item);) {
    const size_t equals = std::min(item.find('='), item.size());
    const std::string_view family = item.substr(0, equals);
    const std::string_view name = item.substr(std::min(equals + 1, item.size()));
    const std::span<const KernelName> rows = kernel_names();
    const auto row = std::find_if(rows.begin(), rows.end(), [&](const KernelName& r) {
      return family == r.family && name == r.name;
    });
    if (row == rows.end()) return fail_forced(item, family, error);
    if (!isa.contains(isa_needs(row->isa))) {
      char list[kIsaTextSize];
      format_isa_set(isa, list, sizeof(list));
      return fail(error, MDL_ERROR_UNSUPPORTED, "kernel '", item, "' needs ", isa_name(row->isa),
                  ", there is ", static_cast<const char*>(list));
    }
    std::string_view others = rest;
    for (std::string_view other; next_name(&others, &other);) {
      if (other.substr(0, other.find('=')) != family) continue;
      return fail(error, MDL_ERROR_INVALID_ARGUMENT, "kernels '", item, "' and '", other,
                  "' are of one family, whose row can be one");
    }
  }
  return MDL_OK;
}

mdl_status open(const mdl_backend_context* context, const mdl_host* host, void** instance,
                mdl_error* error) {
  const char* kernels = context->kernels != nullptr ? context->kernels : "";
  MDL_TRY(check_forced(kernels, IsaSet{context->isa}, error));
  void* memory = host->allocate(host->context, sizeof(Cpu), alignof(Cpu));
  if (memory == nullptr) {
    return fail(error, MDL_ERROR_OUT_OF_MEMORY, "backend cpu: no memory for its instance, ",
                sizeof(Cpu), " bytes");
  }
  Cpu* cpu = new (memory) Cpu;
  cpu->isa = {context->isa};
  cpu->numerics = context->numerics == MDL_NUMERICS_FAST ? Numerics::fast : Numerics::exact;
  cpu->kernels = kernels;
  cpu->l1d_bytes = context->l1d_bytes;
  cpu->l2_bytes = context->l2_bytes;
  *instance = cpu;
  return MDL_OK;
}

size_t fuse(void*, const mdl_graph* graph, int32_t node, const uint8_t* taken, int32_t* members,
            size_t capacity) {
  for (const Lowering* const* lowering = kLowerings; *lowering != nullptr; ++lowering) {
    if ((*lowering)->fuse == nullptr) continue;
    const size_t count = (*lowering)->fuse(*graph, node, taken, members, capacity);
    if (count > 0) return count;
  }
  members[0] = node;
  return 1;
}

// A tensor of the group that has no elements, which no kernel knows; null: none.
const mdl_tensor* empty_tensor(const GroupView& group) {
  for (size_t n = 0; n < group.node_count(); ++n) {
    const mdl_node& node = group.node(n).node();
    for (uint32_t i = 0; i < node.input_count + node.output_count; ++i) {
      const int32_t t = i < node.input_count ? node.inputs[i] : node.outputs[i - node.input_count];
      if (t >= 0 && group.tensor(t).bytes == 0) return &group.tensor(t);
    }
  }
  return nullptr;
}

// The first lowering that takes the group. On failure *error has the last reason that is about the
// group's own operator.
const Lowering* choose(const Cpu& cpu, const GroupView& group, mdl_error* error) {
  fail(error, MDL_ERROR_UNSUPPORTED, "no kernel for ", group.node(0).op());
  if (group.input_count() == 0) {  // a run would give it no memory to read
    fail(error, MDL_ERROR_UNSUPPORTED, "reads constants alone");
    return nullptr;
  }
  if (const mdl_tensor* empty = empty_tensor(group)) {
    fail(error, MDL_ERROR_UNSUPPORTED, "'", empty->name, "' has no elements");
    return nullptr;
  }
  for (const Lowering* const* lowering = kLowerings; *lowering != nullptr; ++lowering) {
    mdl_error reason = MDL_ERROR_INIT;
    if ((*lowering)->supports(cpu, group, &reason) == MDL_OK) return *lowering;
    if (reason.text[0] != 0) *error = reason;
  }
  return nullptr;
}

mdl_status supports(void* instance, const mdl_graph* graph, const mdl_group* group,
                    mdl_error* error) {
  const Cpu& cpu = *static_cast<const Cpu*>(instance);
  return choose(cpu, GroupView(*graph, *group), error) != nullptr ? MDL_OK : MDL_ERROR_UNSUPPORTED;
}

mdl_status plan(void* instance, const mdl_graph* graph, const mdl_group* group,
                const mdl_host* host, mdl_step* step, mdl_error* error) {
  const Cpu& cpu = *static_cast<const Cpu*>(instance);
  const GroupView view(*graph, *group);
  mdl_error reason = MDL_ERROR_INIT;
  const Lowering* lowering = choose(cpu, view, &reason);
  if (lowering == nullptr) return fail(error, reason.status, reason.text);
  step->numerics = MDL_CLASS_EXACT;
  step->phase_count = 1;
  return lowering->plan(cpu, view, *host, *step, error);
}

const Lowering& lowering_of(const mdl_step& step) {
  return *static_cast<const StepHead*>(step.data)->lowering;
}

mdl_status pack(void*, const mdl_graph* graph, const mdl_group* group, const mdl_step* step,
                void* packed, mdl_error*) {
  if (lowering_of(*step).pack != nullptr) {
    lowering_of(*step).pack(GroupView(*graph, *group), *step, packed);
  }
  return MDL_OK;
}

mdl_status resize(void*, const mdl_step* step, const mdl_shape* shapes, void* args, mdl_rows* rows,
                  mdl_error* error) {
  return lowering_of(*step).resize(*step, shapes, args, *rows, error);
}

mdl_status bind(void*, const mdl_step* step, const mdl_operand* operands, const void* packed,
                void* args, mdl_error*) {
  lowering_of(*step).bind(*step, operands, packed, args);
  return MDL_OK;
}

void explain(void*, const mdl_step* step, const void* args, mdl_error* error) {
  if (lowering_of(*step).explain != nullptr) lowering_of(*step).explain(*step, args, error);
}

}  // namespace

int GroupView::operand(const mdl_tensor* tensor) const {
  if (tensor == nullptr) return -1;
  const int32_t index = static_cast<int32_t>(tensor - graph_->tensors);
  for (size_t i = 0; i < group_->input_count; ++i) {
    if (group_->inputs[i] == index) return static_cast<int>(i);
  }
  for (size_t o = 0; o < group_->output_count; ++o) {
    if (group_->outputs[o] == index) return static_cast<int>(group_->input_count + o);
  }
  return -1;
}

size_t rows_of(const mdl_shape& shape) {
  size_t rows = 1;
  for (uint32_t d = 0; d + 1 < shape.rank; ++d) rows *= static_cast<size_t>(shape.dims[d]);
  return rows;
}

size_t columns_of(const mdl_shape& shape) {
  return shape.rank > 0 ? static_cast<size_t>(shape.dims[shape.rank - 1]) : 1;
}

std::string_view forced_row(const Cpu& cpu, std::string_view family) {
  std::string_view rest = cpu.kernels;
  for (std::string_view item; next_name(&rest, &item);) {
    const size_t equals = item.find('=');
    if (item.substr(0, equals) != family) continue;
    item.remove_prefix(equals + 1);
    return item;
  }
  return {};
}

mdl_status fail_no_row(mdl_error* error, std::string_view family, std::string_view forced) {
  if (forced.empty()) {
    return fail(error, MDL_ERROR_UNSUPPORTED, family,
                ": no kernel row takes this problem on this ISA set");
  }
  return fail(error, MDL_ERROR_UNSUPPORTED, family, ": forced row '", forced,
              "' does not take this problem");
}

mdl_status fail_memory(mdl_error* error, const NodeView& node) {
  return fail_node(error, MDL_ERROR_OUT_OF_MEMORY, node, "no memory for the step's plan");
}

}  // namespace medulla::cpu

extern "C" const mdl_backend mdl_backend_cpu = {
    .struct_size = sizeof(mdl_backend),
    .abi = MDL_BACKEND_ABI,
    .numerics = MDL_CLASS_EXACT,
    .name = "cpu",
    .version = "1",
#if defined(__x86_64__)
    .device = "x86-64 CPU",
#elif defined(__aarch64__)
    .device = "AArch64 CPU",
#else
    .device = "CPU",
#endif
    .open = medulla::cpu::open,
    .close = nullptr,
    .fuse = medulla::cpu::fuse,
    .supports = medulla::cpu::supports,
    .plan = medulla::cpu::plan,
    .pack = medulla::cpu::pack,
    .check_packed = nullptr,
    .resize = medulla::cpu::resize,
    .bind = medulla::cpu::bind,
    .submit = nullptr,
    .wait = nullptr,
    .allocate_shared = nullptr,
    .release_shared = nullptr,
    .device_status = nullptr,
    .explain = medulla::cpu::explain,
};
