# SPDX-License-Identifier: Apache-2.0
# Headers of ITK 5.4: target itk_headers. Sources, in this order:
#   1. ITK_DIR, or an ITK 5.4 installed on the system;
#   2. Debian's package, unpacked into the build folder, nothing installed;
#   3. ITK's own release that matches the wheel, through FetchContent.
set(itk_headers_source "")

find_package(ITK 5.4 QUIET)
if(ITK_FOUND AND ITK_VERSION VERSION_LESS 5.5)
  set(itk_headers_source "ITK ${ITK_VERSION} in ${ITK_DIR}")
  set(itk_include_dirs ${ITK_INCLUDE_DIRS})
endif()

if(NOT itk_headers_source)
  set(unpacked "${CMAKE_CURRENT_BINARY_DIR}/itk-headers")
  execute_process(
    COMMAND sh "${CMAKE_CURRENT_LIST_DIR}/unpack_debian_itk_headers.sh" "${unpacked}"
    RESULT_VARIABLE failed OUTPUT_VARIABLE report ERROR_VARIABLE report)
  if(NOT failed)
    set(itk_headers_source "Debian's libinsighttoolkit5-dev, unpacked in ${unpacked}")
    set(itk_include_dirs "${unpacked}/usr/include/ITK-5.4" "${unpacked}/usr/include/ITK-5.4/itkeigen")
  else()
    message(STATUS "ITK headers: not from Debian's package: ${report}")
  endif()
endif()

if(NOT itk_headers_source)
  include(FetchContent)
  FetchContent_Populate(itk
    GIT_REPOSITORY https://github.com/InsightSoftwareConsortium/ITK.git
    GIT_TAG "v${ITK_WHEEL_VERSION}"
    GIT_SHALLOW ON
    SOURCE_DIR "${CMAKE_CURRENT_BINARY_DIR}/itk-source")
  # Configured, for the headers that configuring writes; never built.
  set(configured "${CMAKE_CURRENT_BINARY_DIR}/itk-configured")
  set(modules "")
  foreach(module Common Metricsv4 Transform SpatialObjects Optimizersv4)
    list(APPEND modules "-DModule_ITK${module}=ON")
  endforeach()
  execute_process(
    COMMAND "${CMAKE_COMMAND}" -S "${itk_SOURCE_DIR}" -B "${configured}" -DBUILD_TESTING=OFF -DBUILD_EXAMPLES=OFF
      -DITK_BUILD_DEFAULT_MODULES=OFF -DITK_LEGACY_REMOVE=ON ${modules}
    RESULT_VARIABLE failed OUTPUT_QUIET)
  if(failed)
    message(FATAL_ERROR "ITK ${ITK_WHEEL_VERSION} was fetched but does not configure; set ITK_DIR to an ITK 5.4 instead")
  endif()
  find_package(ITK 5.4 REQUIRED PATHS "${configured}" NO_DEFAULT_PATH)
  set(itk_headers_source "ITK ${ITK_WHEEL_VERSION} through FetchContent")
  set(itk_include_dirs ${ITK_INCLUDE_DIRS})
endif()

message(STATUS "ITK headers: ${itk_headers_source}")
add_library(itk_headers INTERFACE)
target_include_directories(itk_headers SYSTEM INTERFACE ${itk_include_dirs})
# The wheel's classes are laid out with ITK_LEGACY_REMOVE; without it their vtables have other slots.
target_compile_definitions(itk_headers INTERFACE ITK_LEGACY_REMOVE NDEBUG)
