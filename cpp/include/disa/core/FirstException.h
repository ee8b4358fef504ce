// SPDX-License-Identifier: Apache-2.0
#ifndef disa_core_FirstException_h
#define disa_core_FirstException_h

#include <atomic>
#include <exception>

namespace disa
{

/** \brief Carries the first exception of tasks that several threads run to the thread that waits for them. */
class FirstException
{
public:
  /** \brief Call a function unless one has thrown; keep what it throws. */
  template <typename TFunction>
  void
  Guard(const TFunction & function) noexcept
  {
    if (m_HasThrown)
    {
      return;
    }
    try
    {
      function();
    }
    catch (...)
    {
      if (!m_HasThrown.exchange(true))
      {
        m_Exception = std::current_exception();
      }
    }
  }

  bool
  HasThrown() const
  {
    return m_HasThrown;
  }

  /** \brief Throw what was kept, if anything; once no thread is in Guard any more. */
  void
  Rethrow() const
  {
    if (m_Exception)
    {
      std::rethrow_exception(m_Exception);
    }
  }

private:
  std::atomic<bool>  m_HasThrown{ false };
  std::exception_ptr m_Exception;
};

} // namespace disa

#endif
