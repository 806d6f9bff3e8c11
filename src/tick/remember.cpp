#include "tallyman/tick/remember.hpp"

#include <algorithm>
#include <utility>

namespace tallyman {
namespace {

const ImagePlan* find_image(const Journal& journal, const ImageReference& reference) {
  const auto found = std::ranges::find(journal.plan.images, reference, &ImagePlan::reference);
  return found == journal.plan.images.end() ? nullptr : &*found;
}

void count_failure(ServiceMemory& service, const std::optional<Digest>& wanted, bool touched,
                   Timestamp now) {
  if (service.attempts.digest != wanted) {
    service.attempts = {.digest = wanted};
  }
  ++service.attempts.count;
  service.attempts.touched += touched ? 1 : 0;
  service.attempts.last = now;
}

void quarantine(const ImagePlan& image, const Error& error, Timestamp now, ServiceMemory& service) {
  const std::string reference = image.reference.str();
  std::erase_if(service.quarantined, [&](const Quarantined& entry) {
    return entry.reference == reference && entry.digest == image.digest;
  });
  service.quarantined.push_back({reference, image.digest, image.manifest, error.message, now});
}

/// The images that ran before stay on this host, newest first. What tallyman did not deploy is
/// never removed, so it does not count.
void keep_old_images(const Journal& journal, const DeploymentPart& part, Timestamp now,
                     ServiceMemory& service) {
  for (const ImageReference& reference : part.references) {
    const ImagePlan* image = find_image(journal, reference);
    for (const OldImage& old : image != nullptr ? image->old : std::vector<OldImage>{}) {
      const std::string tag = rollback_reference(reference, old.image_id).str();
      const auto good = service.last_good.find(reference.str());
      bool deployed = good != service.last_good.end() && good->second == old.digest;
      std::erase_if(service.kept, [&](const KeptImage& kept) {
        deployed = deployed || (kept.tag == tag && kept.deployed);
        return kept.tag == tag;
      });
      service.kept.insert(service.kept.begin(),
                          {reference.str(), old.image_id, old.digest, tag, deployed, now});
    }
  }
  int kept = 0;
  std::erase_if(service.kept, [&](const KeptImage& image) {
    return image.deployed && ++kept > part.rollback.keep;
  });
}

void remember_success(const Journal& journal, const DeploymentPart& part, Timestamp now,
                      ServiceMemory& service) {
  if (part.rollback.enabled) {
    keep_old_images(journal, part, now, service);
  }
  for (const ImageReference& reference : part.references) {
    if (const ImagePlan* image = find_image(journal, reference)) {
      service.last_good.insert_or_assign(reference.str(), image->digest);
      service.settled.insert_or_assign(reference.str(), image->digest);
      // A person can bring another digest while the tag still offers a bad one.
      const bool tag_moved = !journal.plan.trigger.hold;
      std::erase_if(service.quarantined, [&](const Quarantined& entry) {
        return entry.reference == reference.str() &&
               (tag_moved || entry.digest == image->digest ||
                (entry.manifest && entry.manifest == image->manifest));
      });
      const auto& images = journal.plan.images;
      const auto index = static_cast<std::size_t>(image - images.data());
      std::erase_if(service.kept, [&](const KeptImage& kept) {
        return kept.image_id == journal.images.at(index).image_id;
      });
    }
  }
  service.deployed_at = now;
  service.attempts = {};
  service.broken.clear();
}

void remember_failure(const Journal& journal, const Outcome& outcome, const DeploymentPart& part,
                      Timestamp now, ServiceMemory& service) {
  const bool touched = may_have_touched(journal.phase);
  if (outcome.reason_code != ReasonCode::interrupted && outcome.reason_code != ReasonCode::drift) {
    count_failure(service, part.to, touched, now);
    service.attempts.mirror_lags = outcome.reason_code == ReasonCode::mirror_lag;
  }
  if (!touched) {
    return;
  }
  for (const ImageReference& reference : part.references) {
    service.settled.erase(reference.str());
    const ImagePlan* image = find_image(journal, reference);
    const bool suspect =
        std::ranges::find(journal.suspects, reference.str()) != journal.suspects.end();
    const bool made_worse = outcome.state == ServiceState::failed && !journal.was_unhealthy;
    const bool hopeless = made_worse || service.attempts.touched >= k_most_touching_failures;
    if (image != nullptr && ((journal.judged && suspect) || hopeless)) {
      quarantine(*image, *outcome.error, now, service);
    }
  }
  if (outcome.state == ServiceState::failed) {
    service.broken = outcome.error->message;
  } else {
    service.broken.clear();
  }
}

/// What compose was called with has been applied, unless its containers are gone again: their
/// labels will tell.
void remember_models(const Journal& journal, const DeploymentPart& part, bool deployed,
                     Timestamp now, ServiceMemory& memory) {
  for (std::size_t i = 0; i < journal.models.size(); ++i) {
    const ProjectPlan& project = journal.plan.projects.at(i);
    if (project.drop_in != part.service || !may_have_touched(journal.phase)) {
      continue;
    }
    for (const auto& [service, model] : journal.models[i]) {
      ServiceModels& models = memory.models[{project.compose.project, service}];
      if (deployed) {
        models = {.applied = model, .at = now};
      } else {
        learn_model(models, model, "", now);
      }
    }
  }
}

}  // namespace

void remember_deployment(const Outcome& outcome, Memory& memory) {
  const Journal& journal = *outcome.journal;
  const Timestamp now = journal.finished_at.value_or(journal.started_at);
  for (const DeploymentPart& part : journal.plan.parts) {
    ServiceMemory& service = memory.services[part.service];
    if (service.last_deployment && service.last_deployment->id == journal.id) {
      continue;
    }
    if (outcome.state == ServiceState::updated) {
      remember_success(journal, part, now, service);
    } else {
      remember_failure(journal, outcome, part, now, service);
    }
    remember_models(journal, part, outcome.state == ServiceState::updated, now, service);
    service.last_deployment = DeploymentRecord{
        journal.id, std::string(to_string(outcome.state)), part.from, part.to, now, journal.folder};
  }
}

void remember_refusal(const ServiceName& service, const std::optional<Digest>& wanted,
                      Timestamp now, Memory& memory) {
  count_failure(memory.services[service], wanted, false, now);
}

}  // namespace tallyman
