#include "tallyman/model/platform.hpp"

#include "fuzz/fuzz.hpp"

namespace tallyman {

// What is wanted on the first line, what is offered on the second.
FUZZ_TARGET(platform) {
  const auto wanted = Platform::parse(fuzz::take_line(input));
  const auto offered = Platform::parse(input);
  if (!wanted) {
    HOLDS(wanted.error().kind == ErrorKind::config);
    HOLDS(fuzz::is_one_printable_line(wanted.error().message));
    return;
  }
  const auto again = Platform::parse(wanted->str());
  HOLDS(again && *again == *wanted);
  const int same = platform_match(*wanted, *wanted);
  HOLDS(same > 0);
  if (offered) {
    HOLDS(platform_match(*wanted, *offered) <= same);
    HOLDS(platform_match(*wanted, *offered) ==
          platform_match(wanted->normalised(), offered->normalised()));
  }
}

}  // namespace tallyman
