#include <nlohmann/json.hpp>

#include "fuzz/fuzz.hpp"
#include "tallyman/state/state_directory.hpp"

namespace tallyman {

FUZZ_TARGET(journal) {
  const auto journal = parse_journal(input);
  if (!journal) {
    HOLDS(journal.error().kind == ErrorKind::protocol);
    return;
  }
  HOLDS(nlohmann::json::parse(input).at("schema") == 1);
  const std::string written = journal_to_json(*journal);
  const auto again = parse_journal(written);
  HOLDS(again && journal_to_json(*again) == written);
  HOLDS(again->phase == journal->phase && again->plan.name() == journal->plan.name());
  HOLDS(nlohmann::json::accept(record_to_json(past_of(*journal))));
}

}  // namespace tallyman
