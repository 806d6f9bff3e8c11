#pragma once

#include <curl/curl.h>

#include <string_view>

#include "tallyman/io/http.hpp"

namespace tallyman {

/// What curl said about a transfer that ended without an answer. `detail` is curl's error buffer.
[[nodiscard]] TransportError transport_error(CURLcode code, CURL* easy, const HttpRequest& request,
                                             bool connected, std::string_view detail);

/// "harbor.lan:443", the socket's path, or "" if the URL is none.
[[nodiscard]] std::string target_of(const HttpRequest& request);

}  // namespace tallyman
