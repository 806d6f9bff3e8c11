#include "fuzz/fuzz.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "tallyman/io/encoding.hpp"

namespace tallyman::fuzz {

std::map<std::string_view, Target>& targets() {
  static std::map<std::string_view, Target> s_targets;
  return s_targets;
}

void violated(const char* property, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, property);
  std::abort();
}

std::string_view take_line(std::string_view& input) {
  const std::string_view line = input.substr(0, input.find('\n'));
  input.remove_prefix(std::min(line.size() + 1, input.size()));
  return line;
}

bool is_one_printable_line(std::string_view text) {
  return is_utf8(text) && std::ranges::all_of(text, [](char c) {
           return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != '\x7f');
         });
}

namespace {

Target chosen() {
  const char* name = std::getenv("TALLYMAN_FUZZ_TARGET");
  const auto found = targets().find(name == nullptr ? "" : name);
  if (found != targets().end()) {
    return found->second;
  }
  std::fprintf(stderr, "tallyman-fuzz: set TALLYMAN_FUZZ_TARGET to one of:\n");
  for (const auto& [known, target] : targets()) {
    std::fprintf(stderr, "  %s\n", std::string(known).c_str());
  }
  std::exit(2);
}

}  // namespace

}  // namespace tallyman::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const tallyman::fuzz::Target k_target = tallyman::fuzz::chosen();
  k_target({reinterpret_cast<const char*>(data), size});
  return 0;
}
