#include "tallyman/registry/credential_places.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

namespace tallyman::test {
namespace {

using Environment = std::map<std::string, std::string>;
using Files = std::vector<std::string>;

TEST_CASE("files are looked for where docker and podman look") {
  CHECK(credential_places({}, 0, "/bin").files == Files{"/root/.docker/config.json",
                                                        "/run/containers/0/auth.json",
                                                        "/root/.config/containers/auth.json"});
  CHECK(credential_places({{"HOME", "/home/me"},
                           {"XDG_RUNTIME_DIR", "/run/user/7"},
                           {"REGISTRY_AUTH_FILE", "/etc/auth.json"},
                           {"XDG_CONFIG_HOME", "/c"},
                           {"DOCKER_CONFIG", "/d"}},
                          7, "/bin")
            .files == Files{"/d/config.json", "/etc/auth.json", "/run/user/7/containers/auth.json",
                            "/run/containers/7/auth.json", "/c/containers/auth.json"});
  CHECK(credential_places({{"REGISTRY_AUTH_FILE", "/root/.docker/config.json"}}, 0, "/bin")
            .files.size() == 3);
}

TEST_CASE("systemd's folder and docker's variable") {
  const CredentialPlaces places = credential_places(
      {{"CREDENTIALS_DIRECTORY", "/run/credentials/x"}, {"DOCKER_AUTH_CONFIG", "{}"}}, 0, "/bin");
  CHECK(places.credentials_directory == "/run/credentials/x");
  CHECK(places.docker_auth_config.reveal() == "{}");
  CHECK(places.helper_timeout == std::chrono::seconds(10));
}

TEST_CASE("a helper gets what leads it to its secrets and no secret") {
  CHECK(credential_places({}, 0, "/bin").helper_environment ==
        Environment{{"PATH", "/bin"}, {"HOME", "/root"}});
  CHECK(credential_places({{"PATH", "/p"},
                           {"HOME", "/h"},
                           {"GNUPGHOME", "/g"},
                           {"DBUS_SESSION_BUS_ADDRESS", "unix:path=/x"},
                           {"XDG_RUNTIME_DIR", "/r"},
                           {"HTTPS_PROXY", "http://proxy:3128"},
                           {"HTTP_PROXY", "http://me:s3cr3t@proxy:3128"},
                           {"DOCKER_AUTH_CONFIG", "s3cr3t"},
                           {"AWS_SECRET_ACCESS_KEY", "s3cr3t"},
                           {"CREDENTIALS_DIRECTORY", "/run/credentials/x"},
                           {"LD_PRELOAD", "/x.so"}},
                          0, "/bin")
            .helper_environment == Environment{{"PATH", "/p"},
                                               {"HOME", "/h"},
                                               {"GNUPGHOME", "/g"},
                                               {"DBUS_SESSION_BUS_ADDRESS", "unix:path=/x"},
                                               {"XDG_RUNTIME_DIR", "/r"},
                                               {"HTTPS_PROXY", "http://proxy:3128"}});
}

}  // namespace
}  // namespace tallyman::test
