#include "engine/info.hpp"

#include "engine/json_fields.hpp"

#include <utility>

namespace tallyman {

Result<EngineInfo> parse_info(std::string_view body) {
  FieldProblem problem{"its information"};
  const auto document = parse_json(body, problem.what);
  if (!document) {
    return std::unexpected(document.error());
  }
  const Fields fields(*document, "", problem);
  const Fields registries = fields.object("RegistryConfig");
  EngineInfo info;
  info.name = fields.text("Name");
  info.version = fields.text("ServerVersion");
  info.data_root = fields.text("DockerRootDir");
  info.platform = Platform{fields.text("OSType"), fields.text("Architecture")}.normalised();
  info.insecure_cidrs = registries.texts("InsecureRegistryCIDRs");
  for (const auto& [name, index] : registries.objects("IndexConfigs")) {
    if (!index.flag("Secure", true)) {
      info.insecure_registries.push_back(name);
    }
    if (auto mirrors = index.texts("Mirrors"); !mirrors.empty()) {
      info.mirrors.emplace(name, std::move(mirrors));
    }
  }
  if (auto hub = registries.texts("Mirrors"); !hub.empty()) {
    info.mirrors.emplace("docker.io", std::move(hub));
  }
  if (problem.error) {
    return std::unexpected(std::move(*problem.error));
  }
  return info;
}

Result<Platform> parse_own_platform(std::string_view body) {
  FieldProblem problem{"its version"};
  const auto document = parse_json(body, problem.what);
  if (!document) {
    return std::unexpected(document.error());
  }
  const Fields fields(*document, "", problem);
  Platform platform{fields.text("Os"), fields.text("Arch")};
  if (problem.error) {
    return std::unexpected(std::move(*problem.error));
  }
  return platform;
}

}  // namespace tallyman
