#include "engine/image_ids.hpp"

namespace tallyman {

namespace {

constexpr std::string_view k_sha256 = "sha256:";
constexpr std::size_t k_short_length = 12;
constexpr std::size_t k_full_length = 64;

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

bool looks_like_id(std::string_view text) {
  return text.starts_with(k_sha256) ||
         (text.size() >= k_short_length && text.size() <= k_full_length && is_hex(text));
}

std::string with_algorithm(std::string id) {
  if (id.size() == k_full_length && is_hex(id)) {
    id.insert(0, k_sha256);
  }
  return id;
}

}  // namespace tallyman
