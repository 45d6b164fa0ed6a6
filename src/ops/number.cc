// SPDX-License-Identifier: Apache-2.0
#include "src/ops/number.h"

namespace medulla {

template <class Number>
Number load_as(mdl_dtype dtype, const void* x, int64_t i) {
  Number number = 0;
  load_number(dtype, x, i, [&](auto value) { number = static_cast<Number>(value); });
  return number;
}

template <class Number>
void store_as(mdl_dtype dtype, void* y, int64_t i, Number value) {
  if constexpr (std::floating_point<Number>) {
    store_number(dtype, y, i, static_cast<double>(value));
  } else {
    store_number(dtype, y, i, value);
  }
}

template float load_as(mdl_dtype, const void*, int64_t);
template double load_as(mdl_dtype, const void*, int64_t);
template uint64_t load_as(mdl_dtype, const void*, int64_t);
template int64_t load_as(mdl_dtype, const void*, int64_t);
template void store_as(mdl_dtype, void*, int64_t, float);
template void store_as(mdl_dtype, void*, int64_t, double);
template void store_as(mdl_dtype, void*, int64_t, uint64_t);
template void store_as(mdl_dtype, void*, int64_t, int64_t);

}  // namespace medulla
