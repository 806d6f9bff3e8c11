#include "engine/pull_stream.hpp"

#include "engine/pull_error.hpp"
#include "fuzz/fuzz.hpp"

namespace tallyman {
namespace {

void check_failure(const PullFailure& failure) {
  const auto reference = ImageReference::parse("ghcr.io/acme/web@sha256:" + std::string(64, 'a'));
  const Credential credential{"robot", Secret("hunter2-hunter2"), "web.toml"};
  for (const auto& identity : {std::optional(credential), std::optional<Credential>()}) {
    const bool podman = identity.has_value();
    const Error error = pull_error(failure, *reference, {"linux", "amd64"}, identity, podman);
    HOLDS(fuzz::is_one_printable_line(error.message) && error.message.size() < 8000);
    HOLDS(!identity || error.message.find(credential.secret.reveal()) == std::string::npos);
    HOLDS(error.kind != ErrorKind::bug && error.kind != ErrorKind::config);
  }
}

}  // namespace

FUZZ_TARGET(pull_stream) {
  std::int64_t reported = 0;
  const std::function<void(const PullProgress&)> progress = [&reported](const PullProgress& now) {
    HOLDS(now.current >= 0 && now.total >= now.current);
    reported = now.current;
  };
  PullStream whole(progress);
  const bool good = whole.feed(input);
  HOLDS(reported == whole.transferred());

  const std::function<void(const PullProgress&)> nobody;
  PullStream pieces(nobody);
  bool good_pieces = true;
  for (std::size_t i = 0; i < input.size() && good_pieces; ++i) {
    good_pieces = pieces.feed(input.substr(i, 1));
  }
  HOLDS(good == good_pieces && good == whole.broken().empty());
  HOLDS(whole.broken() == pieces.broken() && whole.digest() == pieces.digest());
  HOLDS(whole.transferred() == pieces.transferred());
  HOLDS(whole.complete(true) == pieces.complete(true));
  HOLDS(whole.complete(false) == pieces.complete(false));
  HOLDS(whole.complete(true) || !whole.complete(false));
  HOLDS(whole.failure().has_value() == pieces.failure().has_value());
  if (whole.failure()) {
    HOLDS(whole.failure()->text == pieces.failure()->text);
    check_failure(*whole.failure());
  }
}

}  // namespace tallyman
