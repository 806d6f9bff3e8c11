#pragma once

#include "tallyman/cli/terminal.hpp"
#include "tallyman/io/log.hpp"
#include "tallyman/tick/tick.hpp"

namespace tallyman {

/// Tells a deployment while it goes on. On a terminal the line at the bottom is alive; elsewhere,
/// as in the journal, there are whole lines only.
class Teller final : public TickObserver {
 public:
  explicit Teller(Terminal& out) : m_out(out) {}

  void deploying(const ServiceLook& service) override;
  void progress(std::string_view name, std::string_view text) override;
  void step(const Step& step) override;
  void deployed(const ServiceStatus& status, const Outcome& outcome) override;

 private:
  Terminal& m_out;
};

/// What is wrong with a service, or why it waits; nothing where all is well. Under `journald`
/// errors go to the log.
void tell_end(const ServiceStatus& service, bool journald, Terminal& out, Log& log);

}  // namespace tallyman
