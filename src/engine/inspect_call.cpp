#include "engine/inspect_call.hpp"

#include "engine/engine_text.hpp"

#include <fmt/format.h>

namespace tallyman {

Result<ApiCall> inspect_call(std::string_view kind, const std::string& name) {
  const auto part = path_part(name);
  if (!part) {
    return fail(ErrorKind::not_found, "no {} can be called \"{}\"", kind, one_line(name));
  }
  return ApiCall{.path = fmt::format("/{}s/{}/json", kind, *part),
                 .what = fmt::format("inspect {} {}", kind, one_line(name))};
}

}  // namespace tallyman
