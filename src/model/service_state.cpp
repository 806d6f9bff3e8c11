#include "tallyman/model/service_state.hpp"

#include <utility>

namespace tallyman {
namespace {

constexpr std::pair<ServiceState, std::string_view> k_state_words[] = {
    {ServiceState::failed, "failed"},   {ServiceState::rolled_back, "rolled_back"},
    {ServiceState::unknown, "unknown"}, {ServiceState::quarantined, "quarantined"},
    {ServiceState::held, "held"},       {ServiceState::pending, "pending"},
    {ServiceState::updated, "updated"}, {ServiceState::absent, "absent"},
    {ServiceState::pinned, "pinned"},   {ServiceState::local, "local"},
    {ServiceState::current, "current"},
};

constexpr std::pair<ReasonCode, std::string_view> k_reason_words[] = {
    {ReasonCode::up_to_date, "up_to_date"},
    {ReasonCode::same_content, "same_content"},
    {ReasonCode::deployed, "deployed"},
    {ReasonCode::update_available, "update_available"},
    {ReasonCode::notify_only, "notify_only"},
    {ReasonCode::changed_by_hand, "changed_by_hand"},
    {ReasonCode::unmanaged, "unmanaged"},
    {ReasonCode::no_platform, "no_platform"},
    {ReasonCode::preflight_failed, "preflight_failed"},
    {ReasonCode::pull_failed, "pull_failed"},
    {ReasonCode::hook_failed, "hook_failed"},
    {ReasonCode::no_space, "no_space"},
    {ReasonCode::backing_off, "backing_off"},
    {ReasonCode::not_yet_stable, "not_yet_stable"},
    {ReasonCode::mirror_lag, "mirror_lag"},
    {ReasonCode::interrupted, "interrupted"},
    {ReasonCode::drift, "drift"},
    {ReasonCode::predecessor, "predecessor"},
    {ReasonCode::failed_here, "failed_here"},
    {ReasonCode::held, "held"},
    {ReasonCode::not_running, "not_running"},
    {ReasonCode::by_digest, "by_digest"},
    {ReasonCode::built_here, "built_here"},
    {ReasonCode::no_origin, "no_origin"},
    {ReasonCode::unhealthy, "unhealthy"},
    {ReasonCode::recreate_failed, "recreate_failed"},
    {ReasonCode::not_recreated, "not_recreated"},
    {ReasonCode::wrong_result, "wrong_result"},
    {ReasonCode::killed, "killed"},
    {ReasonCode::rollback_failed, "rollback_failed"},
    {ReasonCode::registry_error, "registry_error"},
    {ReasonCode::engine_error, "engine_error"},
    {ReasonCode::config_error, "config_error"},
    {ReasonCode::state_error, "state_error"},
};

template <class Value, std::size_t size>
std::string_view word_of(const std::pair<Value, std::string_view> (&words)[size], Value value) {
  for (const auto& [key, word] : words) {
    if (key == value) {
      return word;
    }
  }
  return "";
}

template <class Value, std::size_t size>
std::optional<Value> value_of(const std::pair<Value, std::string_view> (&words)[size],
                              std::string_view text) {
  for (const auto& [key, word] : words) {
    if (word == text) {
      return key;
    }
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(ServiceState state) {
  return word_of(k_state_words, state);
}
std::string_view to_string(ReasonCode code) {
  return word_of(k_reason_words, code);
}

std::optional<ServiceState> parse_service_state(std::string_view text) {
  return value_of(k_state_words, text);
}

std::optional<ReasonCode> parse_reason_code(std::string_view text) {
  return value_of(k_reason_words, text);
}

}  // namespace tallyman
