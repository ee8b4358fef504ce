# SPDX-License-Identifier: Apache-2.0
# SWIG's external runtime, of the version that the itk 5.4 wheels share type tables through ("4"): target swig_runtime.
set(swig_header "${CMAKE_CURRENT_BINARY_DIR}/swig/swigpyrun.h")
if(NOT EXISTS "${swig_header}")
  file(MAKE_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}/swig")
  execute_process(
    COMMAND "${Python_EXECUTABLE}" -c "import swig; swig.swig()" -python -external-runtime "${swig_header}"
    RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "The Python package swig 4.2 is not installed beside ${Python_EXECUTABLE}: pip install 'swig==4.2.*'")
  endif()
endif()
file(STRINGS "${swig_header}" version REGEX "define SWIG_RUNTIME_VERSION \"4\"")
if(NOT version)
  message(FATAL_ERROR "swig of another version wrote ${swig_header}; the itk 5.4 wheels need 4.2: pip install 'swig==4.2.*'")
endif()
add_library(swig_runtime INTERFACE)
target_include_directories(swig_runtime SYSTEM INTERFACE "${CMAKE_CURRENT_BINARY_DIR}/swig")
