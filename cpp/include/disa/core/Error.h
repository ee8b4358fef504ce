// SPDX-License-Identifier: Apache-2.0
#ifndef disa_core_Error_h
#define disa_core_Error_h

#include <stdexcept>
#include <string>

namespace disa
{

/** \brief What every public call of the library throws: one line that says what is wrong with which argument, what was
 *  expected and what to do. */
class Error : public std::runtime_error
{
public:
  using std::runtime_error::runtime_error;
};

/** \brief An image or a feature volume that cannot be used. */
class ImageError : public Error
{
public:
  using Error::Error;
};

/** \brief A registration that cannot be set up. */
class RegistrationError : public Error
{
public:
  using Error::Error;
};

} // namespace disa

#endif
