#include "tallyman/config/config.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace tallyman {

namespace {

constexpr std::size_t k_max_word = 64;  // no key is nearly as long

/// Case and the sort of dash are no difference at all: "Env-Files" is env_files.
std::string folded(std::string_view word) {
  std::string result(word);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c - 'A' + 'a');
    } else if (c == '-') {
      c = '_';
    }
  }
  return result;
}

/// Optimal string alignment: insertions, deletions, replacements and swaps of neighbours.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::array<std::array<std::size_t, k_max_word + 1>, k_max_word + 1> d{};
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      const std::size_t replaced = d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

/// How much of a word may be wrong before it is another word.
std::size_t tolerance(std::size_t length) {
  if (length <= 2) {
    return 0;
  }
  return std::min<std::size_t>(3, length <= 5 ? 1 : length / 3);
}

}  // namespace

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  std::string_view best;
  std::size_t best_distance = k_max_word;
  if (word.empty() || word.size() > k_max_word) {
    return best;
  }
  const std::string wanted = folded(word);
  for (const auto candidate : candidates) {
    if (candidate.size() > k_max_word) {
      continue;
    }
    const auto distance = edit_distance(wanted, folded(candidate));
    if (distance < best_distance &&
        distance <= tolerance(std::max(wanted.size(), candidate.size()))) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace tallyman
