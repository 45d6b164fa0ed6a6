// SPDX-License-Identifier: Apache-2.0
#include <cstddef>

#include "medulla/medulla.h"

namespace {

struct DtypeFacts {
  const char* name;
  uint32_t bits;
};

constexpr DtypeFacts kDtypes[] = {
    {"none", 0},     {"bool", 8},      {"int4", 4},     {"uint4", 4},
    {"int8", 8},     {"uint8", 8},     {"int16", 16},   {"uint16", 16},
    {"int32", 32},   {"uint32", 32},   {"int64", 64},   {"uint64", 64},
    {"float16", 16}, {"bfloat16", 16}, {"float32", 32}, {"float64", 64},
};
static_assert(sizeof(kDtypes) / sizeof(kDtypes[0]) == MDL_FLOAT64 + 1);

const DtypeFacts& facts(mdl_dtype dtype) {
  const size_t index = static_cast<size_t>(dtype);
  return kDtypes[index < sizeof(kDtypes) / sizeof(kDtypes[0]) ? index : 0];
}

constexpr const char* kStatuses[] = {
    "MDL_OK",
    "MDL_ERROR_INVALID_ARGUMENT",
    "MDL_ERROR_OUT_OF_MEMORY",
    "MDL_ERROR_IO",
    "MDL_ERROR_BAD_MODEL",
    "MDL_ERROR_VERSION",
    "MDL_ERROR_NOT_BUILT",
    "MDL_ERROR_UNSUPPORTED",
    "MDL_ERROR_SHAPE",
    "MDL_ERROR_DTYPE",
    "MDL_ERROR_LIMIT",
    "MDL_ERROR_CANCELLED",
    "MDL_ERROR_BACKEND",
    "MDL_ERROR_NOT_FINITE",
    "MDL_ERROR_STATE",
    "MDL_ERROR_DIGEST",
    "MDL_ERROR_NOT_FOUND",
    "MDL_ERROR_INTERNAL",
};
static_assert(sizeof(kStatuses) / sizeof(kStatuses[0]) == MDL_ERROR_INTERNAL + 1);

}  // namespace

const char* mdl_dtype_name(mdl_dtype dtype) { return facts(dtype).name; }

uint32_t mdl_dtype_bits(mdl_dtype dtype) { return facts(dtype).bits; }

const char* mdl_status_name(mdl_status status) {
  const size_t index = static_cast<size_t>(status);
  return index < sizeof(kStatuses) / sizeof(kStatuses[0]) ? kStatuses[index] : "unknown status";
}
