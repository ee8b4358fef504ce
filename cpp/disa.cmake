# The library behind the metric: target disa. It needs neither Python nor ITK.
add_library(disa STATIC
  ${CMAKE_CURRENT_LIST_DIR}/src/disaDeformable.cxx
  ${CMAKE_CURRENT_LIST_DIR}/src/disaEvaluatePortable.cxx
  ${CMAKE_CURRENT_LIST_DIR}/src/disaFeatureVolume.cxx
  ${CMAKE_CURRENT_LIST_DIR}/src/disaGeometry.cxx
  ${CMAKE_CURRENT_LIST_DIR}/src/disaKernels.cxx
  ${CMAKE_CURRENT_LIST_DIR}/src/disaLattice.cxx
  ${CMAKE_CURRENT_LIST_DIR}/src/disaObjective.cxx
  ${CMAKE_CURRENT_LIST_DIR}/src/disaSmoothing.cxx
  ${CMAKE_CURRENT_LIST_DIR}/src/disaTransformChain.cxx)
target_include_directories(disa
  PUBLIC "$<BUILD_INTERFACE:${CMAKE_CURRENT_LIST_DIR}/include>" "$<INSTALL_INTERFACE:include/disa>"
  PRIVATE "${CMAKE_CURRENT_LIST_DIR}/src")
target_compile_features(disa PUBLIC cxx_std_17)
target_compile_options(disa PRIVATE -Wall -Wextra -Wpedantic)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_sources(disa PRIVATE ${CMAKE_CURRENT_LIST_DIR}/src/disaEvaluateAVX2.cxx)
  set_source_files_properties(${CMAKE_CURRENT_LIST_DIR}/src/disaEvaluateAVX2.cxx PROPERTIES COMPILE_OPTIONS "-mavx2;-mfma")
  target_compile_definitions(disa PRIVATE DISA_HAVE_AVX2)
endif()
