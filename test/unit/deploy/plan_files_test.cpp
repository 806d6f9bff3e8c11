#include <doctest/doctest.h>
#include <sys/stat.h>

#include "unit/deploy/scene.hpp"

using namespace tallyman;
using namespace tallyman::test;

namespace {

using Texts = std::vector<std::string>;

/// A scene with one container, and files in its project's folder.
struct Files : Scene {
  Files() {
    runs(compose_container("shop", "web"));
    for (const char* name : {"compose.yaml", "prod.yaml", ".env", "prod.env", "a,b.yaml", "a"}) {
      folder.write(name, "");
    }
  }
  void label(std::string_view name, std::string value) {
    set_label(host.containers.at(0), name, std::move(value));
  }
  [[nodiscard]] std::string operator/(std::string_view name) const { return folder / name; }
};

}  // namespace

TEST_CASE("make_plan takes the files that the container was started with") {
  Files files;
  files.label(k_label_config_files, files / "compose.yaml" + "," + (files / "prod.yaml"));
  files.label(k_label_environment_file, files / ".env");
  const ComposeSettings compose = files.project().compose;
  CHECK(compose.files == Texts{files / "compose.yaml", files / "prod.yaml"});
  CHECK(compose.env_files == Texts{files / ".env"});
}

TEST_CASE("make_plan takes relative files in labels from the project's folder") {
  Files files;
  files.label(k_label_config_files, "compose.yaml,./sub/../prod.yaml");
  files.label(k_label_environment_file, ".env,prod.env");
  const ComposeSettings compose = files.project().compose;
  CHECK(compose.files == Texts{files / "compose.yaml", files / "prod.yaml"});
  CHECK(compose.env_files == Texts{files / ".env", files / "prod.env"});
}

TEST_CASE("make_plan: a comma may be part of a file's name") {
  Files files;
  files.label(k_label_config_files, "compose.yaml,a,b.yaml,prod.yaml");
  CHECK(files.project().compose.files ==
        Texts{files / "compose.yaml", files / "a,b.yaml", files / "prod.yaml"});
  files.label(k_label_config_files, files / "a,b.yaml");
  CHECK(files.project().compose.files == Texts{files / "a,b.yaml"});
  files.label(k_label_config_files, "a,compose.yaml");
  CHECK(files.project().compose.files == Texts{files / "a", files / "compose.yaml"});
}

TEST_CASE("make_plan leaves it to compose to find its file where no label names one") {
  Files files;
  const ComposeSettings compose = files.project().compose;
  CHECK(compose.files.empty());
  CHECK(compose.env_files.empty());
}

TEST_CASE("make_plan: what the drop-in says counts more than labels") {
  Files files;
  files.label(k_label_working_dir, "/nowhere");
  files.label(k_label_config_files, "/nowhere/compose.yaml");
  files.label(k_label_environment_file, "/nowhere/.env");
  files.watch.image.reset();
  ComposeSettings& wanted = files.watch.compose;
  wanted.project = "shop";
  wanted.directory = files.folder.path();
  wanted.files = {"compose.yaml", files / "prod.yaml"};
  wanted.env_files = {"prod.env"};
  wanted.profiles = {"prod"};
  wanted.services = {"web"};
  wanted.environment = {{"CHANNEL", "stable"}};
  wanted.command = {"/opt/compose"};
  wanted.timeout = std::chrono::minutes(3);
  const ComposeSettings compose = files.project().compose;
  CHECK(compose.directory == files.folder.path());
  CHECK(compose.project == "shop");
  CHECK(compose.files == Texts{files / "compose.yaml", files / "prod.yaml"});
  CHECK(compose.env_files == Texts{files / "prod.env"});
  CHECK(compose.profiles == Texts{"prod"});
  CHECK((compose.environment == wanted.environment));
  CHECK(compose.command == Texts{"/opt/compose"});
  CHECK((compose.timeout == std::chrono::minutes(3)));
}

TEST_CASE("make_plan goes by the labels of the newest container") {
  Files files;
  files.label(k_label_config_files, "gone.yaml");
  Container newer = files.host.containers.at(0);
  newer.id = "newer";
  newer.created += std::chrono::hours(1);
  set_label(newer, k_label_config_files, "compose.yaml");
  files.host.containers.push_back(std::move(newer));
  CHECK(files.project().compose.files == Texts{files / "compose.yaml"});
}

TEST_CASE("make_plan needs the project's folder") {
  Files files;
  for (const char* directory : {"", "relative/path"}) {
    files.label(k_label_working_dir, directory);
    const Error error = files.failure();
    CHECK(error.kind == ErrorKind::config);
    CHECK(error.message ==
          "container shop-web-1 does not say in which folder its compose project shop is");
    CHECK(error.remedy == "set directory under [compose] in /etc/tallyman/conf.d/web.toml");
  }
}

TEST_CASE("make_plan names what is not there, who named it, and what to set") {
  struct Row {
    std::string_view label;
    const char* value;
    const char* message;
  };
  const Row rows[] = {
      {k_label_working_dir, "/no/such/folder",
       "project directory /no/such/folder, which container shop-web-1 was started with, is not "
       "there"},
      {k_label_config_files, "compose.yaml,/no/such.yaml",
       "compose file /no/such.yaml, which container shop-web-1 was started with, is not there"},
      {k_label_environment_file, "/no/such.env",
       "env file /no/such.env, which container shop-web-1 was started with, is not there"},
  };
  for (const Row& row : rows) {
    Files files;
    files.label(row.label, row.value);
    const Error error = files.failure();
    CHECK(error.kind == ErrorKind::config);
    CHECK(error.message == row.message);
    CHECK(error.remedy ==
          "set directory, files and env_files under [compose] in /etc/tallyman/conf.d/web.toml");
  }
}

TEST_CASE("make_plan says so when it is the drop-in that names a missing file") {
  const std::string names = ", which /etc/tallyman/conf.d/web.toml names, is not there";
  Files files;
  files.watch.compose.files = {"gone.yaml"};
  CHECK(files.failure().message == "compose file " + (files / "gone.yaml") + names);

  files.watch.compose.files = {"compose.yaml"};
  files.watch.compose.env_files = {"/gone.env"};
  CHECK(files.failure().message == "env file /gone.env" + names);

  files.watch.compose.project = "shop";
  files.watch.compose.directory = "/gone";
  CHECK(files.failure().message == "project directory /gone" + names);
}
