// SPDX-License-Identifier: Apache-2.0
// What was built, and for what. The text is put together by the preprocessor.
#include "kernels/isa.h"
#include "medulla/medulla.h"
#include "medulla_build_info.h"

namespace {

constexpr char kBuildInfo[] =
    "version: " MEDULLA_BUILD_VERSION "\ncompiler: " MEDULLA_BUILD_COMPILER
    "\ntarget: " MEDULLA_BUILD_TARGET "\nflags: " MEDULLA_BUILD_FLAGS
    "\nthreads: " MEDULLA_BUILD_THREADS "\ncpuinfo: " MEDULLA_BUILD_CPUINFO
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

uint32_t mdl_version(void) {
  return MDL_VERSION_MAJOR * 1000000 + MDL_VERSION_MINOR * 1000 + MDL_VERSION_PATCH;
}

const char* mdl_build_info(void) { return kBuildInfo; }

size_t mdl_host_isa(char* text, size_t size) {
  return medulla::format_isa_set(medulla::host_isa(), text, size) + 1;
}
