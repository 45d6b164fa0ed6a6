// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "src/ops/greatest.h"
#include "src/ops/reduce.h"

namespace medulla {
namespace {

template <class T>
struct Max {
  static constexpr double kOfNothing = -std::numeric_limits<double>::infinity();
  Greatest<T> greatest;
  void add(T value) { greatest.add(value); }
  T result(int64_t) const { return greatest.value(); }
};

}  // namespace

extern const Op op_ReduceMax = reduce_op<Max, kNumbers | kBool>("ReduceMax");

}  // namespace medulla
