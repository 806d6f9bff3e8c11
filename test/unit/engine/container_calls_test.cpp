#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "unit/engine/fake_engine.hpp"

using tallyman::DockerEngine;
using tallyman::Error;
using tallyman::ErrorKind;
using tallyman::HttpResponse;
using tallyman::Result;
using tallyman::TransportFailure;
using tallyman::test::engine_error;
using tallyman::test::FakeEngine;
using tallyman::test::transport;

namespace {

const HttpResponse k_no_content{.status = 204, .headers = {}, .body = ""};
const HttpResponse k_not_modified{.status = 304, .headers = {}, .body = ""};
const HttpResponse k_missing = engine_error(404, "No such container: web");
const HttpResponse k_busy = engine_error(409, "removal of container web is already in progress");

const std::string k_remove = "DELETE /containers/web?force=1&v=0";
const std::string k_wait = "POST /containers/web/wait?condition=removed";
const std::string k_inspect = "GET /containers/web/json";

Error failure(const Result<void>& result) {
  REQUIRE_FALSE(result);
  return result.error();
}

}  // namespace

TEST_CASE("a container is removed by force, its anonymous volumes stay") {
  FakeEngine fake;
  fake.on(k_remove, k_no_content);
  CHECK(fake.engine.remove_container("web"));
  CHECK(fake.asked() == std::vector<std::string>{"DELETE /v1.41/containers/web?force=1&v=0"});
}

TEST_CASE("a container that is gone needs no removal") {
  FakeEngine fake;
  fake.on(k_remove, k_missing);
  CHECK(fake.engine.remove_container("web"));
  CHECK(fake.asked().size() == 1);
}

TEST_CASE("a removal that is in progress is waited for") {
  SUBCASE("it ended before the wait began") {
    FakeEngine fake;
    fake.on(k_remove, k_busy).on(k_wait, k_missing);
    CHECK(fake.engine.remove_container("web"));
    CHECK(fake.asked().size() == 2);
  }
  SUBCASE("it ends while the engine waits") {
    FakeEngine fake;
    fake.on(k_remove, k_busy).on(k_wait, R"({"StatusCode":0})").on(k_inspect, k_missing);
    CHECK(fake.engine.remove_container("web"));
    CHECK(fake.asked().size() == 3);
  }
  SUBCASE("it does not end") {
    FakeEngine fake;
    fake.on(k_remove, k_busy).on(k_wait, R"({"StatusCode":0})").on(k_inspect, R"({"Id":"a"})");
    const Error error = failure(fake.engine.remove_container("web"));
    CHECK(error.kind == ErrorKind::transient);
    CHECK(error.message ==
          "the Docker Engine could not remove container web: a removal of it that is in progress "
          "does not end");
  }
  SUBCASE("it takes too long") {
    FakeEngine fake;
    fake.on(k_remove, k_busy).on(k_wait, transport(TransportFailure::timeout));
    const Error error = failure(fake.engine.remove_container("web"));
    CHECK(error.kind == ErrorKind::transient);
    CHECK(error.message ==
          "the Docker Engine on /run/docker.sock took too long to wait for the removal of "
          "container web");
    CHECK(fake.http.requests.back().timeout == std::chrono::minutes(5));
  }
}

TEST_CASE("a removal that fails for another reason is an error at once") {
  FakeEngine fake;
  fake.on(k_remove, engine_error(409, "container web is in a state that nobody knows"));
  const Error error = failure(fake.engine.remove_container("web"));
  CHECK(error.kind == ErrorKind::transient);
  CHECK(error.message ==
        "the Docker Engine could not remove container web: container web is in a state that "
        "nobody knows");
  CHECK(fake.asked().size() == 1);
}

TEST_CASE("a container gets another name, encoded") {
  FakeEngine fake;
  fake.on("POST /containers/web/rename?name=web-1%26v%3D1", k_no_content);
  CHECK(fake.engine.rename_container("web", "web-1&v=1"));
}

TEST_CASE("a name that is taken is told as the engine tells it") {
  FakeEngine fake;
  fake.on("POST /containers/web/rename?name=tty",
          engine_error(409,
                       "Error when allocating new name: Conflict. The container name "
                       "\\\"/tty\\\" is already in use by container \\\"80181e0e7317\\\". You "
                       "have to remove (or rename) that container to be able to reuse that "
                       "name."));
  const Error error = failure(fake.engine.rename_container("web", "tty"));
  CHECK(error.kind == ErrorKind::transient);
  CHECK(error.message ==
        "the Docker Engine could not give the name tty to container web: Error when allocating new "
        "name: Conflict. The container name \"/tty\" is already in use by container "
        "\"80181e0e7317\". You have to remove (or rename) that container to be able to reuse that "
        "name");
}

TEST_CASE("a container is started; one that runs is fine") {
  for (const HttpResponse& answer : {k_no_content, k_not_modified}) {
    CAPTURE(answer.status);
    FakeEngine fake;
    fake.on("POST /containers/web/start", answer);
    CHECK(fake.engine.start_container("web"));
    CHECK(fake.http.requests.back().body.empty());
  }
}

TEST_CASE("a container that cannot be started says why") {
  FakeEngine fake;
  fake.on("POST /containers/web/start",
          engine_error(400,
                       "failed to create shim task: OCI runtime create failed: exec: "
                       "\\\"/no/such/program\\\": no such file or directory: unknown"));
  CHECK(failure(fake.engine.start_container("web")).message ==
        "the Docker Engine could not start container web: failed to create shim task: OCI runtime "
        "create failed: exec: \"/no/such/program\": no such file or directory: unknown");
}

TEST_CASE("start and restart have time: the engine says nothing until they are done") {
  FakeEngine fake;
  fake.on("POST /containers/web/start", k_no_content);
  fake.on("POST /containers/web/restart", k_no_content);
  CHECK(fake.engine.start_container("web"));
  CHECK(fake.http.requests.back().timeout == std::chrono::minutes(5));
  CHECK(fake.http.requests.back().stall_timeout == std::chrono::minutes(5));
  CHECK(fake.engine.restart_container("web"));
  CHECK(fake.http.requests.back().timeout == std::chrono::minutes(30));
  CHECK(fake.http.requests.back().stall_timeout == std::chrono::minutes(30));
}

TEST_CASE("what is no container's name is never sent, and one that is missing is not_found") {
  using Change = std::function<Result<void>(DockerEngine&, const std::string&)>;
  for (const Change& change :
       {Change(&DockerEngine::start_container), Change(&DockerEngine::restart_container),
        Change([](DockerEngine& engine, const std::string& id) {
          return engine.rename_container(id, "other");
        })}) {
    FakeEngine fake;
    const Error nameless = failure(change(fake.engine, "a/../b"));
    CHECK(nameless.kind == ErrorKind::not_found);
    CHECK(nameless.message == "no container can be called \"a/../b\"");
    CHECK(fake.http.requests.empty());
    CHECK(failure(change(fake.engine, "web")).kind == ErrorKind::not_found);
  }
  FakeEngine fake;
  CHECK(fake.engine.remove_container("a/../b"));
  CHECK(fake.http.requests.empty());
}
