# SPDX-License-Identifier: Apache-2.0
# A static ITK with what the registration engine needs: target itk_static. cmake/static-itk builds one, ITK_DIR names it.
if(NOT TARGET ITKRegistrationMethodsv4)
  message(FATAL_ERROR "DISA_STATIC_ITK: no ITK 5.4 with ITKRegistrationMethodsv4 in ITK_DIR '${ITK_DIR}'; build one by "
    "cmake -S cmake/static-itk -B build/static-itk && cmake --build build/static-itk, then -D ITK_DIR=build/static-itk/build")
endif()
get_target_property(itk_library_type ITKCommon TYPE)
if(NOT itk_library_type STREQUAL "STATIC_LIBRARY")
  message(FATAL_ERROR "DISA_STATIC_ITK: the ITK in '${ITK_DIR}' has shared libraries; build one with BUILD_SHARED_LIBS=OFF")
endif()
message(STATUS "SimpleITK's class: static ITK ${ITK_VERSION} in ${ITK_DIR}")
add_library(itk_static INTERFACE)
target_link_libraries(itk_static INTERFACE itk_headers ITKRegistrationMethodsv4)
if(CMAKE_SYSTEM_NAME STREQUAL "Linux") # none of its symbols is seen by the ITK of another module
  target_link_options(itk_static INTERFACE "-Wl,--exclude-libs,ALL")
endif()

# What is inside goes with its licences: ITK's, and those of what ITK holds.
foreach(licence LICENSE NOTICE Documentation/docs/licenses.md)
  if(NOT EXISTS "${ITK_CMAKE_DIR}/../${licence}")
    message(FATAL_ERROR "DISA_STATIC_ITK: ITK's sources have no ${licence}; ITK_DIR has to be a build folder of cmake/static-itk")
  endif()
  install(FILES "${ITK_CMAKE_DIR}/../${licence}" DESTINATION disa/licenses/itk)
endforeach()
