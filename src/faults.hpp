#pragma once

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "tallyman/io/http.hpp"
#include "tallyman/io/process.hpp"
#include "tallyman/model/transaction.hpp"

/// The seam of tallyman-faulty, a program of the tests; the released one has none of it.
namespace tallyman {

using Environment = std::map<std::string, std::string>;
using PhaseHook = std::function<Result<void>(Phase phase, bool after)>;

#ifdef TALLYMAN_FAULTS
inline std::string fault_value(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found != environment.end() ? found->second : "";
}

/// $TALLYMAN_FAULT is "PHASE:before:PROGRAM", or several of them with spaces between. The program
/// runs at that point of a deployment with our process id in $TALLYMAN_PID; unless it ends with 0,
/// the phase has failed.
inline PhaseHook phase_hook(const Environment& environment, Process& process) {
  const std::string faults = " " + fault_value(environment, "TALLYMAN_FAULT") + " ";
  const std::string path = fault_value(environment, "PATH");
  return [faults, path, &process](Phase phase, bool after) -> Result<void> {
    const std::string point = fmt::format(" {}:{}:", to_string(phase), after ? "after" : "before");
    const std::size_t found = faults.find(point);
    if (found == std::string::npos) {
      return {};
    }
    const std::size_t begin = found + point.size();
    const Command command{
        .argv = {faults.substr(begin, faults.find(' ', begin) - begin)},
        .environment = {{"PATH", path}, {"TALLYMAN_PID", std::to_string(getpid())}}};
    const auto exit = process.run(command);
    if (!exit) {
      return std::unexpected(exit.error());
    }
    return exit->ok() ? Result<void>()
                      : fail(ErrorKind::process, "a test made phase {} fail", to_string(phase));
  };
}

/// What an engine may take for one call is cut down to $TALLYMAN_FAULT_PATIENCE seconds, so that a
/// test can have it hang for longer than that.
class Impatient final : public Http {
 public:
  Impatient(Http& http, const Environment& environment)
      : m_http(http),
        m_patience(std::atoi(fault_value(environment, "TALLYMAN_FAULT_PATIENCE").c_str())) {}
  void send(HttpRequest request, Done done) override {
    if (m_patience.count() > 0) {
      request.timeout = m_patience;
      request.stall_timeout = m_patience;
    }
    m_http.send(std::move(request), std::move(done));
  }
  void watch(int fd, std::move_only_function<void()> ready) override {
    m_http.watch(fd, std::move(ready));
  }
  void run() override { m_http.run(); }

 private:
  Http& m_http;
  std::chrono::seconds m_patience;
};
#else
inline PhaseHook phase_hook(const Environment& /*environment*/, Process& /*process*/) {
  return {};
}
#endif

}  // namespace tallyman
