# SPDX-License-Identifier: Apache-2.0
# The ITK of the `itk` wheel as find_package(ITK) gives it, for our test of examples/cpp where no ITK 5.4 is installed:
#   cmake ... -DITK_DIR=cmake/itk-wheel -DPython_EXECUTABLE=...
# The wheel's libraries are modules of Python, so programs link to a shared libpython, too.
find_package(Python REQUIRED COMPONENTS Interpreter Development.Embed)
include("${CMAKE_CURRENT_LIST_DIR}/../ITKWheel.cmake")
set(CMAKE_DISABLE_FIND_PACKAGE_ITK ON) # ITKHeaders looks for an installed one first
include("${CMAKE_CURRENT_LIST_DIR}/../ITKHeaders.cmake")
unset(CMAKE_DISABLE_FIND_PACKAGE_ITK)
target_link_options(itk_wheel INTERFACE "-Wl,--no-as-needed,-rpath,${ITK_WHEEL_DIR}")
set(ITK_VERSION "${ITK_WHEEL_VERSION}")
set(ITK_INCLUDE_DIRS ${itk_include_dirs})
set(ITK_LIBRARIES itk_headers itk_wheel Python::Python)
set(ITK_USE_FILE "${CMAKE_CURRENT_LIST_DIR}/UseITK.cmake")
