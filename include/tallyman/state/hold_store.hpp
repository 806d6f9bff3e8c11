#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "tallyman/io/fd.hpp"
#include "tallyman/model/error.hpp"
#include "tallyman/model/hold.hpp"
#include "tallyman/model/watch.hpp"

namespace tallyman {

/// What people hold: NAME.json for each service, schema 1, mode 0600, in a folder of its own with a
/// lock of its own, so that it can be changed while a run is at work. Every change is atomic and
/// durable; of several at once the last one counts.
class HoldStore {
 public:
  explicit HoldStore(std::string folder) : m_folder(std::move(folder)) {}

  /// All that there are, also those that are over. One that cannot be read or understood is its
  /// error. The error of the whole: nobody knows what is held.
  [[nodiscard]] Result<std::map<ServiceName, Result<Hold>>> load() const;

  /// In the place of what was there.
  [[nodiscard]] Result<void> put(const ServiceName& service, const Hold& hold) const;
  /// The same, unless somebody else has put one later than `moment`.
  [[nodiscard]] Result<void> put_unless_changed_since(Timestamp moment, const ServiceName& service,
                                                      const Hold& hold) const;
  /// What was there; nothing if there was none.
  [[nodiscard]] Result<std::optional<Result<Hold>>> remove(const ServiceName& service) const;
  /// Removes it if it is over.
  [[nodiscard]] Result<void> tidy(const ServiceName& service, Timestamp now) const;

 private:
  [[nodiscard]] std::string file(const ServiceName& service) const;
  [[nodiscard]] Result<Fd> lock() const;
  [[nodiscard]] Result<Hold> read(const ServiceName& service) const;

  std::string m_folder;
};

/// The text of NAME.json and back. parse: ErrorKind::protocol for anything that is not schema 1.
[[nodiscard]] std::string hold_to_json(const ServiceName& service, const Hold& hold);
[[nodiscard]] Result<Hold> parse_hold(std::string_view text);

/// A reason as it may be put: at most k_longest_hold_reason bytes of UTF-8 on one line.
/// ErrorKind::config says what is wrong.
[[nodiscard]] Result<void> check_hold_reason(std::string_view reason);

}  // namespace tallyman
