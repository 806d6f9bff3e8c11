#include <yaml-cpp/yaml.h>

#include "tallyman/deploy/compose_target.hpp"

namespace tallyman {

Result<std::map<std::string, std::string>> parse_compose_images(std::string_view text) {
  // yaml-cpp reports by exceptions; this is the room's edge.
  try {
    const YAML::Node root = YAML::Load(std::string(text));
    const YAML::Node services = root.IsMap() ? root["services"] : YAML::Node();
    if (!services || !services.IsMap()) {
      return fail(ErrorKind::protocol, "compose config printed no services");
    }
    std::map<std::string, std::string> images;
    for (const auto& entry : services) {
      const YAML::Node image = entry.second.IsMap() ? entry.second["image"] : YAML::Node();
      images.emplace(entry.first.as<std::string>(),
                     image && image.IsScalar() ? image.as<std::string>() : "");
    }
    return images;
  } catch (const YAML::Exception& exception) {
    return fail(ErrorKind::protocol, "compose config printed no YAML: {}", exception.what());
  }
}

}  // namespace tallyman
