// SPDX-License-Identifier: Apache-2.0
#include "src/ops/softmax.h"

namespace medulla {
namespace {

// y = fl(fl(x - m) - log_f32(sum)).
mdl_status reference(const ReferenceCall& call, mdl_error* error) {
  return for_each_softmax(call, error,
                          [](float x, float m, float sum) { return x - m - log_f32(sum); });
}

}  // namespace

extern const Op op_LogSoftmax = {
    .name = "LogSoftmax",
    .attributes = kSoftmaxAttributes,
    .infer = infer_softmax,
    .reference = reference,
    .in_place = 1,
};

}  // namespace medulla
