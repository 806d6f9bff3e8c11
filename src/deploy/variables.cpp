#include "deploy/variables.hpp"

#include <algorithm>

#include "tallyman/deploy/deployer.hpp"

namespace tallyman {

std::map<std::string, std::string> variables_of(const Journal& journal, const DeploymentPart& part,
                                                bool rollback) {
  std::map<std::string, std::string> variables{{"TALLYMAN_SERVICE", part.service},
                                               {"TALLYMAN_DEPLOYMENT", journal.id}};
  const auto& images = journal.plan.images;
  const auto image = std::ranges::find(images, part.references.at(0), &ImagePlan::reference);
  if (image == images.end()) {
    return variables;
  }
  std::string old_digest;
  std::string old_name;
  if (!image->old.empty()) {
    const OldImage& old = image->old.front();
    old_digest = old.digest ? old.digest->str() : "";
    old_name = journal.plan.may_be_undone()
                   ? rollback_reference(image->reference, old.image_id).familiar()
                   : "";
  }
  variables["TALLYMAN_IMAGE"] = image->reference.familiar();
  variables["TALLYMAN_TAG"] = image->reference.tag().value_or("");
  variables["TALLYMAN_DIGEST"] = rollback ? old_digest : image->digest.str();
  variables["TALLYMAN_PREVIOUS_DIGEST"] = rollback ? image->digest.str() : old_digest;
  variables["TALLYMAN_PREVIOUS_IMAGE"] =
      rollback ? image->reference.at(image->digest).familiar() : old_name;
  if (rollback) {
    variables["TALLYMAN_ROLLBACK"] = "1";
  }
  return variables;
}

}  // namespace tallyman
