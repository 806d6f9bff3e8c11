#pragma once

#include "tallyman/model/error.hpp"

#include <chrono>
#include <string>

namespace tallyman {

/// Does something accept a TCP connection on `address` ("127.0.0.1:5432", "[::1]:80",
/// "db.lan:5432") within `timeout`? Opens one, sends nothing and closes it. ErrorKind::transient
/// with the reason: "127.0.0.1:5432: connection refused".
[[nodiscard]] Result<void> connect_tcp(const std::string& address,
                                       std::chrono::milliseconds timeout);

}  // namespace tallyman
