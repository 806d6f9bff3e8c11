#include "tallyman/model/labels.hpp"

namespace tallyman {

std::string_view Labels::get(std::string_view name) const {
  if (m_labels == nullptr) {
    return {};
  }
  const auto found = m_labels->find(name);
  return found != m_labels->end() ? std::string_view(found->second) : std::string_view();
}

void Labels::set(std::string_view name, std::string value) {
  Map labels = m_labels != nullptr ? *m_labels : Map();
  labels.insert_or_assign(std::string(name), std::move(value));
  m_labels = std::make_shared<const Map>(std::move(labels));
}

}  // namespace tallyman
