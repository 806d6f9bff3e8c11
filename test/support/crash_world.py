#!/usr/bin/python3 -IS
"""What the crash tests ask of engine, registry and files, in one program: dozens of curl and jq a row cost more than
the row itself. Its arguments come from lib/crash.bash:

    crash_world.py SOCKET HUB IMAGE FILTER COMMAND...

        running              digests of the images that the project's containers run, one a line
        ids                  ids of those containers
        offers               the digest of IMAGE:stable in the registry HUB
        tag DIGEST           lets IMAGE:stable be that one
        begin IMAGES         as `running`, and removes the rollback tags of rows before
        complaints WORLD     what is wrong, a line each; WORLD is JSON, see complaints()

FILTER is the label (KEY=VALUE) of the project's containers; IMAGES is a file of lines "IMAGE_ID DIGEST good|bad TEXT".
Runs in the engine's network namespace.
"""
import glob
import http.client
import json
import socket
import sys
import time
import urllib.parse

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


class Engine(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("docker", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)

    def call(self, path, method="GET", **filters):
        query = "&filters=" + urllib.parse.quote(json.dumps(filters)) if filters else ""
        self.request(method, f"/{path}{'&' if '?' in path else '?'}{query.lstrip('&')}")
        answer = self.getresponse()
        body = answer.read()
        if answer.status >= 300:
            raise OSError(f"the engine: {method} {path}: {answer.status} {body.decode(errors='replace')}")
        return json.loads(body or b"null")


class World:
    def __init__(self, engine, hub, image, label):
        self.engine = Engine(engine)
        self.hub = hub
        self.image = image
        self.label = label

    def containers(self):
        return self.engine.call("containers/json?all=1", label=[self.label])

    def running(self):
        return [each for each in self.containers() if each["State"] == "running"]

    def manifest(self, reference, method="GET", body=None, headers=None):
        connection = http.client.HTTPConnection(self.hub, timeout=30)
        path = f"/v2/{self.image.split('/', 1)[1]}/manifests/{reference}"
        connection.request(method, path, body, headers or {"Accept": MANIFEST})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise OSError(f"the registry: {method} {path}: {answer.status}")
        return answer, content

    def offers(self):
        return self.manifest("stable", "HEAD")[0].headers["Docker-Content-Digest"]

    def tag(self, digest):
        answer, content = self.manifest(digest)
        self.manifest("stable", "PUT", content, {"Content-Type": answer.headers["Content-Type"]})

    def rollback_tags(self):
        prefix = self.image + ":tallyman-rollback-"
        images = self.engine.call("images/json", reference=[prefix + "*"])
        return [tag for image in images for tag in image["RepoTags"] or [] if tag.startswith(prefix)]


def known_images(path):
    with open(path, encoding="utf-8") as lines:
        return {fields[0]: fields[1:] for fields in (line.rstrip("\n").split(" ", 3) for line in lines)}


def digests(containers, images):
    return sorted({images[each["ImageID"]][0] for each in containers if each["ImageID"] in images})


def answer_of(url):
    """What answers there, with some patience; why not, if nothing does."""
    trouble = ""
    for wait in (0, 1, 1):
        time.sleep(wait)
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=3)
        try:
            connection.request("GET", "/")
            return connection.getresponse().read().decode(errors="replace").strip(), ""
        except OSError as error:
            trouble = str(error)
        finally:
            connection.close()
    return "", trouble


def service_complaints(world, it, images):
    """The containers: all that should be there and no others, running one good image, and answering with its text."""
    containers = world.containers()
    found = {each["Names"][0][1:]: each for each in containers}
    wanted = [it["separator"].join((it["name"], service, str(number + 1)))
              for service, count in (pair.split("=") for pair in it["replicas"].split()) for number in range(int(count))]
    for name in wanted:
        if name not in found:
            yield f"there is no {name}"
    for name, each in found.items():
        if name not in wanted:
            yield f"there is a {name}"
        if each["State"] != "running":
            yield f"{name} is {each['State']}: {each['Status']}"
    if len({each["ImageID"] for each in containers}) > 1:
        yield "replicas differ: " + " ".join(sorted({each["ImageID"] for each in containers}))
    asked = []
    for name, each in found.items():
        if each["State"] != "running":
            continue
        _, kind, text = images.get(each["ImageID"], ["", "not one of our images", ""])
        if kind != "good":
            yield f"what runs is {kind}: {each['ImageID']}"
        address = next(iter(each["NetworkSettings"]["Networks"].values()))["IPAddress"]
        asked.append((name, f"http://{address}/", text))
        if name == it["separator"].join((it["name"], "web", "1")):
            asked.append(("web's port", f"http://127.0.0.1:{it['port']}/", text))
    for name, url, text in asked:
        answer, trouble = answer_of(url)
        if answer != text:
            yield f"{name} answers '{answer}' at {url}, not '{text}' {trouble}"


def state_complaints(world, it):
    folder = it["state"]
    for path in glob.glob(f"{folder}/deployments/*/journal.json"):
        with open(path, encoding="utf-8") as file:
            yield f"left open: {path}, in phase {json.load(file)['phase']}"
    records = glob.glob(f"{folder}/deployments/*/record.json")
    for path in records:
        try:
            with open(path, encoding="utf-8") as file:
                record = json.load(file)
            if not record["id"] or not record["result"]:
                yield f"no record: {path}"
        except (ValueError, KeyError):
            yield f"no record: {path}"
    if not records and not it["untouched"]:
        yield "no deployment has a record"
    try:
        with open(f"{folder}/memory.json", encoding="utf-8") as file:
            kept = [image["tag"] for service in json.load(file)["services"].values() for image in service["kept"]]
    except (OSError, ValueError, KeyError) as error:
        yield f"memory.json cannot be used: {error}"
        return
    for tag in world.rollback_tags():
        if tag not in kept:
            yield f"a rollback tag that memory does not have: {tag}"


def status_complaints(world, it, images):
    try:
        with open(it["status"], encoding="utf-8") as file:
            site = next(each for each in json.load(file)["services"] if each["name"] == "site")
        state, says = site["state"], site["images"][0]["running"]["digest"]
    except (OSError, ValueError, KeyError, IndexError, StopIteration) as error:
        yield f"the status file cannot be used: {error!r}"
        return
    runs, offers = "\n".join(digests(world.running(), images)), world.offers()
    if says != runs:
        yield f"the status says that {says} runs; it is {runs}"
    if state not in it["good_states"].split():
        yield f"its state is {state}: {site['reason']}; {(site['error'] or {}).get('message', '')}"
    if state in ("updated", "current") and runs != offers:
        yield f"{state}, but the registry has {offers} and {runs} runs"
    if state in ("rolled_back", "quarantined", "pending") and runs == offers:
        yield f"{state}, but {runs} runs, as the registry has it"


def complaints(world, it):
    """it: name, separator, replicas, port, images; unless only the service is asked for: state, status, good_states,
    untouched."""
    images = known_images(it["images"])
    yield from service_complaints(world, it, images)
    if "state" in it:
        yield from state_complaints(world, it)
        yield from status_complaints(world, it, images)


def main(arguments):
    world, command, rest = World(*arguments[:4]), arguments[4], arguments[5:]
    if command == "running":
        print("\n".join(digests(world.running(), known_images(rest[0]))))
    elif command == "ids":
        print("\n".join(sorted(each["Id"] for each in world.running())))
    elif command == "offers":
        print(world.offers())
    elif command == "tag":
        world.tag(rest[0])
    elif command == "begin":
        print("\n".join(digests(world.running(), known_images(rest[0]))))
        for tag in world.rollback_tags():
            world.engine.call("images/" + tag, "DELETE")
    elif command == "complaints":
        for line in complaints(world, json.loads(rest[0])):
            print(line)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except OSError as trouble:
        sys.exit(f"crash_world: {trouble}")
