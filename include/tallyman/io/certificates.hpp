#pragma once

#include "tallyman/model/error.hpp"

#include <string>
#include <string_view>

namespace tallyman {

/// Is `pem` one certificate or more (RFC 7468; what stands between them does not count)?
/// ErrorKind::config otherwise; the message goes after the file's name and a colon.
[[nodiscard]] Result<void> check_certificates(const std::string& pem);

/// Is `key` a private key without a passphrase, and that of the first certificate in
/// `certificates`? ErrorKind::config otherwise; the message goes after the key file's name.
[[nodiscard]] Result<void> check_client_key(const std::string& certificates,
                                            const std::string& key);

}  // namespace tallyman
