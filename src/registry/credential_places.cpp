#include "tallyman/registry/credential_places.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace tallyman {
namespace {

std::string value_of(const std::map<std::string, std::string>& environment,
                     const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

/// Folders, names and sockets; nothing that is a secret itself, such as AWS_SECRET_ACCESS_KEY.
constexpr std::string_view k_of_helpers[] = {
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "XDG_RUNTIME_DIR",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "DBUS_SESSION_BUS_ADDRESS",
    "DOCKER_CONFIG",
    "GNUPGHOME",
    "PASSWORD_STORE_DIR",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "CLOUDSDK_CONFIG",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
};
constexpr std::string_view k_of_proxies[] = {"HTTP_PROXY",  "http_proxy", "HTTPS_PROXY",
                                             "https_proxy", "NO_PROXY",   "no_proxy"};

std::map<std::string, std::string> helper_environment(
    const std::map<std::string, std::string>& environment, const std::string& home,
    const std::string& path) {
  std::map<std::string, std::string> result;
  const auto pass_on = [&](std::string_view name, bool good) {
    const std::string value = value_of(environment, std::string(name));
    if (!value.empty() && good) {
      result.emplace(name, value);
    }
  };
  for (const std::string_view name : k_of_helpers) {
    pass_on(name, true);
  }
  for (const std::string_view name : k_of_proxies) {
    pass_on(name, !value_of(environment, std::string(name)).contains('@'));
  }
  result.emplace("PATH", path);
  result.emplace("HOME", home);
  return result;
}

}  // namespace

CredentialPlaces credential_places(const std::map<std::string, std::string>& environment,
                                   uid_t user, const std::string& path) {
  const std::string home_variable = value_of(environment, "HOME");
  const std::string home = home_variable.empty() ? "/root" : home_variable;
  const auto folder = [&environment](const char* variable, const std::string& otherwise) {
    std::string set = value_of(environment, variable);
    return set.empty() ? otherwise : set;
  };
  CredentialPlaces places{.credentials_directory = value_of(environment, "CREDENTIALS_DIRECTORY"),
                          .docker_auth_config = Secret(value_of(environment, "DOCKER_AUTH_CONFIG")),
                          .files = {folder("DOCKER_CONFIG", home + "/.docker") + "/config.json"},
                          .helper_environment = helper_environment(environment, home, path)};
  const auto add = [&places](std::string file) {
    if (std::ranges::find(places.files, file) == places.files.end()) {
      places.files.push_back(std::move(file));
    }
  };
  if (std::string file = value_of(environment, "REGISTRY_AUTH_FILE"); !file.empty()) {
    add(std::move(file));
  }
  if (const std::string runtime = value_of(environment, "XDG_RUNTIME_DIR"); !runtime.empty()) {
    add(runtime + "/containers/auth.json");
  }
  add(fmt::format("/run/containers/{}/auth.json", user));
  add(folder("XDG_CONFIG_HOME", home + "/.config") + "/containers/auth.json");
  return places;
}

}  // namespace tallyman
