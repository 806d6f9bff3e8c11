#pragma once

#include "support/values.hpp"
#include "tallyman/model/deployment.hpp"

namespace tallyman::test {

/// What a plan says of compose_container() with the same arguments.
inline PlannedContainer planned(const std::string& project, const std::string& service,
                                int number = 1, char id = 'a') {
  const Container container = compose_container(project, service, number, k_web, id);
  return {container.id, container.name, number, container.image_id};
}

}  // namespace tallyman::test
