#include "engine/pull.hpp"

#include "engine/engine_text.hpp"
#include "engine/pull_error.hpp"
#include "engine/pull_stream.hpp"
#include "tallyman/io/encoding.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tallyman {

namespace {

/// The engine says nothing while it unpacks a layer, or waits for another pull of the same layer.
/// On a slow disk that takes minutes, and ending a pull too early loses all of it.
constexpr std::chrono::minutes k_stall_timeout{10};

/// RFC 4648 base64url with padding: moby ignores a header that it cannot decode, and pulls
/// anonymously.
std::string registry_auth(const ImageReference& reference, const Credential& credential) {
  const bool hub = reference.domain() == "docker.io";
  nlohmann::json auth{{"serveraddress", hub ? "https://index.docker.io/v1/" : reference.domain()}};
  switch (credential.kind) {
    case CredentialKind::password:
      auth["username"] = credential.username;
      auth["password"] = credential.secret.reveal();
      break;
    case CredentialKind::identity_token:
      auth["identitytoken"] = credential.secret.reveal();
      break;
    case CredentialKind::registry_token:
      auth["registrytoken"] = credential.secret.reveal();
      break;
  }
  return base64url_encode(auth.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

ApiCall create_image(const PullOrder& order) {
  const ImageReference& reference = order.reference;
  ApiCall call{.method = "POST",
               .path = fmt::format("/images/create?fromImage={}&tag={}",
                                   percent_encode(reference.repository()),
                                   percent_encode(reference.digest()->str())),
               .what = fmt::format("pull {}", reference.str())};
  if (!order.platform.empty()) {
    call.path += fmt::format("&platform={}", percent_encode(order.platform));
  }
  if (order.credential) {
    call.headers.emplace_back("X-Registry-Auth", registry_auth(reference, *order.credential));
  }
  call.timeout = {};
  call.stall_timeout = k_stall_timeout;
  return call;
}

/// What is known once the stream has come to an end, of whatever sort.
Result<std::int64_t> outcome(const PullStream& stream, bool podman, const PullOrder& order) {
  const ImageReference& reference = order.reference;
  if (!stream.broken().empty()) {
    return fail(ErrorKind::protocol,
                "the Docker Engine's progress of the pull of {} cannot be understood: {}",
                reference.str(), stream.broken());
  }
  if (stream.failure()) {
    return std::unexpected(
        pull_error(*stream.failure(), reference, order.wanted, order.credential, podman));
  }
  if (!stream.complete(podman)) {
    return fail(ErrorKind::transient,
                "the pull of {} ended early: the Docker Engine never said that it was done",
                reference.str());
  }
  if (!stream.digest().empty() && stream.digest() != reference.digest()->str()) {
    return fail(ErrorKind::protocol, "the Docker Engine pulled {} when asked for {}",
                one_line(stream.digest()), reference.str());
  }
  return stream.transferred();
}

}  // namespace

Result<std::int64_t> pull_image(EngineApi& api, const PullOrder& order,
                                const std::function<void(const PullProgress&)>& progress) {
  PullStream stream(progress);
  ApiCall call = create_image(order);
  call.on_body = [&stream](std::string_view bytes) { return stream.feed(bytes); };
  const auto answer = api.call(call);
  if (answer && answer->status >= 300) {
    return std::unexpected(pull_error({message_of(*answer), answer->status}, order.reference,
                                      order.wanted, order.credential, api.is_podman()));
  }
  // A stream that made no sense was ended by us, and a reason that the engine gave before the
  // connection broke says more than that it broke.
  if (!answer && stream.broken().empty() && !stream.failure()) {
    return std::unexpected(answer.error());
  }
  return outcome(stream, api.is_podman(), order);
}

}  // namespace tallyman
