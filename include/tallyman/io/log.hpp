#pragma once

#include "tallyman/model/error.hpp"

#include <fmt/format.h>

#include <memory>
#include <string_view>
#include <utility>

namespace tallyman {

enum class LogLevel { debug, info, warning, error, off };
enum class LogFormat { text, json };

/// The log, on stderr, one record a line; control characters of a message (container output,
/// registry answers) are escaped, so that nobody forges a record.
///   under journald ($JOURNAL_STREAM is stderr): "<4>message" (sd-daemon(3))
///   on a terminal: "warning: message", coloured; elsewhere the same without colour
///   LogFormat::json: {"time":"…","level":"warning","message":"…"}
class Log {
 public:
  struct Options {
    LogLevel level = LogLevel::info;
    LogFormat format = LogFormat::text;
    bool journald = false;
    bool colour = false;
  };
  explicit Log(const Options& options);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void write(LogLevel level, std::string_view message);
  /// As an error, with its remedy.
  void error(const Error& error);

  template <class... Args>
  void debug(fmt::format_string<Args...> format, Args&&... args) {
    write_if(LogLevel::debug, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void info(fmt::format_string<Args...> format, Args&&... args) {
    write_if(LogLevel::info, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void warning(fmt::format_string<Args...> format, Args&&... args) {
    write_if(LogLevel::warning, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void error(fmt::format_string<Args...> format, Args&&... args) {
    write_if(LogLevel::error, format, std::forward<Args>(args)...);
  }

 private:
  template <class... Args>
  void write_if(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
    if (enabled(level)) {
      write(level, fmt::format(format, std::forward<Args>(args)...));
    }
  }
  [[nodiscard]] bool enabled(LogLevel level) const;
  struct Impl;
  std::unique_ptr<Impl> m_impl;
};

/// Is this descriptor the stream that $JOURNAL_STREAM ("dev:inode") names?
[[nodiscard]] bool is_journal_stream(int fd, std::string_view journal_stream);

/// Control characters, and what is not UTF-8, as \xNN; "\t" stays. For untrusted text in messages
/// and tables.
[[nodiscard]] std::string printable(std::string_view text);
/// The same of a version, for a column of a table: at most 24 bytes, cut between characters.
[[nodiscard]] std::string printable_version(std::string_view version);

}  // namespace tallyman
