#pragma once

#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace tallyman {

/// The labels of a container or of an image. Copies share them: a host has thousands, and everybody
/// who looks at a container has a copy of it.
class Labels {
 public:
  using Map = std::map<std::string, std::string, std::less<>>;

  Labels() = default;
  Labels(Map labels)  // NOLINT(google-explicit-constructor): they are nothing else
      : m_labels(labels.empty() ? nullptr : std::make_shared<const Map>(std::move(labels))) {}
  Labels(std::initializer_list<Map::value_type> labels) : Labels(Map(labels)) {}

  [[nodiscard]] bool empty() const { return m_labels == nullptr; }
  [[nodiscard]] bool contains(std::string_view name) const {
    return m_labels != nullptr && m_labels->contains(name);
  }
  /// "" if there is none of that name.
  [[nodiscard]] std::string_view get(std::string_view name) const;
  /// Of this one; those that were copied before stay as they are.
  void set(std::string_view name, std::string value);

 private:
  std::shared_ptr<const Map> m_labels;  // null: none
};

}  // namespace tallyman
