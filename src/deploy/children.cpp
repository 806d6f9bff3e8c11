#include "deploy/children.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "tallyman/io/encoding.hpp"
#include "tallyman/io/files.hpp"

namespace tallyman {
namespace {

/// The last bytes of a stream that may be endless.
class StreamEnd {
 public:
  void add(std::string_view bytes) {
    m_text += bytes.substr(bytes.size() - std::min(bytes.size(), k_kept));
    if (m_text.size() > 2 * k_kept) {
      m_text.erase(0, m_text.size() - k_kept);
    }
  }
  [[nodiscard]] const std::string& text() const { return m_text; }

 private:
  static constexpr std::size_t k_kept = 4096;
  std::string m_text;
};

bool is_folder(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

}  // namespace

std::string end_of_output(std::string_view text) {
  while (text.ends_with('\n')) {
    text.remove_suffix(1);
  }
  constexpr std::size_t k_longest = 400;
  if (text.size() > k_longest) {
    text.remove_prefix(text.size() - k_longest);
    text.remove_prefix(std::min(text.size(), text.find('\n') + 1));
  }
  std::string result;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    result += (result.empty() ? "" : "; ") + printable(text.substr(0, end));
    text = end == std::string_view::npos ? "" : text.substr(end + 1);
  }
  return result;
}

void LoggedLines::add(std::string_view line) {
  if (line.empty() || m_lines > k_most_lines) {
    return;
  }
  if (++m_lines > k_most_lines) {
    m_log.info("{}: more lines; all of them are in the deployment's folder", m_who);
    return;
  }
  m_log.info("{}: {}{}", m_who, cut_utf8(line, k_longest_line),
             line.size() > k_longest_line ? " …" : "");
}

Result<void> check_program(const std::string& program, const std::string& directory,
                           const std::string& path) {
  if (!is_folder(directory)) {
    return fail(ErrorKind::config, "{} cannot be run in {}: there is no such folder", program,
                directory);
  }
  const bool relative = !program.starts_with('/') && program.find('/') != std::string::npos;
  const std::string whole = relative ? absolute_path(program, directory) : program;
  if (!find_program(whole, path)) {
    Error error{ErrorKind::config,
                whole.starts_with('/')
                    ? fmt::format("{} is no program: it is not there, or not executable", whole)
                    : fmt::format("{}: not found in PATH {}", program, path)};
    error.remedy = whole.starts_with('/') ? fmt::format("chmod +x {}", whole)
                                          : "name it in full, with its folder";
    return std::unexpected(std::move(error));
  }
  return {};
}

Result<void> run_child(Process& process, Log& log, Command command, const std::string& what) {
  LoggedLines lines(log, what);
  StreamEnd end;
  command.max_output = 0;
  command.on_line = [&](std::string_view line) { lines.add(line); };
  command.on_output = [&, to_file = std::exchange(command.on_output, {})](std::string_view bytes) {
    end.add(bytes);
    if (to_file) {
      to_file(bytes);
    }
  };
  const auto exit = process.run(command);
  if (!exit) {
    return std::unexpected(with_context(exit.error(), what));
  }
  if (!exit->ok()) {
    const std::string told = end_of_output(end.text());
    return fail(ErrorKind::process, "{}: {}{}{}", what, exit->describe(command),
                told.empty() ? "" : ": ", told);
  }
  return {};
}

}  // namespace tallyman
