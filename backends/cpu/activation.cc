// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/activation.h"

#include <cstring>
#include <limits>

namespace medulla::cpu {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Entry {
  const char* op;
  UnaryF32 function;
  const char* a;  // attributes that are the parameters; null: none
  float default_a;
  const char* b;
  float default_b;
};
constexpr Entry kEntries[] = {
    {"Abs", UnaryF32::abs, nullptr, 0, nullptr, 0},
    {"Clip", UnaryF32::clip, "min", -kInfinity, "max", kInfinity},
    {"Elu", UnaryF32::elu, "alpha", 1, nullptr, 0},
    {"Erf", UnaryF32::erf, nullptr, 0, nullptr, 0},
    {"Exp", UnaryF32::exp, nullptr, 0, nullptr, 0},
    {"Gelu", UnaryF32::gelu, nullptr, 0, nullptr, 0},
    {"HardSigmoid", UnaryF32::hard_sigmoid, "alpha", 0.2f, "beta", 0.5f},
    {"HardSwish", UnaryF32::hard_swish, nullptr, 0, nullptr, 0},
    {"LeakyRelu", UnaryF32::leaky_relu, "alpha", 0.01f, nullptr, 0},
    {"Log", UnaryF32::log, nullptr, 0, nullptr, 0},
    {"Neg", UnaryF32::neg, nullptr, 0, nullptr, 0},
    {"Reciprocal", UnaryF32::reciprocal, nullptr, 0, nullptr, 0},
    {"Relu", UnaryF32::clip, nullptr, 0, nullptr, kInfinity},
    {"Sigmoid", UnaryF32::sigmoid, nullptr, 0, nullptr, 0},
    {"Softplus", UnaryF32::softplus, nullptr, 0, nullptr, 0},
    {"Sqrt", UnaryF32::sqrt, nullptr, 0, nullptr, 0},
    {"Swish", UnaryF32::swish, nullptr, 0, nullptr, 0},
    {"Tanh", UnaryF32::tanh, nullptr, 0, nullptr, 0},
};

float parameter(const NodeView& node, const char* name, float otherwise) {
  return name != nullptr ? static_cast<float>(node.float_or(name, otherwise)) : otherwise;
}

}  // namespace

bool read_unary(const NodeView& node, UnaryCall* call) {
  for (const Entry& entry : kEntries) {
    if (std::strcmp(entry.op, node.op()) != 0) continue;
    *call = {entry.function, parameter(node, entry.a, entry.default_a),
             parameter(node, entry.b, entry.default_b)};
    if (entry.function == UnaryF32::gelu &&
        std::strcmp(node.string_or("approximate", "none"), "tanh") == 0) {
      call->function = UnaryF32::gelu_tanh;
    }
    return node.input(0) != nullptr && node.input(0)->dtype == MDL_FLOAT32;
  }
  return false;
}

bool is_activation(const mdl_graph& graph, const mdl_node& node) {
  UnaryCall call;
  return read_unary({graph, node}, &call);
}

mdl_status read_activation(const Cpu& cpu, const mdl_graph& graph, const mdl_node* node,
                           Activation* activation, mdl_error* error) {
  *activation = {-kInfinity, kInfinity, nullptr, 0, 0};
  if (node == nullptr) return MDL_OK;
  UnaryCall call;
  if (!read_unary({graph, *node}, &call)) {
    return fail(error, MDL_ERROR_UNSUPPORTED, node->op, " is not an activation");
  }
  if (call.function == UnaryF32::clip) {
    activation->lo = call.a;
    activation->hi = call.b;
    return MDL_OK;
  }
  const ElementwiseF32Row* row = nullptr;
  MDL_TRY(
      choose_row(cpu, "elementwise_f32", elementwise_f32_rows(), kernel_request(cpu), &row, error));
  activation->function = row->kernel->unary[static_cast<size_t>(call.function)];
  activation->a = call.a;
  activation->b = call.b;
  return MDL_OK;
}

mdl_status clamp_by_function(const Cpu& cpu, Activation* activation, mdl_error* error) {
  const bool clamps = activation->lo > -kInfinity || activation->hi < kInfinity;
  if (activation->function != nullptr || !clamps) return MDL_OK;
  const ElementwiseF32Row* row = nullptr;
  MDL_TRY(
      choose_row(cpu, "elementwise_f32", elementwise_f32_rows(), kernel_request(cpu), &row, error));
  activation->function = row->kernel->unary[static_cast<size_t>(UnaryF32::clip)];
  activation->a = activation->lo;
  activation->b = activation->hi;
  return MDL_OK;
}

void activate(const Activation& activation, float* data, size_t rows, size_t columns,
              size_t stride) {
  if (stride == columns) {
    activation.function(data, data, rows * columns, activation.a, activation.b);
    return;
  }
  for (size_t r = 0; r < rows; ++r) {
    float* row = data + r * stride;
    activation.function(row, row, columns, activation.a, activation.b);
  }
}

size_t rows_in_cache(size_t columns) {
  constexpr size_t kFloats = 4096;  // 16 KiB: half of the smallest first-level cache
  return columns > 0 && columns < kFloats ? kFloats / columns : 1;
}

int64_t cut_in_cache(size_t rows, size_t columns, size_t* unit) {
  *unit = rows_in_cache(columns);
  return units_of(rows, *unit);
}

}  // namespace medulla::cpu
