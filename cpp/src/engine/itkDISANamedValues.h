// SPDX-License-Identifier: Apache-2.0
#ifndef itkDISANamedValues_h
#define itkDISANamedValues_h

#include "disa/core/Error.h"

#include <map>
#include <set>
#include <string>

namespace itk
{
namespace DISA
{

/** \brief Reads settings by name: each that is asked for has to be there, and no other. */
template <typename TValue>
class NamedValues
{
public:
  /** \param owner what is set, for messages. */
  NamedValues(const std::map<std::string, TValue> & values, std::string owner)
    : m_Values(values)
    , m_Owner(std::move(owner))
  {
  }

  /** \brief Throws disa::RegistrationError if it is not there. */
  const TValue &
  at(const std::string & name)
  {
    m_Read.insert(name);
    const auto found = m_Values.find(name);
    if (found == m_Values.end())
    {
      throw disa::RegistrationError(m_Owner + ": expected a setting \"" + name + "\", got " +
                                    (m_Values.empty() ? "none" : Join(m_Values)));
    }
    return found->second;
  }

  /** \brief Throws disa::RegistrationError if there is one that was not asked for. */
  void
  CheckAllRead() const
  {
    for (const auto & value : m_Values)
    {
      if (m_Read.count(value.first) == 0)
      {
        throw disa::RegistrationError(m_Owner + ": expected " + (m_Read.empty() ? "no settings" : Join(m_Read)) +
                                      ", got \"" + value.first + '"');
      }
    }
  }

private:
  static const std::string &
  NameOf(const std::string & name)
  {
    return name;
  }
  static const std::string &
  NameOf(const std::pair<const std::string, TValue> & value)
  {
    return value.first;
  }

  template <typename TItems>
  static std::string
  Join(const TItems & items)
  {
    std::string names;
    for (const auto & item : items)
    {
      names += (names.empty() ? "" : ", ") + NameOf(item);
    }
    return names;
  }

  const std::map<std::string, TValue> & m_Values;
  std::string                           m_Owner;
  std::set<std::string>                 m_Read;
};

using NamedNumbers = NamedValues<double>;

} // namespace DISA
} // namespace itk

#endif
