# SPDX-License-Identifier: Apache-2.0
# FlatBuffers_INCLUDE_DIR, FlatBuffers_FLATC. The library itself is not needed: headers only.
find_path(FlatBuffers_INCLUDE_DIR flatbuffers/flatbuffers.h)
find_program(FlatBuffers_FLATC flatc)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(FlatBuffers REQUIRED_VARS FlatBuffers_INCLUDE_DIR FlatBuffers_FLATC)
mark_as_advanced(FlatBuffers_INCLUDE_DIR FlatBuffers_FLATC)
