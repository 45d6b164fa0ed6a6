// SPDX-License-Identifier: Apache-2.0
#include "src/ops/qbinary.h"

namespace medulla {
namespace {

// y = Q(fl(fl(float(a - z_a) * k_a) - fl(float(b - z_b) * k_b))), k = s_in / s_y.
mdl_status reference(const ReferenceCall& call, mdl_error*) {
  return reference_qsum(call, [](float a, float b) { return a - b; });
}

}  // namespace

extern const Op op_QSub = {
    .name = "QSub",
    .min_inputs = 2,
    .max_inputs = 2,
    .attributes = kSumAttributes,
    .infer = infer_binary<kActivations>,
    .check = check_qsum,
    .reference = reference,
    .in_place = 3,
};

}  // namespace medulla
