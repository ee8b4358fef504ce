# SPDX-License-Identifier: Apache-2.0
# The library behind the metric: target disa. It needs neither Python nor ITK.
add_library(disa STATIC
  ${CMAKE_CURRENT_LIST_DIR}/src/core/Distinct.cxx
  ${CMAKE_CURRENT_LIST_DIR}/src/core/Geometry.cxx
  ${CMAKE_CURRENT_LIST_DIR}/src/core/Parallel.cxx
  ${CMAKE_CURRENT_LIST_DIR}/src/features/Centring.cxx
  ${CMAKE_CURRENT_LIST_DIR}/src/features/FeatureVolume.cxx
  ${CMAKE_CURRENT_LIST_DIR}/src/features/Field.cxx
  ${CMAKE_CURRENT_LIST_DIR}/src/features/Pooling.cxx
  ${CMAKE_CURRENT_LIST_DIR}/src/features/Selection.cxx
  ${CMAKE_CURRENT_LIST_DIR}/src/features/Smoothing.cxx
  ${CMAKE_CURRENT_LIST_DIR}/src/features/VoxelSpacing.cxx
  ${CMAKE_CURRENT_LIST_DIR}/src/kernels/Kernels.cxx
  ${CMAKE_CURRENT_LIST_DIR}/src/metric/ChainEvaluation.cxx
  ${CMAKE_CURRENT_LIST_DIR}/src/metric/DisplacementMap.cxx
  ${CMAKE_CURRENT_LIST_DIR}/src/metric/Objective.cxx
  ${CMAKE_CURRENT_LIST_DIR}/src/metric/ProbePressure.cxx
  ${CMAKE_CURRENT_LIST_DIR}/src/metric/Sampling.cxx
  ${CMAKE_CURRENT_LIST_DIR}/src/metric/TransformChain.cxx
  ${CMAKE_CURRENT_LIST_DIR}/src/search/DisplacementSearch.cxx
  ${CMAKE_CURRENT_LIST_DIR}/src/search/Minimize.cxx
  ${CMAKE_CURRENT_LIST_DIR}/src/search/PoseModel.cxx
  ${CMAKE_CURRENT_LIST_DIR}/src/search/PoseObjective.cxx
  ${CMAKE_CURRENT_LIST_DIR}/src/search/PoseSearch.cxx)
target_include_directories(disa
  PUBLIC "$<BUILD_INTERFACE:${CMAKE_CURRENT_LIST_DIR}/include;${CMAKE_CURRENT_LIST_DIR}/include/itk>"
    "$<INSTALL_INTERFACE:include;include/disa/itk>"
  PRIVATE "${CMAKE_CURRENT_LIST_DIR}/src")
find_package(Threads REQUIRED)
target_link_libraries(disa PUBLIC ${CMAKE_THREAD_LIBS_INIT}) # by name, so that find_package(disa) needs nothing
target_compile_features(disa PUBLIC cxx_std_17)
target_compile_options(disa PRIVATE -Wall -Wextra -Wpedantic)

# GCC, Clang and clang-cl: the loops are written in vectors of these compilers, which Microsoft's own does not know.
if(MSVC AND NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  message(FATAL_ERROR "Microsoft's compiler has no vector types; take clang-cl: cmake -T ClangCL")
endif()

# One file per instruction set, each with its own flags; none contracts a * b + c, so that all blend to the same bits.
function(disa_add_kernel name)
  set(file ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/src/kernels/Kernel${name}.cxx)
  target_sources(disa PRIVATE ${file})
  set_source_files_properties(${file} PROPERTIES COMPILE_OPTIONS "-ffp-contract=off;${ARGN}")
endfunction()
disa_add_kernel(Portable)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  disa_add_kernel(AVX2 -mavx2)
  disa_add_kernel(AVX512 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni -mprefer-vector-width=512
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>) # g++ 12 warns of its own headers
  target_compile_definitions(disa PRIVATE DISA_HAVE_X86)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  disa_add_kernel(NEON)
  disa_add_kernel(NEONDot -march=armv8.2-a+dotprod)
  target_compile_definitions(disa PRIVATE DISA_HAVE_ARM)
endif()
