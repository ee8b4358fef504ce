// SPDX-License-Identifier: Apache-2.0
#ifndef disa_core_Choice_h
#define disa_core_Choice_h

#include "disa/core/Error.h"

#include <map>
#include <string>

namespace disa
{

/** \brief The value that goes by a name. Throws RegistrationError with `what` and the known names if none does. */
template <typename T>
const T &
Choose(const std::string & what, const std::map<std::string, T> & known, const std::string & name)
{
  const auto found = known.find(name);
  if (found != known.end())
  {
    return found->second;
  }
  std::string names;
  for (const auto & item : known)
  {
    names += (names.empty() ? "" : ", ") + item.first;
  }
  throw RegistrationError(what + ": expected one of " + names + ", got \"" + name + '"');
}

} // namespace disa

#endif
