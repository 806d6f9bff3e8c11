#include "engine/engine_text.hpp"

#include "engine/api_version.hpp"
#include "fuzz/fuzz.hpp"
#include "tallyman/deploy/compose_target.hpp"

namespace tallyman {

FUZZ_TARGET(engine_text) {
  HOLDS(fuzz::is_one_printable_line(one_line(input)));
  HOLDS(fuzz::is_one_printable_line(reason(input)) && !reason(input).ends_with('.'));
  const HttpResponse answer{.status = 500, .body = std::string(input)};
  HOLDS(fuzz::is_one_printable_line(message_of(answer)) && !message_of(answer).empty());
  if (const auto path = path_part(input)) {
    HOLDS(!path->empty() && path->find_first_of("?#%\\ ") == path->find('%'));
    HOLDS(!("/" + *path + "/").contains("/../") && !("/" + *path + "/").contains("//"));
  }
  if (const auto version = ApiVersion::parse(input)) {
    HOLDS(ApiVersion::parse(version->str()) == version);
    HOLDS(version_asked_for("client version 1.1 is too new. Maximum supported API version is " +
                            version->str()) == version);
  }
  if (const auto asked = version_asked_for(input)) {
    HOLDS(asked->major >= 0 && asked->minor >= 0);
  }
  if (const auto tool = parse_compose_version(input)) {
    HOLDS(tool->major >= 0 && tool->minor >= 0 && tool->patch >= 0);
    HOLDS(tool->at_least(tool->major, tool->minor));
    HOLDS(tool->is_v1() == (tool->major == 1));
  }
}

}  // namespace tallyman
