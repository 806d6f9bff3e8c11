#include "tallyman/model/challenge.hpp"

#include "model/ascii.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace tallyman {
namespace {

constexpr std::size_t k_max_challenges = 16;
constexpr std::size_t k_max_parameters = 32;
constexpr std::size_t k_max_header = std::size_t{8} * 1024;

bool is_token(std::string_view text) {
  return !text.empty() && ascii::all(text, [](char c) {
    return ascii::is_alnum(c) ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

/// Reads one header value; RFC 9110, 11.2 and 11.6.1, but takes what registries really send.
class Parser {
 public:
  Parser(std::string_view text, std::vector<Challenge>& challenges)
      : m_text(text.substr(0, k_max_header)),
        m_is_cut(text.size() > k_max_header),
        m_challenges(challenges) {}

  void run() {
    while (skip_separators()) {
      if (peek() == '"') {
        (void)quoted_string();  // a value without a name, with whatever commas are in it
        continue;
      }
      const std::string_view word = take_until(" \t\r\n,=\"");
      skip_spaces();
      if (peek() == '=') {
        ++m_pos;
        parameter(word);
      } else {
        scheme(word);
      }
    }
  }

 private:
  [[nodiscard]] bool at_end() const { return m_pos >= m_text.size(); }
  [[nodiscard]] char peek() const { return at_end() ? '\0' : m_text[m_pos]; }

  void skip_spaces() {
    while (!at_end() && ascii::is_space(m_text[m_pos])) {
      ++m_pos;
    }
  }

  /// White space and commas; false at the end.
  bool skip_separators() {
    while (!at_end() && (ascii::is_space(m_text[m_pos]) || m_text[m_pos] == ',')) {
      m_after_scheme = m_after_scheme && m_text[m_pos] != ',';
      ++m_pos;
    }
    return !at_end();
  }

  std::string_view take_until(std::string_view stops) {
    const std::size_t begin = m_pos;
    m_pos = std::min(m_text.find_first_of(stops, m_pos), m_text.size());
    return m_text.substr(begin, m_pos - begin);
  }

  /// Nothing if it is not closed.
  std::optional<std::string> quoted_string() {
    std::string value;
    for (++m_pos; !at_end(); ++m_pos) {
      if (m_text[m_pos] == '"') {
        ++m_pos;
        return value;
      }
      if (m_text[m_pos] == '\\' && m_pos + 1 < m_text.size()) {
        ++m_pos;
      }
      value += m_text[m_pos];
    }
    return std::nullopt;
  }

  std::optional<std::string> value() {
    if (peek() == '"') {
      return quoted_string();
    }
    const std::string_view token = take_until(" \t\r\n,");
    if (at_end() && m_is_cut) {
      return std::nullopt;
    }
    return std::string(token);
  }

  void parameter(std::string_view name) {
    const bool first = std::exchange(m_after_scheme, false);
    skip_spaces();
    const bool bare = peek() != '"';
    const auto read = value();
    const bool has_control = read && !ascii::all(*read, [](char c) {
                               return static_cast<unsigned char>(c) >= ' ' && c != '\x7f';
                             });
    // The padding of a token68, as in "Negotiate YII=="
    const bool is_token68 =
        first && bare && read && read->find_first_not_of('=') == std::string::npos;
    if (!m_open || !read || has_control || is_token68 || !is_token(name)) {
      return;
    }
    auto& parameters = m_challenges.back().parameters;
    if (parameters.size() < k_max_parameters) {
      parameters.emplace(ascii::lower(name), *read);
    }
  }

  void scheme(std::string_view word) {
    if (std::exchange(m_after_scheme, false)) {
      return;  // a token68, as in "NTLM TlRMTVNT"
    }
    m_open = is_token(word) && m_challenges.size() < k_max_challenges && !(at_end() && m_is_cut);
    if (m_open) {
      m_challenges.push_back(Challenge{ascii::lower(word)});
      m_after_scheme = true;
    }
  }

  std::string_view m_text;
  bool m_is_cut;
  std::vector<Challenge>& m_challenges;
  std::size_t m_pos = 0;
  bool m_open = false;  // m_challenges.back() takes the next parameter
  bool m_after_scheme = false;
};

}  // namespace

std::string_view Challenge::get(std::string_view name) const {
  const auto found = parameters.find(std::string(name));
  return found == parameters.end() ? std::string_view() : std::string_view(found->second);
}

std::vector<Challenge> parse_challenges(const std::vector<std::string>& header_values) {
  std::vector<Challenge> challenges;
  for (const std::string& value : header_values) {
    Parser(value, challenges).run();
  }
  return challenges;
}

std::optional<Challenge> choose_challenge(const std::vector<Challenge>& challenges) {
  const Challenge* basic = nullptr;
  for (const Challenge& challenge : challenges) {
    if (challenge.scheme == "bearer" && !challenge.get("realm").empty()) {
      return challenge;
    }
    if (challenge.scheme == "basic" && basic == nullptr) {
      basic = &challenge;
    }
  }
  return basic == nullptr ? std::nullopt : std::optional(*basic);
}

}  // namespace tallyman
