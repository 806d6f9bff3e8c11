#include "tallyman/report/status.hpp"

#include <algorithm>

#include "tallyman/io/files.hpp"

namespace tallyman {

std::string_view StatusDocument::result() const {
  const auto any = [&](std::initializer_list<ServiceState> states) {
    return std::ranges::any_of(states, [&](ServiceState state) { return count(state) > 0; });
  };
  if (any({ServiceState::failed, ServiceState::unknown})) {
    return "failed";
  }
  if (any({ServiceState::rolled_back, ServiceState::quarantined, ServiceState::pending,
           ServiceState::absent})) {
    return "attention";
  }
  return "ok";
}

int StatusDocument::count(ServiceState state) const {
  return static_cast<int>(std::ranges::count(services, state, &ServiceStatus::state));
}

Result<StatusDocument> load_status(const std::string& path) {
  constexpr std::size_t k_largest = std::size_t{64} * 1024 * 1024;
  const auto text = read_file(path, k_largest);
  if (!text) {
    Error error = text.error();
    if (error.kind == ErrorKind::not_found) {
      error = {ErrorKind::not_found,
               fmt::format("no status file {}: no run has finished yet", path),
               "start one with: tallyman run"};
    }
    return std::unexpected(std::move(error));
  }
  auto status = parse_status(*text);
  if (!status) {
    return std::unexpected(with_context(status.error(), path));
  }
  return status;
}

Result<void> save_status(const std::string& path, const StatusDocument& status) {
  const std::size_t slash = path.rfind('/');
  if (slash != std::string::npos && slash > 0) {
    if (auto made = ensure_directory(path.substr(0, slash), 0755); !made) {
      return made;
    }
  }
  return write_file_durably(path, status_to_json(status), 0644);
}

}  // namespace tallyman
