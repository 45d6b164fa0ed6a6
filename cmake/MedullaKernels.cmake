# SPDX-License-Identifier: Apache-2.0
#
# medulla_add_kernels(<target>) adds kernels/ to a target made in the calling directory.
#
# A family is a folder with kernels.inc. Of its files, <family>.cc (the selector) and portable.cc
# are compiled for the baseline; <arch>_<isa>.cc and <arch>_<isa>_<part>.cc with the flags of that
# ISA, if the target has the architecture, MEDULLA_KERNEL_ISAS names the ISA and the compiler knows
# it. The rows whose file is compiled are written to
# <build>/generated/medulla_rows/<family>.inc, which the selectors include, and those of all
# families, as MDL_KERNEL_OF(family, name, isa), to all_families.inc.
# Nothing here names a family or a kernel.

include(CheckCXXCompilerFlag)

set(_avx512 -mavx2 -mfma -mf16c -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512cd)
set(MEDULLA_FLAGS_x86_avx2 -mavx2 -mfma -mf16c)
set(MEDULLA_FLAGS_x86_sha -msse4.1 -msha)
set(MEDULLA_FLAGS_x86_avxvnni -mavx2 -mfma -mf16c -mavxvnni)
set(MEDULLA_FLAGS_x86_avx512 ${_avx512})
set(MEDULLA_FLAGS_x86_avx512vnni ${_avx512} -mavx512vnni)
set(MEDULLA_FLAGS_x86_avx512fp16 ${_avx512} -mavx512fp16)
set(MEDULLA_FLAGS_x86_avx512bf16 ${_avx512} -mavx512bf16)
set(MEDULLA_FLAGS_x86_amx_int8 ${_avx512} -mamx-tile -mamx-int8)
set(MEDULLA_FLAGS_x86_amx_bf16 ${_avx512} -mamx-tile -mamx-bf16)
set(MEDULLA_FLAGS_arm64_neon -march=armv8-a)
set(MEDULLA_FLAGS_arm64_dotprod -march=armv8.2-a+dotprod)
set(MEDULLA_FLAGS_arm64_fp16 -march=armv8.2-a+fp16)
set(MEDULLA_FLAGS_arm64_bf16 -march=armv8.2-a+bf16)
set(MEDULLA_FLAGS_arm64_i8mm -march=armv8.2-a+dotprod+i8mm)
set(MEDULLA_FLAGS_arm64_sve -march=armv8.2-a+fp16+sve)
set(MEDULLA_FLAGS_arm64_sve2 -march=armv8.2-a+fp16+sve2)
set(MEDULLA_FLAGS_arm_neon -mfpu=neon-vfpv4)
set(MEDULLA_ISAS avx2 avxvnni avx512 avx512vnni avx512fp16 avx512bf16 amx_int8 amx_bf16
                 neon dotprod fp16 bf16 i8mm sve sve2 sha)

# x86, arm64, arm, or nothing for another processor.
function(_medulla_kernel_arch out)
  set(arch "")
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64|i[3-6]86)$")
    set(arch x86)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$")
    set(arch arm64)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^arm")
    set(arch arm)
  endif()
  set(${out} "${arch}" PARENT_SCOPE)
endfunction()

# The ISAs of this architecture that are wanted and that the compiler knows.
function(_medulla_kernel_isas arch out)
  foreach(isa IN LISTS MEDULLA_KERNEL_ISAS)
    if(NOT isa IN_LIST MEDULLA_ISAS AND NOT isa MATCHES "^(all|portable)$")
      message(FATAL_ERROR "MEDULLA_KERNEL_ISAS: no ISA is called '${isa}'; there are: all, "
                          "portable, ${MEDULLA_ISAS}")
    endif()
  endforeach()
  set(isas "")
  foreach(isa IN LISTS MEDULLA_ISAS)
    if(NOT DEFINED MEDULLA_FLAGS_${arch}_${isa} OR
       NOT ("all" IN_LIST MEDULLA_KERNEL_ISAS OR isa IN_LIST MEDULLA_KERNEL_ISAS))
      continue()
    endif()
    string(REPLACE ";" " " flags "${MEDULLA_FLAGS_${arch}_${isa}}")
    check_cxx_compiler_flag("${flags}" MEDULLA_COMPILER_KNOWS_${arch}_${isa})
    if(MEDULLA_COMPILER_KNOWS_${arch}_${isa})
      list(APPEND isas ${isa})
    else()
      message(STATUS "Medulla: no ${isa} kernels, the compiler does not know ${flags}")
    endif()
  endforeach()
  set(${out} "${isas}" PARENT_SCOPE)
endfunction()

# Writes `text` only if it differs, so that a configure does not rebuild the selectors.
function(_medulla_write_if_changed path text)
  set(old "")
  if(EXISTS "${path}")
    file(READ "${path}" old)
  endif()
  if(NOT EXISTS "${path}" OR NOT old STREQUAL text)
    file(WRITE "${path}" "${text}")
  endif()
endfunction()

# A row that is not built here must at least be defined for another architecture.
function(_medulla_require_definition folder name isa)
  file(GLOB files "${folder}/*${isa}.cc" "${folder}/*_${isa}_*.cc")
  foreach(file IN LISTS files)
    file(READ "${file}" text)
    if("${text}" MATCHES "[^a-z0-9_]${name}[^a-z0-9_]")
      return()
    endif()
  endforeach()
  message(FATAL_ERROR "${folder}/kernels.inc: ${name}: no file for ${isa} here defines it")
endfunction()

# Adds one family's files and rows to `target`.
function(_medulla_add_family target family arch isas)
  set(folder "${PROJECT_SOURCE_DIR}/kernels/${family}")
  set(sources "${folder}/${family}.cc" "${folder}/portable.cc")
  file(READ "${folder}/portable.cc" text_portable)
  foreach(isa IN LISTS isas)
    file(GLOB files CONFIGURE_DEPENDS "${folder}/${arch}_${isa}.cc" "${folder}/${arch}_${isa}_*.cc")
    set(text_${isa} "")
    foreach(file IN LISTS files)
      set_source_files_properties("${file}" PROPERTIES
        COMPILE_OPTIONS "${MEDULLA_FLAGS_${arch}_${isa}}")
      list(APPEND sources "${file}")
      file(READ "${file}" text)
      string(APPEND text_${isa} "${text}")
    endforeach()
  endforeach()

  set(rows "")
  set(names "")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${folder}/kernels.inc")
  file(STRINGS "${folder}/kernels.inc" lines REGEX "^MDL_KERNEL")
  foreach(line IN LISTS lines)
    if(NOT line MATCHES "^MDL_KERNEL\\(([a-z0-9_]+), ([a-z0-9_]+), ([a-z0-9_]+)\\)$")
      message(FATAL_ERROR "${folder}/kernels.inc: not MDL_KERNEL(name, isa, fits) on one line: ${line}")
    endif()
    set(name "${CMAKE_MATCH_1}")
    set(isa "${CMAKE_MATCH_2}")
    if(NOT isa STREQUAL "portable" AND NOT isa IN_LIST MEDULLA_ISAS)
      message(FATAL_ERROR "${folder}/kernels.inc: ${name}: no ISA is called '${isa}'")
    endif()
    if("${text_${isa}}" MATCHES "[^a-z0-9_]${name}[^a-z0-9_]")
      string(APPEND rows "${line}\n")
      list(APPEND names "MDL_KERNEL_OF(${family}, ${name}, ${isa})")
    else()
      _medulla_require_definition("${folder}" ${name} ${isa})
    endif()
  endforeach()
  _medulla_write_if_changed("${PROJECT_BINARY_DIR}/generated/medulla_rows/${family}.inc" "${rows}")
  target_sources(${target} PRIVATE ${sources})
  set_property(GLOBAL APPEND PROPERTY MEDULLA_KERNEL_ROWS ${names})
endfunction()

function(medulla_add_kernels target)
  _medulla_kernel_arch(arch)
  _medulla_kernel_isas("${arch}" isas)
  target_sources(${target} PRIVATE "${PROJECT_SOURCE_DIR}/kernels/isa.cc"
                                   "${PROJECT_SOURCE_DIR}/kernels/families.cc")
  target_include_directories(${target} PRIVATE "${PROJECT_BINARY_DIR}/generated")
  file(GLOB lists CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/kernels/*/kernels.inc")
  set_property(GLOBAL PROPERTY MEDULLA_KERNEL_ROWS "")
  foreach(list IN LISTS lists)
    get_filename_component(folder "${list}" DIRECTORY)
    get_filename_component(family "${folder}" NAME)
    _medulla_add_family(${target} ${family} "${arch}" "${isas}")
  endforeach()
  get_property(rows GLOBAL PROPERTY MEDULLA_KERNEL_ROWS)
  list(JOIN rows "\n" text)
  _medulla_write_if_changed("${PROJECT_BINARY_DIR}/generated/medulla_rows/all_families.inc"
                            "${text}\n")
endfunction()
