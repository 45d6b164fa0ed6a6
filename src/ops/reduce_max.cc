// SPDX-License-Identifier: Apache-2.0
#include "src/ops/greatest.h"
#include "src/ops/reduce.h"

namespace medulla {
namespace {

struct Max {
  Greatest<float> greatest;
  void add(float value) { greatest.add(value); }
  float result(int64_t) const { return greatest.value(); }
};

}  // namespace

extern const Op op_ReduceMax = reduce_op<Max>("ReduceMax");

}  // namespace medulla
