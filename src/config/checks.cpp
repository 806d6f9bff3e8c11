#include "config/checks.hpp"

#include "tallyman/io/encoding.hpp"
#include "tallyman/io/files.hpp"
#include "tallyman/model/time.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace tallyman::config {

namespace {

constexpr std::size_t k_max_drop_in_name = 63;
constexpr std::chrono::milliseconds k_shortest_timeout = std::chrono::seconds(1);
constexpr std::chrono::milliseconds k_longest_timeout = std::chrono::hours(24);

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_letter(char c) {
  return is_lower(c) || (c >= 'A' && c <= 'Z');
}
bool is_alnum(char c) {
  return is_letter(c) || is_digit(c);
}

template <class First, class Rest>
bool matches(std::string_view text, First first, Rest rest) {
  return !text.empty() && first(text.front()) && std::ranges::all_of(text.substr(1), rest);
}

}  // namespace

bool is_service_name(std::string_view text) {
  return matches(text, is_alnum,
                 [](char c) { return is_alnum(c) || c == '.' || c == '_' || c == '-'; });
}

bool is_project_name(std::string_view text) {
  const auto is_first = [](char c) { return is_lower(c) || is_digit(c); };
  return matches(text, is_first, [=](char c) { return is_first(c) || c == '_' || c == '-'; });
}

bool is_environment_name(std::string_view text) {
  return matches(
      text, [](char c) { return is_letter(c) || c == '_'; },
      [](char c) { return is_alnum(c) || c == '_'; });
}

bool is_drop_in_name(std::string_view text) {
  return is_service_name(text) && text.size() <= k_max_drop_in_name;
}

std::string_view stem_of(std::string_view file) {
  constexpr std::string_view k_suffix = ".toml";
  file.remove_prefix(file.rfind('/') + 1);  // npos + 1 is 0
  if (file.ends_with(k_suffix)) {
    file.remove_suffix(k_suffix.size());
  }
  return file;
}

std::string_view flaw_of_absolute_path(std::string_view path) {
  if (path.empty()) {
    return "an empty path";
  }
  if (has_control_characters(path)) {
    return "a path with a control character in it";
  }
  if (path.starts_with('~')) {
    return "must be an absolute path; nothing replaces a ~ here, write the folder's full name";
  }
  return path.starts_with('/') ? "" : "must be an absolute path, one that begins with /";
}

std::vector<TextValue> without_duplicates(TableReader& reader, std::string_view key,
                                          std::vector<TextValue> values) {
  std::set<std::string, std::less<>> seen;
  std::erase_if(values, [&](const TextValue& value) {
    if (seen.insert(value.text).second) {
      return false;
    }
    reader.report(value.at, key, fmt::format("{} is there twice", quoted(value.text)));
    return true;
  });
  return values;
}

std::vector<std::string> read_command(TableReader& reader, std::string_view key,
                                      std::string_view directory) {
  std::vector<std::string> command;
  for (auto& word : reader.texts(key)) {
    const bool relative =
        command.empty() && !word.text.starts_with('/') && word.text.find('/') != std::string::npos;
    if (word.text.empty()) {
      reader.report(word.at, key, "an empty word");
    } else if (word.text.find('\0') != std::string::npos) {
      reader.report(word.at, key, "a word with a NUL byte in it");
    } else if (command.empty() && word.text.starts_with('~')) {
      reader.report(word.at, key, "nothing replaces a ~ here; write the folder's full name");
    } else if (relative && directory.empty()) {
      reader.report(
          word.at, key,
          "a program is a name that PATH knows, or an absolute path; no shell reads this");
    }
    command.push_back(std::move(word.text));
  }
  return command;
}

std::string read_directory(TableReader& reader, std::string_view example) {
  const auto directory = reader.text("directory", example);
  if (!directory) {
    return "";
  }
  if (const auto flaw = flaw_of_absolute_path(directory->text); !flaw.empty()) {
    reader.report(directory->at, "directory", fmt::format("{}: {}", quoted(directory->text), flaw));
    return "";
  }
  return absolute_path(directory->text, "/");
}

std::chrono::milliseconds read_timeout(TableReader& reader, std::chrono::milliseconds otherwise) {
  const auto text = reader.text("timeout", "10m");
  if (!text) {
    return otherwise;
  }
  const auto timeout = parse_duration(text->text);
  if (!timeout) {
    reader.report(text->at, "timeout", message_of(timeout.error()));
  } else if (*timeout < k_shortest_timeout || *timeout > k_longest_timeout) {
    reader.report(text->at, "timeout",
                  fmt::format("{} is out of bounds: from \"1s\" to \"24h\"", quoted(text->text)));
  } else {
    return *timeout;
  }
  return otherwise;
}

}  // namespace tallyman::config
