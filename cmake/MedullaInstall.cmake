# SPDX-License-Identifier: Apache-2.0
include(CMakePackageConfigHelpers)
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/medulla")

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/medulla" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        OPTIONAL FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
install(TARGETS medulla EXPORT medulla-targets)
