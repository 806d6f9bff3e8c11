#pragma once

#include <map>
#include <string>
#include <vector>

#include "tallyman/state/past_deployment.hpp"
#include "tallyman/tick/look.hpp"

namespace tallyman {

/// What a person wants of one service.
struct Order {
  enum class Kind { deploy, rollback };
  Kind kind = Kind::deploy;
  ServiceName service = {};
  /// deploy: a digest or a tag; empty: what the registry offers. rollback: a digest, or N for the
  /// N-th last deployment; empty: what was good before what runs now.
  std::string to = {};
  bool retry_quarantined = false;
  bool recreate = false;
  std::string by = {};  ///< who

  /// It brings what the tag does not offer, so the service is held afterwards.
  [[nodiscard]] bool pins() const { return kind == Kind::rollback || !to.empty(); }
  [[nodiscard]] std::string_view command() const;  ///< "deploy", "deploy --to", "rollback"
};

/// What is to be done for an order.
struct Ordered {
  /// As they are to be deployed, together, the one that was named first; empty: all of it runs
  /// already.
  std::vector<ServiceLook> services = {};
  /// Images that need no registry: their ids on this host.
  std::map<ImageReference, std::string> local_ids = {};
  bool recreate = false;
  Trigger trigger = {};
};

/// Finds out what an order means. `look`: the transaction of the service, the registry's side as
/// far as it answers. Errors say why it cannot or must not be done, and what to do about it;
/// nothing has been touched then.
[[nodiscard]] Result<Ordered> carry_out(const Order& order, const Look& look,
                                        const std::vector<PastDeployment>& past, Registry& registry,
                                        Engine& engine, const Memory& memory, Timestamp now);

/// The one image that a digest in an order can be of; an error that lists them where there are
/// several.
[[nodiscard]] Result<ImageReference> only_reference(const ServiceLook& service);

/// An image that a rollback leads to.
struct Goal {
  ImageReference reference;
  Digest digest;
};

/// Where `rollback` leads to: the images of `service` that change. `past`: newest first.
/// ErrorKind::not_found where there is nothing.
[[nodiscard]] Result<std::vector<Goal>> rollback_goals(const Order& order,
                                                       const ServiceLook& service, const Host& host,
                                                       const Memory& memory,
                                                       const std::vector<PastDeployment>& past);

}  // namespace tallyman
