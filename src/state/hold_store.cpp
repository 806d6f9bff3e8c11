#include "tallyman/state/hold_store.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "tallyman/io/files.hpp"
#include "tallyman/io/log.hpp"

namespace tallyman {
namespace {

constexpr int k_hold_schema = 1;
constexpr std::size_t k_largest_hold = std::size_t{16} * 1024;
constexpr std::string_view k_hold_suffix = ".json";

Error with_permission_remedy(Error error) {
  if (error.kind == ErrorKind::denied) {
    error.remedy = "run as root, or name a folder of yours with --state";
  }
  return error;
}

Error hold_lock_error(const std::string& path, int code) {
  return with_permission_remedy({code == EACCES ? ErrorKind::denied : ErrorKind::io,
                                 fmt::format("cannot lock {}: {}", path, std::strerror(code))});
}

std::optional<std::string> text_in(const nlohmann::json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? std::optional(found->get<std::string>())
                                                   : std::nullopt;
}

}  // namespace

std::string HoldStore::file(const ServiceName& service) const {
  return fmt::format("{}/{}{}", m_folder, service, k_hold_suffix);
}

/// Held for some milliseconds only, so everybody waits for it.
Result<Fd> HoldStore::lock() const {
  if (auto made = ensure_directory(m_folder, 0700); !made) {
    return std::unexpected(with_permission_remedy(made.error()));
  }
  const std::string path = m_folder + "/.lock";
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) {
    return std::unexpected(hold_lock_error(path, errno));
  }
  while (::flock(fd.get(), LOCK_EX) != 0) {
    if (errno != EINTR) {
      return std::unexpected(hold_lock_error(path, errno));
    }
  }
  return fd;
}

Result<Hold> HoldStore::read(const ServiceName& service) const {
  const std::string path = file(service);
  const auto text = read_file(path, k_largest_hold);
  if (!text) {
    return std::unexpected(with_permission_remedy(text.error()));
  }
  auto hold = parse_hold(*text);
  if (!hold) {
    Error error = with_context(hold.error(), path);
    error.remedy = fmt::format(
        "whatever it says, it holds {0}; have a look at it, then: tallyman release {0}", service);
    return std::unexpected(std::move(error));
  }
  return hold;
}

Result<std::map<ServiceName, Result<Hold>>> HoldStore::load() const {
  std::map<ServiceName, Result<Hold>> holds;
  const auto names = list_directory(m_folder);
  if (!names) {
    if (names.error().kind == ErrorKind::not_found) {
      return holds;
    }
    return std::unexpected(with_permission_remedy(names.error()));
  }
  for (const std::string& name : *names) {
    if (name.starts_with('.') || !name.ends_with(k_hold_suffix)) {
      continue;
    }
    const ServiceName service = name.substr(0, name.size() - k_hold_suffix.size());
    auto hold = read(service);
    // One that was released since the folder was read.
    if (hold || hold.error().kind != ErrorKind::not_found) {
      holds.emplace(service, std::move(hold));
    }
  }
  return holds;
}

Result<void> HoldStore::put(const ServiceName& service, const Hold& hold) const {
  const auto locked = lock();
  if (!locked) {
    return std::unexpected(locked.error());
  }
  return write_file_durably(file(service), hold_to_json(service, hold), 0600);
}

Result<void> HoldStore::put_unless_changed_since(Timestamp moment, const ServiceName& service,
                                                 const Hold& hold) const {
  const auto locked = lock();
  if (!locked) {
    return std::unexpected(locked.error());
  }
  if (const auto there = read(service); there && there->at > moment) {
    return {};
  }
  return write_file_durably(file(service), hold_to_json(service, hold), 0600);
}

Result<std::optional<Result<Hold>>> HoldStore::remove(const ServiceName& service) const {
  const auto locked = lock();
  if (!locked) {
    return std::unexpected(locked.error());
  }
  auto hold = read(service);
  if (!hold && hold.error().kind == ErrorKind::not_found) {
    return std::nullopt;
  }
  if (auto removed = remove_file_durably(file(service)); !removed) {
    return std::unexpected(with_permission_remedy(removed.error()));
  }
  return hold;
}

Result<void> HoldStore::tidy(const ServiceName& service, Timestamp now) const {
  const auto locked = lock();
  if (!locked) {
    return std::unexpected(locked.error());
  }
  // Somebody may have put another one since it was seen to be over.
  const auto hold = read(service);
  return hold && hold->is_over(now) ? remove_file_durably(file(service)) : Result<void>();
}

std::string hold_to_json(const ServiceName& service, const Hold& hold) {
  using Json = nlohmann::ordered_json;
  const Json json = {{"schema", k_hold_schema},
                     {"service", service},
                     {"reason", hold.reason},
                     {"until", hold.until ? Json(format_rfc3339(*hold.until)) : Json(nullptr)},
                     {"by", hold.by},
                     {"command", hold.command},
                     {"at", format_rfc3339(hold.at)}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Hold> parse_hold(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("schema") || json["schema"] != k_hold_schema) {
    return fail(ErrorKind::protocol, "not a hold of schema {}", k_hold_schema);
  }
  const auto until = json.find("until");
  const auto reason = text_in(json, "reason");
  const auto by = text_in(json, "by");
  const auto at = parse_rfc3339(text_in(json, "at").value_or(""));
  if (!reason || !by || !at || until == json.end()) {
    return fail(ErrorKind::protocol, "reason, until, by or at is missing");
  }
  Hold hold{.reason = printable(*reason),
            .by = printable(*by),
            .at = *at,
            .command = printable(text_in(json, "command").value_or(std::string(Hold::k_by_hand)))};
  if (!until->is_null()) {
    hold.until = parse_rfc3339(text_in(json, "until").value_or(""));
    if (!hold.until) {
      return fail(ErrorKind::protocol, "until is no time");
    }
  }
  return hold;
}

Result<void> check_hold_reason(std::string_view reason) {
  if (reason.size() > k_longest_hold_reason) {
    return fail(ErrorKind::config, "a reason has at most {} bytes, this one has {}",
                k_longest_hold_reason, reason.size());
  }
  if (printable(reason) != reason || reason.find('\t') != std::string_view::npos) {
    return fail(ErrorKind::config, "a reason is one line of UTF-8 without control characters");
  }
  return {};
}

}  // namespace tallyman
