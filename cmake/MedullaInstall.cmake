# SPDX-License-Identifier: Apache-2.0
include(CMakePackageConfigHelpers)
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/medulla")
set(share "${CMAKE_INSTALL_DATAROOTDIR}")

install(TARGETS medulla EXPORT medulla-targets)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/NOTICE"
        DESTINATION "${CMAKE_INSTALL_DOCDIR}")

# The package. A static library makes its user link what it uses; a shared one does not.
install(EXPORT medulla-targets NAMESPACE medulla:: DESTINATION "${package_dir}")
set(MEDULLA_PACKAGE_NEEDS "")
set(MEDULLA_PC_LIBS "")
if(NOT BUILD_SHARED_LIBS)
  set(MEDULLA_PC_LIBS " -lm")
  foreach(package IN ITEMS THREADS/PThreadPool/pthreadpool CPUINFO/Cpuinfo/cpuinfo)
    string(REPLACE "/" ";" package ${package})
    list(GET package 0 option)
    list(GET package 1 name)
    list(GET package 2 library)
    if(MEDULLA_${option})
      list(APPEND MEDULLA_PACKAGE_NEEDS ${name})
      string(PREPEND MEDULLA_PC_LIBS " -l${library}")
      install(FILES "${PROJECT_SOURCE_DIR}/cmake/Find${name}.cmake" DESTINATION "${package_dir}")
    endif()
  endforeach()
endif()
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/medulla-config.cmake.in"
                              "${CMAKE_BINARY_DIR}/package/medulla-config.cmake"
                              INSTALL_DESTINATION "${package_dir}"
                              NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file("${CMAKE_BINARY_DIR}/package/medulla-config-version.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_BINARY_DIR}/package/medulla-config.cmake"
              "${CMAKE_BINARY_DIR}/package/medulla-config-version.cmake"
        DESTINATION "${package_dir}")

# pkg-config: relative to the file, so that the tree can be moved.
set(pc_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
file(RELATIVE_PATH MEDULLA_PC_PREFIX "/${pc_dir}" "/")
configure_file("${PROJECT_SOURCE_DIR}/cmake/medulla.pc.in"
               "${CMAKE_BINARY_DIR}/package/medulla.pc" @ONLY)
install(FILES "${CMAKE_BINARY_DIR}/package/medulla.pc" DESTINATION "${pc_dir}")

# The command, its module, its manual and its completion.
if(TARGET medulla_command)
  install(TARGETS medulla_command)
  if(TARGET medulla-convert)
    install(TARGETS medulla-convert DESTINATION "${CMAKE_INSTALL_LIBDIR}/medulla")
  endif()
  set(tools "${PROJECT_SOURCE_DIR}/tools")
  install(FILES "${tools}/man/medulla.1" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
  install(FILES "${tools}/completion/medulla.bash" RENAME medulla
          DESTINATION "${share}/bash-completion/completions")
endif()
