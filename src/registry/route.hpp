#pragma once

#include "tallyman/io/http.hpp"
#include "tallyman/model/error.hpp"
#include "tallyman/model/watch.hpp"

#include <memory>
#include <string>
#include <vector>

namespace tallyman {

/// How the registry of `domain` is reached: by ca_file, client_cert, client_key and proxy of its
/// section, if it has one, and by the files of FOLDER/`domain` for each of `certs_folders`
/// (moby daemon/pkg/registry/registry.go; containers-certs.d(5)): all *.crt, and the first pair of
/// *.cert and *.key unless the section has one. Nothing: there is none of it. ErrorKind::config,
/// naming the file: one that cannot be read, is no PEM, is larger than 1 MiB or lacks its other
/// half.
[[nodiscard]] Result<std::shared_ptr<const HttpRoute>> route_to(
    const std::string& domain, const RegistrySettings* settings,
    const std::vector<std::string>& certs_folders);

}  // namespace tallyman
