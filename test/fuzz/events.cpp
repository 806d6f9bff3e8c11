#include "engine/events.hpp"

#include "fuzz/fuzz.hpp"
#include "support/fake_http.hpp"

namespace tallyman {

FUZZ_TARGET(events) {
  test::FakeHttp http([input](const HttpRequest& request) {
    const bool ping = request.url.ends_with("/_ping");
    return HttpResponse{.status = 200,
                        .headers = {{"api-version", "1.41"}},
                        .body = ping ? "OK" : std::string(input)};
  });
  EngineApi api(http, "/run/docker.sock");
  const auto events = read_events(api, "shop", Timestamp{}, Timestamp{});
  if (!events) {
    HOLDS(events.error().kind == ErrorKind::protocol ||
          events.error().kind == ErrorKind::transient);
    return;
  }
  HOLDS(events->size() <= 10'000);
  for (const ContainerEvent& event : *events) {
    HOLDS(event.action == "start" || event.action == "die");
    HOLDS(!event.container.empty());
  }
}

}  // namespace tallyman
