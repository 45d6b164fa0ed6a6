// SPDX-License-Identifier: Apache-2.0
#include "src/ops/softmax.h"

namespace medulla {
namespace {

// y = fl(exp_f32(fl(x - m)) / sum).
mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  return for_each_softmax(call, error,
                          [](float x, float m, float sum) { return exp_f32(x - m) / sum; });
}

}  // namespace

extern const Op op_Softmax = {
    .name = "Softmax",
    .attributes = kSoftmaxAttributes,
    .infer = infer_softmax,
    .reference = reference,
    .in_place = 1,
};

}  // namespace medulla
