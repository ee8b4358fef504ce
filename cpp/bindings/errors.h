// SPDX-License-Identifier: Apache-2.0
#ifndef errors_h
#define errors_h

/** \brief What the library throws becomes the exceptions of `disa.errors`, in the calling module alone: each of the
 * compiled modules has classes of its own for what is thrown. */
void register_errors();

#endif
