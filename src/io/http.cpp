#include "tallyman/io/http.hpp"

#include <algorithm>
#include <optional>

namespace tallyman {

std::string_view HttpResponse::header(std::string_view lower_case_name) const {
  const auto found = std::ranges::find(headers, lower_case_name,
                                       [](const auto& header) -> auto& { return header.first; });
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

std::vector<std::string> HttpResponse::header_values(std::string_view lower_case_name) const {
  std::vector<std::string> values;
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) {
      values.push_back(value);
    }
  }
  return values;
}

bool concerns_place(TransportFailure failure) {
  switch (failure) {
    case TransportFailure::cut:
    case TransportFailure::too_large:
    case TransportFailure::other:
      return false;
    default:
      return true;
  }
}

HttpResult Http::fetch(HttpRequest request) {
  std::optional<HttpResult> answer;
  send(std::move(request), [&answer](HttpResult result) { answer = std::move(result); });
  run();
  if (!answer) {
    return std::unexpected(TransportError{
        TransportFailure::other, {ErrorKind::bug, "a request was left without any answer"}});
  }
  return std::move(*answer);
}

}  // namespace tallyman
