// SPDX-License-Identifier: Apache-2.0
#ifndef itkDISAError_h
#define itkDISAError_h

#include "itkMacro.h"

namespace itk
{

/** \class DISAError
 * \brief An exception of ITK whose what() is the one line of description, without file and line. */
class DISAError : public ExceptionObject
{
public:
  explicit DISAError(const std::string & description)
    : ExceptionObject(__FILE__, __LINE__, description)
  {
  }

  const char *
  what() const noexcept override
  {
    return this->GetDescription();
  }
};

} // namespace itk

#endif
