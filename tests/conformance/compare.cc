// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/compare.h"

#include <cmath>
#include <cstring>

#include "medulla/medulla.h"

namespace medulla::conformance {
namespace {

using tools::Array;

// Empty when they agree, else where they do not.
template <class T>
std::string compare_values(const Array& found, const Array& expected, double rtol = 1e-3) {
  for (size_t i = 0; i < expected.elements(); ++i) {
    T a, b;
    std::memcpy(&a, found.data.data() + i * sizeof(T), sizeof(T));
    std::memcpy(&b, expected.data.data() + i * sizeof(T), sizeof(T));
    bool same = a == b;
    if constexpr (std::is_floating_point_v<T>) {
      same = same || (std::isnan(a) && std::isnan(b)) ||
             (std::isfinite(b) && std::abs(a - b) <= T(1e-7) + static_cast<T>(rtol) * std::abs(b));
    }
    if (!same) {
      return "element " + std::to_string(i) + " is " + std::to_string(a) + ", should be " +
             std::to_string(b);
    }
  }
  return "";
}

Array widened(const Array& array) {
  Array wide{MDL_FLOAT32, array.shape, {}};
  const std::vector<float> values = tools::to_floats(array);
  wide.data.resize(values.size() * sizeof(float));
  if (!values.empty()) std::memcpy(wide.data.data(), values.data(), wide.data.size());
  return wide;
}

}  // namespace

std::string compare(const Array& found, Array expected) {
  // The suite stores bfloat16 so.
  if (found.dtype == MDL_BFLOAT16 && expected.dtype == MDL_UINT16) expected.dtype = MDL_BFLOAT16;
  if (found.dtype != expected.dtype) {
    return std::string("dtype is ") + mdl_dtype_name(found.dtype) + ", should be " +
           mdl_dtype_name(expected.dtype);
  }
  if (found.shape != expected.shape) {
    std::string text = "shape is [";
    for (const int64_t d : found.shape) text += std::to_string(d) + " ";
    text += "], should be [";
    for (const int64_t d : expected.shape) text += std::to_string(d) + " ";
    return text + "]";
  }
  switch (expected.dtype) {
    case MDL_FLOAT32:
      return compare_values<float>(found, expected);
    case MDL_FLOAT64:
      return compare_values<double>(found, expected);
    case MDL_FLOAT16:
      return compare_values<float>(widened(found), widened(expected));
    case MDL_BFLOAT16:
      // Some of the suite's values were cut instead of rounded: one unit.
      return compare_values<float>(widened(found), widened(expected), 0x1p-7);
    case MDL_INT64:
      return compare_values<int64_t>(found, expected);
    case MDL_UINT64:
      return compare_values<uint64_t>(found, expected);
    case MDL_INT32:
      return compare_values<int32_t>(found, expected);
    case MDL_UINT32:
      return compare_values<uint32_t>(found, expected);
    case MDL_INT16:
      return compare_values<int16_t>(found, expected);
    case MDL_UINT16:
      return compare_values<uint16_t>(found, expected);
    case MDL_INT8:
      return compare_values<int8_t>(found, expected);
    default:
      return compare_values<uint8_t>(found, expected);
  }
}

}  // namespace medulla::conformance
