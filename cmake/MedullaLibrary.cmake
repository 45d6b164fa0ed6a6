# SPDX-License-Identifier: Apache-2.0
# medulla           the library that is installed, static or shared by BUILD_SHARED_LIBS
# medulla_static    the archive; the same target when `medulla` is static
# medulla_shared    the shared object; likewise, else built for developers, who test what it exports
# medulla_internals the archive together with the folders of its private headers, for tools and tests

find_package(FlatBuffers REQUIRED)
if(MEDULLA_THREADS)
  find_package(PThreadPool REQUIRED)
endif()
if(MEDULLA_CPUINFO)
  find_package(Cpuinfo REQUIRED)
endif()

# A target that makes the header <stem>_generated.h of a schema.
function(medulla_compile_schema target schema)
  cmake_path(GET schema STEM stem)
  cmake_path(GET schema FILENAME name)
  set(header "${MEDULLA_GENERATED_DIR}/${stem}_generated.h")
  add_custom_command(
    OUTPUT "${header}"
    COMMAND "${FlatBuffers_FLATC}" --cpp --scoped-enums --cpp-std c++17 --gen-object-api
            -o "${MEDULLA_GENERATED_DIR}" "${schema}"
    DEPENDS "${schema}"
    COMMENT "Compiling ${name}"
    VERBATIM)
  add_custom_target(${target} DEPENDS "${header}")
endfunction()

medulla_compile_schema(medulla_generated "${PROJECT_SOURCE_DIR}/schema/medulla.fbs")

# The archive.
file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/*.cc")
list(REMOVE_ITEM sources ${MEDULLA_TABLE_DROPPED})
set(archive medulla)
if(BUILD_SHARED_LIBS)
  set(archive medulla_static)
endif()
add_library(${archive} STATIC ${sources} "${PROJECT_SOURCE_DIR}/cmake/empty.cc")
medulla_runtime_flags(${archive})
target_link_libraries(${archive} PRIVATE m)  # fmaf and the like, where the CPU has no instruction
if(MEDULLA_THREADS)
  target_link_libraries(${archive} PRIVATE PThreadPool::PThreadPool)
endif()
if(MEDULLA_CPUINFO)
  target_link_libraries(${archive} PRIVATE Cpuinfo::Cpuinfo)
endif()

include(MedullaKernels OPTIONAL)
if(COMMAND medulla_add_kernels)
  medulla_add_kernels(${archive})
endif()

# The backends. A backend may have a CMakeLists.txt of its own: it adds to the target
# ${MEDULLA_ARCHIVE} what the backend needs, or sets MEDULLA_BACKEND_MISSING (PARENT_SCOPE) to what
# is not there; then the backend is left out, or is an error if it was asked for by name.
set(MEDULLA_ARCHIVE ${archive})
foreach(name IN LISTS MEDULLA_BACKEND_NAMES)
  unset(MEDULLA_BACKEND_MISSING)
  if(EXISTS "${PROJECT_SOURCE_DIR}/backends/${name}/CMakeLists.txt")
    add_subdirectory("${PROJECT_SOURCE_DIR}/backends/${name}")
  endif()
  if(MEDULLA_BACKEND_MISSING)
    if(name IN_LIST MEDULLA_BACKENDS)
      message(FATAL_ERROR "backend ${name} cannot be built: missing ${MEDULLA_BACKEND_MISSING}")
    endif()
    message(STATUS "backend ${name} left out: missing ${MEDULLA_BACKEND_MISSING}")
    list(REMOVE_ITEM MEDULLA_BACKEND_NAMES ${name})
    continue()
  endif()
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/backends/${name}/*.cc")
  list(REMOVE_ITEM sources ${MEDULLA_TABLE_DROPPED})
  target_sources(${archive} PRIVATE ${sources})
endforeach()
medulla_write_table(medulla_backends.inc MDL_BACKEND "${MEDULLA_BACKEND_NAMES}")

string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
string(STRIP "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${type}}" MEDULLA_CXX_FLAGS)
configure_file("${PROJECT_SOURCE_DIR}/cmake/medulla_build_info.h.in"
               "${MEDULLA_GENERATED_DIR}/medulla_build_info.h" @ONLY)

# The shared object exports what medulla.h and backend.h declare, and nothing of the C++ library.
set(map "${PROJECT_SOURCE_DIR}/cmake/medulla.map")
if(BUILD_SHARED_LIBS)
  set(shared medulla)
elseif(MEDULLA_DEVELOPER)
  set(shared medulla_shared)
endif()
if(shared)
  add_library(${shared} SHARED "${PROJECT_SOURCE_DIR}/cmake/empty.cc")
  target_link_libraries(${shared} PRIVATE "$<LINK_LIBRARY:WHOLE_ARCHIVE,${archive}>")
  target_link_options(${shared} PRIVATE "LINKER:--version-script=${map}" LINKER:--gc-sections)
  # While the major version is 0, a minor one may change the interface.
  set(soversion ${PROJECT_VERSION_MAJOR})
  if(soversion EQUAL 0)
    string(APPEND soversion .${PROJECT_VERSION_MINOR})
  endif()
  set_target_properties(${shared} PROPERTIES
    OUTPUT_NAME medulla LINK_DEPENDS "${map}"
    VERSION ${PROJECT_VERSION} SOVERSION ${soversion})
endif()

target_include_directories(medulla PUBLIC "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
                                          "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
add_library(medulla::medulla ALIAS medulla)

add_library(medulla_internals INTERFACE)
target_link_libraries(medulla_internals INTERFACE ${archive})
target_include_directories(medulla_internals INTERFACE "${PROJECT_SOURCE_DIR}"
                                                       "${PROJECT_SOURCE_DIR}/include")
target_include_directories(medulla_internals SYSTEM INTERFACE "${MEDULLA_GENERATED_DIR}"
                                                              "${FlatBuffers_INCLUDE_DIR}")
target_compile_definitions(medulla_internals INTERFACE
  MEDULLA_THREADS=$<BOOL:${MEDULLA_THREADS}> MEDULLA_CPUINFO=$<BOOL:${MEDULLA_CPUINFO}>)
