#include <doctest/doctest.h>
#include <sys/stat.h>

#include "support/temp_folder.hpp"
#include "unit/io/users.hpp"
#include "unit/report/documents.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

mode_t mode_of(const std::string& path) {
  struct stat status{};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

}  // namespace

TEST_CASE("the result of a run follows the worst of its services") {
  struct Row {
    std::vector<ServiceState> states;
    const char* result;
  };
  const Row rows[] = {
      {{}, "ok"},
      {{ServiceState::current}, "ok"},
      {{ServiceState::updated}, "ok"},
      {{ServiceState::pinned}, "ok"},
      {{ServiceState::local}, "ok"},
      {{ServiceState::held}, "ok"},
      {{ServiceState::rolled_back}, "attention"},
      {{ServiceState::quarantined}, "attention"},
      {{ServiceState::pending}, "attention"},
      {{ServiceState::absent}, "attention"},
      {{ServiceState::failed}, "failed"},
      {{ServiceState::unknown}, "failed"},
      {{ServiceState::current, ServiceState::absent, ServiceState::updated}, "attention"},
      {{ServiceState::pending, ServiceState::unknown, ServiceState::current}, "failed"},
  };
  for (const Row& row : rows) {
    CHECK(document_of(row.states).result() == row.result);
  }
}

TEST_CASE("the services are counted by state") {
  const StatusDocument status =
      document_of({ServiceState::current, ServiceState::pending, ServiceState::current});
  CHECK(status.count(ServiceState::current) == 2);
  CHECK(status.count(ServiceState::pending) == 1);
  CHECK(status.count(ServiceState::failed) == 0);
}

TEST_CASE("save_status makes the folder, everybody may read the file, and load_status reads it") {
  const TempFolder folder;
  const std::string path = folder / "run/tallyman/status.json";
  REQUIRE(save_status(path, rich_document()).has_value());
  CHECK(mode_of(path) == 0644);
  CHECK(mode_of(folder / "run/tallyman") == 0755);
  const auto status = load_status(path);
  REQUIRE(status.has_value());
  CHECK(status_to_json(*status) == status_to_json(rich_document()));
}

TEST_CASE("save_status replaces what was there") {
  const TempFolder folder;
  const std::string path = folder.write("status.json", "of another program");
  REQUIRE(save_status(path, document_of({})).has_value());
  CHECK(folder.read("status.json") == status_to_json(document_of({})));
  CHECK(folder.names().size() == 1);
}

TEST_CASE("save_status where no file can be is an error that names it") {
  const TempFolder folder;
  const std::string file = folder.write("file", "");
  const auto saved = save_status(file + "/status.json", document_of({}));
  CHECK(contains(error_of(saved).message, file));
  CHECK(error_of(saved).kind == ErrorKind::io);
}

TEST_CASE("load_status before the first run says that there was none") {
  const TempFolder folder;
  const std::string path = folder / "status.json";
  const auto status = load_status(path);
  const Error error = error_of(status);
  CHECK(error.kind == ErrorKind::not_found);
  CHECK(error.message == "no status file " + path + ": no run has finished yet");
  CHECK(contains(error.remedy, "tallyman run"));
}

TEST_CASE("load_status of something else names the file") {
  const TempFolder folder;
  const std::string path = folder.write("status.json", "<html>");
  const auto garbage = load_status(path);
  CHECK(error_of(garbage).kind == ErrorKind::protocol);
  CHECK(error_of(garbage).message == path + ": not a status file of schema 1");
  const auto no_file = load_status(folder.path());
  CHECK(error_of(no_file).kind == ErrorKind::io);
}

TEST_CASE("load_status without permission is no missing file") {
  const TempFolder folder;
  const std::string path = folder.write("status.json", "{}");
  REQUIRE(::chmod(path.c_str(), 0) == 0);
  REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
  const WithoutRoot nobody;
  const auto status = load_status(path);
  CHECK(error_of(status).kind == ErrorKind::denied);
  CHECK(contains(error_of(status).message, path));
}
