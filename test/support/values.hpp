#pragma once

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tallyman/model/digest.hpp"
#include "tallyman/model/error.hpp"
#include "tallyman/model/host.hpp"
#include "tallyman/model/image_reference.hpp"
#include "tallyman/model/time.hpp"

namespace tallyman::test {

/// What fakes were asked, one line each, in the order in which they were asked: several fakes write
/// into one list.
using Calls = std::vector<std::string>;

inline Digest digest(char hex) {
  return Digest::parse("sha256:" + std::string(64, hex)).value();
}
/// An image's id on this host.
inline std::string id_of(char hex) {
  return digest(hex).str();
}
inline ImageReference ref(std::string_view text) {
  return ImageReference::parse(text).value();
}
inline Timestamp at(std::string_view rfc3339) {
  return parse_rfc3339(rfc3339).value();
}

/// With "#2" for the digest of twos, so that a list of calls can be read.
inline std::string shortened(std::string text) {
  constexpr std::string_view k_algorithm = "sha256:";
  for (std::size_t i = 0; (i = text.find(k_algorithm, i)) != std::string::npos; ++i) {
    text.replace(i, k_algorithm.size() + 64, {'#', text.at(i + k_algorithm.size())});
  }
  return text;
}
inline Calls shortened(Calls calls) {
  for (std::string& call : calls) {
    call = shortened(std::move(call));
  }
  return calls;
}

inline bool contains(std::string_view text, std::string_view word) {
  return text.find(word) != std::string_view::npos;
}

template <class Value>
Error error_of(const Result<Value>& result) {
  REQUIRE_FALSE(result.has_value());
  return result.error();
}

template <class Value>
Value value_of(Result<Value> result) {
  REQUIRE_MESSAGE(result.has_value(), (result ? "" : result.error().message));
  return std::move(*result);
}

inline constexpr std::string_view k_web = "harbor.lan/shop/web:1";

/// A running container of a compose service.
inline Container compose_container(const std::string& project, const std::string& service,
                                   int number = 1, std::string_view image = k_web, char id = 'a') {
  const std::string name = project + "-" + service + "-" + std::to_string(number);
  Container container{
      .id = "id-of-" + name, .name = name, .image = std::string(image), .image_id = id_of(id)};
  container.labels = {{std::string(k_label_project), project},
                      {std::string(k_label_service), service},
                      {std::string(k_label_number), std::to_string(number)},
                      {std::string(k_label_oneoff), "False"},
                      {std::string(k_label_compose_version), "2.26.1"}};
  container.status = ContainerStatus::running;
  container.created = at("2026-11-20T08:00:00Z");
  return container;
}

inline void set_label(Container& container, std::string_view name, std::string value) {
  container.labels.set(name, std::move(value));
}

}  // namespace tallyman::test
