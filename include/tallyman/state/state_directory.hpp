#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tallyman/io/fd.hpp"
#include "tallyman/model/error.hpp"
#include "tallyman/model/memory.hpp"
#include "tallyman/model/transaction.hpp"
#include "tallyman/state/hold_store.hpp"
#include "tallyman/state/past_deployment.hpp"

namespace tallyman {

/// Held as long as it lives; the kernel lets go of it when the process dies.
class Lock {
 public:
  explicit Lock(Fd fd) : m_fd(std::move(fd)) {}
  /// A child that has a duplicate of it holds the lock as well, until it ends.
  [[nodiscard]] int fd() const { return m_fd.get(); }

 private:
  Fd m_fd;
};

struct History {
  std::vector<PastDeployment> deployments = {};  ///< newest first
  std::vector<Error> unreadable = {};            ///< of records that cannot be read or understood
};

/// What survives a reboot: the folder --state, mode 0700, with
///   lock         flock(2); its text says who holds it; never unlinked
///   memory.json  Memory, schema 1, mode 0600
///   deployments/ID/journal.json  of a deployment that has not ended; schema 1, mode 0600
///   holds/NAME.json  what people hold; see HoldStore
///   deployments/ID/record.json   of one that has, beside what is evidence of it
///   deployments/ID/*.log         the output of compose, scripts, hooks and health commands
class StateDirectory {
 public:
  explicit StateDirectory(std::string path) : m_path(std::move(path)) {}

  /// Makes the folder if need be and takes the lock; nothing if another run holds it.
  [[nodiscard]] Result<std::optional<Lock>> try_lock(Timestamp now) const;
  /// For people: "pid 4711 since 2026-11-22T19:45:14Z"; "" if nobody said.
  [[nodiscard]] std::string lock_holder() const;

  /// With what people hold. An empty Memory if there is none yet. A file that cannot be read or
  /// understood is an error: to go on without it could repeat what it warns of.
  [[nodiscard]] Result<Memory> load_memory() const;
  /// Without what people hold: that is theirs.
  [[nodiscard]] Result<void> save_memory(const Memory& memory) const;
  [[nodiscard]] HoldStore holds() const { return HoldStore(file("holds")); }

  /// The folder of a deployment, whether it is there or not.
  [[nodiscard]] std::string deployment_folder(const std::string& id) const {
    return file("deployments/" + id);
  }
  /// An id that no deployment has had: "20261122T194514Z-web".
  [[nodiscard]] std::string new_deployment_id(Timestamp now, const ServiceName& service) const;

  /// Durable when it returns.
  [[nodiscard]] Result<void> save_journal(const Journal& journal) const;
  /// Those that were left open, oldest first. One that cannot be read or understood is an error
  /// that names it: what it knows may be all that can repair a service.
  [[nodiscard]] Result<std::vector<Journal>> open_journals() const;
  /// Writes the record, then forgets the journal. Only so much is kept of the deployments before:
  /// the newest `k_most_records`, and of these the newest `k_most_output_bytes` of their output.
  [[nodiscard]] Result<void> close_journal(const Journal& journal) const;
  /// All deployments that have ended.
  [[nodiscard]] Result<History> history() const;
  /// Those of a service, newest first, without those that cannot be understood.
  [[nodiscard]] Result<std::vector<PastDeployment>> past_deployments(
      const ServiceName& service) const;
  /// Keeps a text beside the journal, mode 0600; `name` becomes a file name.
  [[nodiscard]] Result<void> save_evidence(const std::string& id, std::string_view name,
                                           std::string_view text) const;
  static constexpr std::size_t k_most_records = 1000;
  static constexpr std::uint64_t k_most_output_bytes = std::uint64_t{256} * 1024 * 1024;

 private:
  [[nodiscard]] std::string file(std::string_view name) const {
    return m_path + "/" + std::string(name);
  }
  std::string m_path;
};

/// The text of memory.json and back. parse: ErrorKind::protocol for anything that is not schema 1.
[[nodiscard]] std::string memory_to_json(const Memory& memory);
[[nodiscard]] Result<Memory> parse_memory(std::string_view text);

/// The same for journal.json.
[[nodiscard]] std::string journal_to_json(const Journal& journal);
[[nodiscard]] Result<Journal> parse_journal(std::string_view text);

}  // namespace tallyman
