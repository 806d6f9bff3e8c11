#include "tallyman/io/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <sys/stat.h>

#include <charconv>
#include <chrono>
#include <nlohmann/json.hpp>

#include "io/utf8.hpp"
#include "tallyman/io/encoding.hpp"
#include "tallyman/model/time.hpp"

namespace tallyman {

namespace {

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
    case LogLevel::off:
      break;
  }
  return "off";
}

/// SD_DEBUG … of sd-daemon(3)
std::string_view journald_prefix(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "<7>";
    case LogLevel::info:
      return "<6>";
    case LogLevel::warning:
      return "<4>";
    default:
      return "<3>";
  }
}

/// What a person reads needs no word before the usual case.
std::string plain_prefix(LogLevel level, bool colour) {
  if (level == LogLevel::info) {
    return {};
  }
  if (!colour) {
    return fmt::format("{}: ", name_of(level));
  }
  const std::string_view code = level == LogLevel::error     ? "1;31"
                                : level == LogLevel::warning ? "1;33"
                                                             : "2";
  return fmt::format("\x1b[{}m{}:\x1b[0m ", code, name_of(level));
}

std::string json_record(LogLevel level, std::string_view message) {
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const nlohmann::ordered_json record{{"time", format_rfc3339(now)},
                                      {"level", std::string(name_of(level))},
                                      {"message", std::string(message)}};
  constexpr bool k_ensure_ascii = true;  // so that no terminal finds a control character in it
  return record.dump(-1, ' ', k_ensure_ascii, nlohmann::json::error_handler_t::replace);
}

template <class Number>
bool parse_whole(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

/// U+0000 to U+001F without "\t", U+007F to U+009F
bool is_control(std::string_view sequence) {
  const auto lead = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) {
    return (lead < 0x20 && lead != '\t') || lead == 0x7f;
  }
  return lead == 0xc2 && static_cast<unsigned char>(sequence[1]) < 0xa0;
}

}  // namespace

struct Log::Impl {
  explicit Impl(const Options& chosen)
      : options(chosen), logger("tallyman", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    logger.set_pattern("%v");
    logger.set_level(spdlog::level::trace);
    logger.set_error_handler([](const std::string&) {});  // stderr is gone: nobody to tell
  }

  [[nodiscard]] std::string record(LogLevel level, std::string_view message) const {
    if (options.format == LogFormat::json) {
      return json_record(level, message);
    }
    if (options.journald) {
      return fmt::format("{}{}", journald_prefix(level), printable(message));
    }
    return plain_prefix(level, options.colour) + printable(message);
  }

  Options options;
  spdlog::logger logger;
};

Log::Log(const Options& options) : m_impl(std::make_unique<Impl>(options)) {}

Log::~Log() = default;

bool Log::enabled(LogLevel level) const {
  return level != LogLevel::off && level >= m_impl->options.level;
}

void Log::write(LogLevel level, std::string_view message) {
  if (enabled(level)) {
    m_impl->logger.log(spdlog::level::info, spdlog::string_view_t(m_impl->record(level, message)));
  }
}

void Log::error(const Error& error) {
  write(LogLevel::error,
        error.remedy.empty() ? error.message : fmt::format("{}: {}", error.message, error.remedy));
}

bool is_journal_stream(int fd, std::string_view journal_stream) {
  const std::size_t colon = journal_stream.find(':');
  dev_t device = 0;
  ino_t inode = 0;
  struct stat status{};
  return colon != std::string_view::npos && parse_whole(journal_stream.substr(0, colon), device) &&
         parse_whole(journal_stream.substr(colon + 1), inode) && ::fstat(fd, &status) == 0 &&
         status.st_dev == device && status.st_ino == inode;
}

std::string printable(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_sequence_length(text);
    const std::string_view sequence = text.substr(0, std::max<std::size_t>(length, 1));
    if (length > 0 && !is_control(sequence)) {
      clean += sequence;
    } else {
      for (const char c : sequence) {
        clean += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
      }
    }
    text.remove_prefix(sequence.size());
  }
  return clean;
}

std::string printable_version(std::string_view version) {
  constexpr std::size_t k_most = 24;
  return std::string(cut_utf8(printable(version), k_most));
}

}  // namespace tallyman
