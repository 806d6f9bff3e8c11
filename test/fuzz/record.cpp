#include "fuzz/fuzz.hpp"
#include "tallyman/state/past_deployment.hpp"

namespace tallyman {

FUZZ_TARGET(record) {
  const auto past = parse_record(input);
  if (!past) {
    HOLDS(past.error().kind == ErrorKind::protocol);
    return;
  }
  const std::string written = record_to_json(*past);
  const auto again = parse_record(written);
  HOLDS(again && record_to_json(*again) == written);
}

}  // namespace tallyman
