#pragma once

#include <map>
#include <string>
#include <string_view>

// All targets are one program, so that the rooms are linked, and on a fuzzer's build compiled, only
// once. A target is a file of its name:
//
//   FUZZ_TARGET(digest) { HOLDS(…); }
//
// $TALLYMAN_FUZZ_TARGET chooses one; the arguments are libFuzzer's.
namespace tallyman::fuzz {

using Target = void (*)(std::string_view input);

[[nodiscard]] std::map<std::string_view, Target>& targets();

struct Registration {
  Registration(std::string_view name, Target target) { targets().emplace(name, target); }
};

/// A finding: says so and aborts.
[[noreturn]] void violated(const char* property, const char* file, int line);

/// The input up to the first line end, which is taken off it; all of it if there is none.
[[nodiscard]] std::string_view take_line(std::string_view& input);

/// Safe on a terminal and in a log: one line of UTF-8 without control characters.
[[nodiscard]] bool is_one_printable_line(std::string_view text);

}  // namespace tallyman::fuzz

#define FUZZ_TARGET(name)                                                               \
  static void fuzz_##name(std::string_view input);                                      \
  static const tallyman::fuzz::Registration k_registered_##name(#name, &(fuzz_##name)); \
  static void fuzz_##name(std::string_view input)

#define HOLDS(...)                                                \
  do {                                                            \
    if (!(__VA_ARGS__)) {                                         \
      tallyman::fuzz::violated(#__VA_ARGS__, __FILE__, __LINE__); \
    }                                                             \
  } while (false)
