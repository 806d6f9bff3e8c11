#include "registry/route.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "tallyman/io/certificates.hpp"
#include "tallyman/io/files.hpp"

namespace tallyman {
namespace {

constexpr std::string_view k_no_proxy = "none";

std::unexpected<Error> unusable_route(const std::string& file, const Error& error) {
  return std::unexpected(
      Error{ErrorKind::config, fmt::format("{}: {}", file, error.message),
            error.remedy.empty() ? "correct or remove that file" : error.remedy});
}

Result<std::string> read_pem(const std::string& file) {
  Result<std::string> text = read_file(file);
  if (!text) {  // the message names the file
    return std::unexpected(Error{ErrorKind::config, std::move(text.error().message),
                                 "let tallyman read it, or name another one"});
  }
  return text;
}

Result<std::string> read_certificates(const std::string& file) {
  Result<std::string> pem = read_pem(file);
  if (pem) {
    if (const Result<void> good = check_certificates(*pem); !good) {
      return unusable_route(file, good.error());
    }
    *pem += '\n';
  }
  return pem;
}

Result<void> add_roots(const std::string& file, HttpRoute& route) {
  Result<std::string> pem = read_certificates(file);
  if (!pem) {
    return std::unexpected(std::move(pem.error()));
  }
  route.roots += *pem;
  return {};
}

Result<void> set_client(const std::string& cert_file, const std::string& key_file,
                        HttpRoute& route) {
  Result<std::string> certificate = read_certificates(cert_file);
  if (!certificate) {
    return std::unexpected(std::move(certificate.error()));
  }
  Result<std::string> key = read_pem(key_file);
  if (!key) {
    return std::unexpected(std::move(key.error()));
  }
  if (const Result<void> good = check_client_key(*certificate, *key); !good) {
    return unusable_route(key_file, good.error());
  }
  route.client_cert = std::move(*certificate);
  route.client_key = Secret(std::move(*key));
  return {};
}

Result<void> read_section(const std::string& domain, const RegistrySettings& settings,
                          HttpRoute& route) {
  if (!settings.proxy.empty()) {
    route.proxy = settings.proxy == k_no_proxy ? "" : settings.proxy;
    route.proxy_source = fmt::format("proxy of [registry.\"{}\"]", domain);
  }
  if (!settings.ca_file.empty()) {
    if (Result<void> added = add_roots(settings.ca_file, route); !added) {
      return added;
    }
  }
  return settings.client_cert.empty()
             ? Result<void>()
             : set_client(settings.client_cert, settings.client_key, route);
}

/// dockerd takes both halves or fails; the other one's name is the same but for its end.
Result<void> read_client_half(const std::string& folder, const std::string& name,
                              const std::vector<std::string>& names, HttpRoute& route) {
  const bool is_cert = name.ends_with(".cert");
  const std::string stem = name.substr(0, name.rfind('.'));
  const std::string other = stem + (is_cert ? ".key" : ".cert");
  if (std::ranges::find(names, other) == names.end()) {
    return std::unexpected(Error{
        ErrorKind::config, fmt::format("{}/{} has no {}/{} beside it", folder, name, folder, other),
        is_cert ? "put its key there; a certificate of an authority ends in .crt"
                : "put its certificate there, or remove the key"});
  }
  return is_cert && route.client_cert.empty()
             ? set_client(folder + "/" + name, folder + "/" + other, route)
             : Result<void>();
}

Result<void> read_folder(const std::string& folder, HttpRoute& route) {
  const Result<std::vector<std::string>> names = list_directory(folder);
  if (!names) {
    return names.error().kind == ErrorKind::not_found ? Result<void>()
                                                      : unusable_route(folder, names.error());
  }
  for (const std::string& name : *names) {
    Result<void> good;
    if (name.ends_with(".crt")) {
      good = add_roots(folder + "/" + name, route);
    } else if (name.ends_with(".cert") || name.ends_with(".key")) {
      good = read_client_half(folder, name, *names, route);
    }
    if (!good) {
      return good;
    }
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const HttpRoute>> route_to(const std::string& domain,
                                                  const RegistrySettings* settings,
                                                  const std::vector<std::string>& certs_folders) {
  auto route = std::make_shared<HttpRoute>();
  Result<void> good;
  if (settings != nullptr) {
    good = read_section(domain, *settings, *route);
  }
  for (const std::string& folder : certs_folders) {
    if (good) {
      good = read_folder(folder + "/" + domain, *route);
    }
  }
  if (!good) {
    return std::unexpected(std::move(good.error()));
  }
  const bool is_plain = route->roots.empty() && route->client_cert.empty() && !route->proxy;
  return is_plain ? nullptr : std::move(route);
}

}  // namespace tallyman
