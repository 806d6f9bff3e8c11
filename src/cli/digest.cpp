#include <nlohmann/json.hpp>

#include "tallyman/cli/commands.hpp"

namespace tallyman {
namespace {

int failed(const Error& error, Log& log) {
  log.error(error);
  return error.kind == ErrorKind::config ? k_exit_usage : k_exit_failed;
}

}  // namespace

int digest_command(Registry& registry, const std::string& image,
                   const std::optional<Platform>& platform, bool json, Terminal& out, Log& log) {
  const auto reference = ImageReference::parse(image);
  if (!reference) {
    return failed(reference.error(), log);
  }
  nlohmann::ordered_json answer = {{"reference", reference->str()}};
  std::optional<Digest> digest = reference->digest();
  if (!digest) {
    const auto remote = registry.resolve({*reference}).front();
    if (!remote) {
      return failed(remote.error(), log);
    }
    digest = remote->digest;
  }
  answer["digest"] = digest->str();
  if (platform) {
    const auto inside = registry.look_into({{*reference, *digest, *platform}}).front();
    if (!inside) {
      return failed(inside.error(), log);
    }
    answer["platform"] = platform->str();
    answer["manifest"] = inside->manifest.str();
    answer["config"] = inside->config.str();
    answer["layer_bytes"] = inside->layer_bytes();
    digest = inside->manifest;
  }
  out.line(json ? answer.dump(2) : digest->str());
  return k_exit_ok;
}

}  // namespace tallyman
