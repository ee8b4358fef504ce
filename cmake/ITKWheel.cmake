# SPDX-License-Identifier: Apache-2.0
# The libraries of the `itk` wheel installed beside the building Python: ITK_WHEEL_DIR, ITK_WHEEL_VERSION, itk_wheel.
execute_process(
  COMMAND "${Python_EXECUTABLE}" -c
    "import importlib.metadata as m, importlib.util as u; print(u.find_spec('itk').submodule_search_locations[0], m.version('itk-core'), sep=';')"
  OUTPUT_VARIABLE found OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "The Python package itk is not installed beside ${Python_EXECUTABLE}: pip install 'itk>=5.4.2,<5.5'")
endif()
list(GET found 0 ITK_WHEEL_DIR)
list(GET found 1 ITK_WHEEL_VERSION)
if(ITK_WHEEL_VERSION VERSION_LESS 5.4.2 OR NOT ITK_WHEEL_VERSION VERSION_LESS 5.5)
  message(FATAL_ERROR "itk ${ITK_WHEEL_VERSION} is installed, itk-disa builds against 5.4.2 or a later 5.4: pip install 'itk>=5.4.2,<5.5'")
endif()
message(STATUS "ITK libraries: wheel ${ITK_WHEEL_VERSION} in ${ITK_WHEEL_DIR}")

if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux")
  message(FATAL_ERROR "On ${CMAKE_SYSTEM_NAME} nothing links to the itk wheel's libraries, which are loadable modules there; "
    "build the C++ library alone: cmake -S cpp -B build/cpp")
endif()

# The wheel's libraries carry no SONAME, so they are linked by file name; users find them through the RPATH. The names end in
# .abi3.so since Python 3.11, and in that of the interpreter before.
add_library(itk_wheel INTERFACE)
target_link_directories(itk_wheel INTERFACE "${ITK_WHEEL_DIR}")
foreach(module Common Statistics Transform IOTransformBase SpatialObjects Optimizersv4 Metricsv4 RegistrationMethodsv4)
  file(GLOB library RELATIVE "${ITK_WHEEL_DIR}" "${ITK_WHEEL_DIR}/_ITK${module}Python.*.so")
  if(NOT library)
    message(FATAL_ERROR "${ITK_WHEEL_DIR} has no library _ITK${module}Python: pip install --force-reinstall 'itk>=5.4.2,<5.5'")
  endif()
  target_link_libraries(itk_wheel INTERFACE "-l:${library}")
endforeach()
target_link_options(itk_wheel INTERFACE "-Wl,-rpath-link,${ITK_WHEEL_DIR}/../itk_core.libs")
