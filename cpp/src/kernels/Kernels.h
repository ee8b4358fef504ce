// SPDX-License-Identifier: Apache-2.0
#ifndef disa_kernels_Kernels_h
#define disa_kernels_Kernels_h

#include "disa/kernels/Cells.h"
#include "disa/kernels/Points.h"
#include "kernels/Rows.h"

#include <cstdint>
#include <string>
#include <vector>

namespace disa
{

// The specification: plain C++, for int8 and for float descriptors.
extern const KernelFunctions<std::int8_t> KernelPortable;
extern const KernelFunctions<float>       KernelFloat;
extern const PointFunctions               PointsPortable;
extern const RowFunctions                 RowsPortable;

// The same for the instruction sets of x86-64 (AVX2; AVX-512 with BW, DQ, VL and VNNI) and of aarch64 (NEON; NEON with
// dotprod), equal to the portable one to the last bit. Each is there only in builds for its architecture.
extern const KernelFunctions<std::int8_t> KernelAVX2;
extern const KernelFunctions<std::int8_t> KernelAVX512;
extern const KernelFunctions<std::int8_t> KernelNEON;
extern const KernelFunctions<std::int8_t> KernelNEONDot;
extern const PointFunctions               PointsAVX2, PointsAVX512, PointsNEON, PointsNEONDot;
// Rows go by 8 floats, so AVX-512, which was slower, and dotprod have none of their own.
extern const RowFunctions RowsAVX2, RowsNEON;

struct Kernel
{
  const char *                         name;
  const KernelFunctions<std::int8_t> * functions;
  const PointFunctions *               points;
  const RowFunctions *                 rows;
};

/** \brief The kernels that this build has and this processor runs, the fastest first, "portable" last. */
const std::vector<Kernel> & AvailableKernels();

/** \brief The available kernel of that name, else the first if the name is empty.
 *  Throws RegistrationError, with `source` as whence the name came, if there is none of that name. */
const Kernel & FindKernel(const std::string & name, const std::string & source);

/** \brief The kernel that the environment variable DISA_KERNEL names, or the fastest. Chosen once. */
const Kernel & ChosenKernel();

} // namespace disa

#endif
