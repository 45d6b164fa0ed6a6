// SPDX-License-Identifier: Apache-2.0
#include <cstddef>

#include "kernels/isa.h"
#include "medulla/medulla.h"
#include "medulla_build_info.h"

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

// Each list begins its names with a blank.
constexpr char kBuildInfo[] = "medulla " MEDULLA_BUILD_VERSION "\ncompiler: " MEDULLA_BUILD_COMPILER
                              "\ntarget: " MEDULLA_BUILD_TARGET "\nflags: " MEDULLA_BUILD_FLAGS
                              "\nthreads: "
#if MEDULLA_THREADS
                              "pthreadpool"
#else
                              "none"
#endif
                              "\ncpuinfo: "
#if MEDULLA_CPUINFO
                              "yes"
#else
                              "no"
#endif
                              "\nbackends:"
#define MDL_BACKEND(name) " " #name
#include "medulla_backends.inc"
#undef MDL_BACKEND
                              "\noperators:"
#define MDL_OP(name, stem) " " #name
#include "medulla_ops.inc"
#undef MDL_OP
                              "\nkernels:"
#define MDL_KERNEL_OF(family, name, isa) " " #name
#include "medulla_rows/all_families.inc"
#undef MDL_KERNEL_OF
                              "\n";

}  // namespace

const char* mdl_dtype_name(mdl_dtype dtype) { return facts(dtype).name; }

uint32_t mdl_dtype_bits(mdl_dtype dtype) { return facts(dtype).bits; }

const char* mdl_status_name(mdl_status status) {
  const size_t index = static_cast<size_t>(status);
  return index < sizeof(kStatuses) / sizeof(kStatuses[0]) ? kStatuses[index] : "unknown status";
}

uint32_t mdl_version(void) {
  return MDL_VERSION_MAJOR * 1000000u + MDL_VERSION_MINOR * 1000u + MDL_VERSION_PATCH;
}

const char* mdl_build_info(void) { return kBuildInfo; }

size_t mdl_host_isa(char* text, size_t size) {
  return medulla::format_isa_set(medulla::host_isa(), text, size) + 1;
}
