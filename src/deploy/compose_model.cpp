#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "tallyman/deploy/compose_target.hpp"
#include "tallyman/io/encoding.hpp"

namespace tallyman {
namespace {

class TooLarge : public YAML::Exception {
 public:
  TooLarge() : YAML::Exception(YAML::Mark::null_mark(), "it is too large") {}
};

/// One text for all YAML that means the same. Aliases can make a small document huge, or endless.
class Canonical {
 public:
  std::string of(const YAML::Node& node, int depth = 0) {
    constexpr int k_deepest = 100;
    constexpr int k_most_nodes = 1'000'000;
    if (depth > k_deepest || ++m_nodes > k_most_nodes) {
      throw TooLarge();
    }
    if (node.IsMap()) {
      std::vector<std::string> members;
      for (const auto& entry : node) {
        members.push_back(of(entry.first, depth + 1) + of(entry.second, depth + 1));
      }
      std::ranges::sort(members);
      return fmt::format("{{{}}}", fmt::join(members, ""));
    }
    if (node.IsSequence()) {
      std::string elements;
      for (const auto& element : node) {
        elements += of(element, depth + 1);
      }
      return fmt::format("[{}]", elements);
    }
    // The tag tells "1" from 1, and the length where a text ends.
    return node.IsScalar() ? fmt::format("{}{}:{}", node.Tag(), node.Scalar().size(), node.Scalar())
                           : "~";
  }

 private:
  int m_nodes = 0;
};

/// Does a service's own list of networks, volumes, secrets or configs name this one?
bool names(const YAML::Node& list, const std::string& name) {
  if (list.IsMap()) {
    return std::ranges::any_of(list, [&](const auto& entry) {
      return entry.first.IsScalar() && entry.first.Scalar() == name;
    });
  }
  return list.IsSequence() && std::ranges::any_of(list, [&](const auto& entry) {
           const YAML::Node source = entry.IsMap() ? entry["source"] : YAML::Node(entry);
           return source && source.IsScalar() &&
                  (source.Scalar() == name || source.Scalar().starts_with(name + ":"));
         });
}

/// What our `up` does not apply: it neither builds nor pulls nor scales.
bool is_applied(std::string_view key) {
  return key != "image" && key != "build" && key != "pull_policy" && key != "scale" &&
         key != "profiles";
}

std::string hash_of(const YAML::Node& service, const YAML::Node& root, Canonical& canonical) {
  std::vector<std::string> parts;
  for (const auto& entry : service) {
    const auto key = entry.first.as<std::string>();
    if (!is_applied(key)) {
      continue;
    }
    if (key == "deploy" && entry.second.IsMap()) {
      for (const auto& member : entry.second) {
        if (const auto name = member.first.as<std::string>(); name != "replicas") {
          parts.push_back(fmt::format("deploy.{}={}", name, canonical.of(member.second)));
        }
      }
      continue;
    }
    parts.push_back(fmt::format("{}={}", key, canonical.of(entry.second)));
  }
  for (const char* section : {"networks", "volumes", "secrets", "configs"}) {
    const YAML::Node used = service[section];
    const YAML::Node defined = root[section];
    if (!used || !defined || !defined.IsMap()) {
      continue;
    }
    for (const auto& entry : defined) {
      const auto name = entry.first.as<std::string>();
      if (names(used, name)) {
        parts.push_back(fmt::format("{}/{}={}", section, name, canonical.of(entry.second)));
      }
    }
  }
  std::ranges::sort(parts);
  return sha256_hex(fmt::format("{}", fmt::join(parts, "\n")));
}

}  // namespace

Result<std::map<std::string, ComposeService>> parse_compose_model(std::string_view text) {
  // yaml-cpp reports by exceptions; this is the room's edge.
  try {
    const YAML::Node root = YAML::Load(std::string(text));
    const YAML::Node services = root.IsMap() ? root["services"] : YAML::Node();
    if (!services || !services.IsMap()) {
      return fail(ErrorKind::protocol, "compose config printed no services");
    }
    std::map<std::string, ComposeService> result;
    Canonical canonical;
    for (const auto& entry : services) {
      ComposeService service{.image = {}, .hash = sha256_hex("")};
      if (entry.second.IsMap()) {
        const YAML::Node image = entry.second["image"];
        service.image = image && image.IsScalar() ? image.as<std::string>() : "";
        service.hash = hash_of(entry.second, root, canonical);
      }
      result.emplace(entry.first.as<std::string>(), std::move(service));
    }
    return result;
  } catch (const YAML::Exception& exception) {
    return fail(ErrorKind::protocol, "compose config printed no YAML: {}", exception.what());
  }
}

}  // namespace tallyman
