# SPDX-License-Identifier: Apache-2.0
# medulla_warnings(<target>)       what every target of ours is compiled with in developer builds
# medulla_runtime_flags(<target>)  what src/, kernels/ and backends/ are compiled with

function(medulla_warnings target)
  # Contraction would make results depend on the compiler.
  target_compile_options(${target} PRIVATE -ffp-contract=off)
  if(MEDULLA_DEVELOPER)
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wconversion -Wshadow -Wundef -Wvla -Werror)
    # Clang counts sign conversion to -Wconversion; GCC does not.
    target_compile_options(${target} PRIVATE -Wno-sign-conversion)
    if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_FLAGS MATCHES "-fsanitize")
      # What the sanitizers add misleads it.
      target_compile_options(${target} PRIVATE -Wno-maybe-uninitialized)
    endif()
  endif()
endfunction()

function(medulla_runtime_flags target)
  medulla_warnings(${target})
  set_target_properties(${target} PROPERTIES CXX_VISIBILITY_PRESET hidden
                                             VISIBILITY_INLINES_HIDDEN ON)
  target_compile_options(${target} PRIVATE -fno-exceptions -fno-rtti -fno-math-errno
                                           -ffunction-sections -fdata-sections)
  if(CMAKE_CXX_COMPILER_ID MATCHES Clang AND CMAKE_CXX_FLAGS MATCHES "-fsanitize=[a-z,]*undefined")
    # These two checks want type information.
    target_compile_options(${target} PRIVATE -fno-sanitize=function,vptr)
  endif()
  if(NOT MEDULLA_DEVELOPER)
    # The library never aborts, in no kind of build.
    target_compile_options(${target} PRIVATE "-DFLATBUFFERS_ASSERT(x)=")
  else()
    target_compile_options(${target} PRIVATE -Wsign-conversion -Wcast-qual -Wmissing-declarations
                                             -Wold-style-cast)
    if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
      # Clang's also names arguments that are widened, which is exact and meant.
      target_compile_options(${target} PRIVATE -Wdouble-promotion)
    endif()
  endif()
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}"
                                               "${PROJECT_SOURCE_DIR}/include")
  # What flatc and FlatBuffers' headers hold is not for our warnings.
  target_include_directories(${target} SYSTEM PRIVATE "${MEDULLA_GENERATED_DIR}"
                                                      "${FlatBuffers_INCLUDE_DIR}")
  target_compile_definitions(${target} PRIVATE MEDULLA_THREADS=$<BOOL:${MEDULLA_THREADS}>
                                               MEDULLA_CPUINFO=$<BOOL:${MEDULLA_CPUINFO}>)
  if(TARGET medulla_generated)
    add_dependencies(${target} medulla_generated)
  endif()
endfunction()
