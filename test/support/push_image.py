#!/usr/bin/python3 -IS
"""Makes a 1 MB busybox image that serves a text over http, and pushes it to a registry: no engine, no pull.

    push_image.py REF TEXT [options]                  one image; prints its manifest digest
    push_image.py REF --index PLATFORM=DIGEST ...     an index of images pushed before; prints its digest
    push_image.py FILE.tar --save REF TEXT [options]  the same image as an archive for `docker load`

REF is HOST[:PORT]/REPOSITORY:TAG; without a tag the manifest is pushed by its digest only. The same arguments give
the same digests, anywhere with the same busybox. An index entry `attestation=DIGEST` adds what buildkit adds for
that image: an unknown/unknown manifest.
"""
import argparse
import base64
import gzip
import hashlib
import http.client
import io
import json
import re
import ssl
import sys
import tarfile
import urllib.parse

LINKS = "sh httpd sleep wget cat echo nc kill true false ls env id touch test head tail date".split()
DOCKER = {
    "manifest": "application/vnd.docker.distribution.manifest.v2+json",
    "index": "application/vnd.docker.distribution.manifest.list.v2+json",
    "config": "application/vnd.docker.container.image.v1+json",
    "layer": "application/vnd.docker.image.rootfs.diff.tar.gzip",
}
OCI = {
    "manifest": "application/vnd.oci.image.manifest.v1+json",
    "index": "application/vnd.oci.image.index.v1+json",
    "config": "application/vnd.oci.image.config.v1+json",
    "layer": "application/vnd.oci.image.layer.v1.tar+gzip",
}


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def to_json(value):
    return json.dumps(value, separators=(",", ":")).encode()


def pairs(texts):
    return dict(text.split("=", 1) for text in texts)


def tar_of(entries):
    """entries: (path, bytes | link target | None for a folder). Owner, times and order are fixed: so is the digest."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path, content in entries:
            info = tarfile.TarInfo(path)
            info.mode = 0o755
            if content is None:
                info.type = tarfile.DIRTYPE
                tar.addfile(info)
            elif isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
                tar.addfile(info)
            else:
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def layers_of(args):
    with open(args.busybox, "rb") as file:
        busybox = file.read()
    base = [("bin", None), ("bin/busybox", busybox)] + [("bin/" + link, "busybox") for link in LINKS]
    content = [("www", None), ("www/index.html", (args.text + "\n").encode()), ("tmp", None)]
    if args.http_status:  # httpd runs this for / where there is no index.html
        script = f"#!/bin/sh\nprintf 'Status: {args.http_status} As Told\\r\\n\\r\\n'\ncat /www/text\n"
        content[1:2] = [("www/text", (args.text + "\n").encode()), ("www/cgi-bin", None),
                        ("www/cgi-bin/index.cgi", script.encode())]
    if args.ballast:  # incompressible, and its own for each text: something to pull
        content.append(("ballast", hashlib.shake_256(args.text.encode()).digest(args.ballast)))
    if args.padding:  # next to nothing to pull, and much to unpack
        content.append(("padding", bytes(args.padding)))
    return [tar_of(base), tar_of(content)]


def config_of(args, tars):
    system, arch, *variant = args.platform.split("/")
    cmd = ["/bin/httpd", "-f", "-p", args.port, "-h", "/www"]
    if args.cmd:
        cmd = json.loads(args.cmd) if args.cmd.startswith("[") else ["/bin/sh", "-c", args.cmd]
    config = {"Cmd": cmd, "Env": ["PATH=/bin"] + args.env, "StopSignal": args.stop_signal}
    if args.label:
        config["Labels"] = pairs(args.label)
    if args.healthcheck:
        config["Healthcheck"] = {"Test": ["CMD-SHELL", args.healthcheck], "Interval": args.health_interval * 10**6,
                                 "Timeout": 5 * 10**9, "Retries": args.health_retries}
        if args.health_start_period:
            config["Healthcheck"]["StartPeriod"] = args.health_start_period * 10**6
    result = {"architecture": arch, "os": system, "created": args.created, "config": config,
              "rootfs": {"type": "layers", "diff_ids": [digest_of(tar) for tar in tars]}}
    if variant:
        result["variant"] = variant[0]
    return to_json(result)


class Registry:
    def __init__(self, args, host, repository):
        self.repository, self.user = repository, args.user
        self.scope = f"repository:{repository}:pull,push"
        self.context = ssl.create_default_context(cafile=args.cacert) if args.cacert else None
        self.connection = self.connect(host, bool(args.cacert))
        self.authorization = None

    def connect(self, host, tls):
        if tls:
            return http.client.HTTPSConnection(host, timeout=60, context=self.context)
        return http.client.HTTPConnection(host, timeout=60)

    def basic(self):
        return "Basic " + base64.b64encode(self.user.encode()).decode()

    def authorize(self, challenge):
        if challenge.lower().startswith("basic"):
            return self.basic()
        values = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        realm = urllib.parse.urlsplit(values["realm"])
        query = urllib.parse.urlencode({"service": values.get("service", ""), "scope": self.scope})
        connection = self.connect(realm.netloc, realm.scheme == "https")
        connection.request("GET", f"{realm.path}?{query}", headers={"Authorization": self.basic()} if self.user else {})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            sys.exit(f"push_image: {values['realm']} answered {answer.status}: {body.decode(errors='replace')[:300]}")
        return "Bearer " + json.loads(body)["token"]

    def ask(self, method, path, wanted, body=None, content_type=None):
        for attempt in (1, 2):
            headers = {"Content-Type": content_type} if content_type else {}
            if self.authorization:
                headers["Authorization"] = self.authorization
            self.connection.request(method, path, body=body, headers=headers)
            answer = self.connection.getresponse()
            text = answer.read()
            if answer.status == 401 and attempt == 1:
                self.authorization = self.authorize(answer.headers.get("WWW-Authenticate", ""))
                continue
            if answer.status not in wanted:
                sys.exit(f"push_image: {method} {path} answered {answer.status}: {text.decode(errors='replace')[:300]}")
            return answer, text

    def blob(self, data):
        digest = digest_of(data)
        path = f"/v2/{self.repository}/blobs/"
        if self.ask("HEAD", path + digest, (200, 404))[0].status == 404:
            answer, _ = self.ask("POST", path + "uploads/", (202,), b"")
            where = urllib.parse.urlsplit(answer.headers["Location"])
            query = where.query + "&" if where.query else ""
            self.ask("PUT", f"{where.path}?{query}digest={digest}", (201,), data, "application/octet-stream")
        return digest

    def manifest(self, data, content_type, tag):
        digest = digest_of(data)
        self.ask("PUT", f"/v2/{self.repository}/manifests/{tag or digest}", (201,), data, content_type)
        return digest

    def push_image(self, kind, config, layers, tag):
        def described(media_type, data):
            return {"mediaType": media_type, "size": len(data), "digest": self.blob(data)}
        manifest = to_json({"schemaVersion": 2, "mediaType": kind["manifest"],
                            "config": described(kind["config"], config),
                            "layers": [described(kind["layer"], layer) for layer in layers]})
        return self.manifest(manifest, kind["manifest"], tag)

    def push_attestation(self, subject):
        statement = to_json({"_type": "https://in-toto.io/Statement/v0.1", "subject": subject})
        config = to_json({"architecture": "unknown", "os": "unknown", "config": {},
                          "rootfs": {"type": "layers", "diff_ids": [digest_of(statement)]}})
        manifest = to_json({
            "schemaVersion": 2, "mediaType": OCI["manifest"],
            "config": {"mediaType": OCI["config"], "size": len(config), "digest": self.blob(config)},
            "layers": [{"mediaType": "application/vnd.in-toto+json", "size": len(statement), "digest": self.blob(statement),
                        "annotations": {"in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2"}}]})
        return self.manifest(manifest, OCI["manifest"], None)

    def entry(self, text):
        """`linux/arm64/v8=sha256:…` as an entry of an index"""
        platform, digest = text.split("=", 1)
        entry = {"platform": {"architecture": "unknown", "os": "unknown"}}
        if platform == "attestation":
            entry["annotations"] = {"vnd.docker.reference.digest": digest,
                                    "vnd.docker.reference.type": "attestation-manifest"}
            digest = self.push_attestation(digest)
        else:
            entry["platform"] = dict(zip(("os", "architecture", "variant"), platform.split("/")))
        accept = ", ".join((OCI["manifest"], DOCKER["manifest"]))
        self.connection.request("GET", f"/v2/{self.repository}/manifests/{digest}",
                                headers={"Accept": accept, "Authorization": self.authorization or ""})
        answer = self.connection.getresponse()
        data = answer.read()
        if answer.status != 200:
            sys.exit(f"push_image: {self.repository}@{digest} answered {answer.status}: push it before its index")
        return {"mediaType": answer.headers["Content-Type"], "size": len(data), "digest": digest, **entry}

    def push_index(self, kind, texts, tag):
        self.ask("GET", "/v2/", (200,))  # entry() needs the authorization
        if self.user and not self.authorization:
            self.authorization = self.basic()
        index = to_json({"schemaVersion": 2, "mediaType": kind["index"], "manifests": [self.entry(t) for t in texts]})
        return self.manifest(index, kind["index"], tag)


def save(path, reference, config, tars):
    names = [f"{number}.tar" for number in range(len(tars))]
    manifest = to_json([{"Config": "config.json", "RepoTags": [reference], "Layers": names}])
    with open(path, "wb") as file:
        file.write(tar_of([*zip(names, tars), ("config.json", config), ("manifest.json", manifest)]))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reference")
    parser.add_argument("text", nargs="?", help="what its httpd serves at /")
    parser.add_argument("--index", nargs="+", metavar="PLATFORM=DIGEST")
    parser.add_argument("--save", metavar="REF", help="write an archive instead; the first argument is its path")
    parser.add_argument("--oci", action="store_true", help="OCI media types instead of Docker's")
    parser.add_argument("--platform", default="linux/amd64")
    parser.add_argument("--cmd", help="a shell line, or a JSON array")
    parser.add_argument("--port", default="80", help="of its httpd")
    parser.add_argument("--env", action="append", default=[], metavar="K=V")
    parser.add_argument("--label", action="append", default=[], metavar="K=V")
    parser.add_argument("--healthcheck", metavar="SHELL_LINE")
    parser.add_argument("--health-interval", type=int, default=500, metavar="MS")
    parser.add_argument("--health-retries", type=int, default=2)
    parser.add_argument("--health-start-period", type=int, default=0, metavar="MS")
    parser.add_argument("--http-status", type=int, metavar="CODE", help="what its httpd answers at /, with the text")
    # httpd as process 1 ignores SIGTERM: every stop would last ten seconds.
    parser.add_argument("--stop-signal", default="SIGKILL")
    parser.add_argument("--created", default="2024-01-01T00:00:00Z")
    parser.add_argument("--ballast", type=int, default=0, metavar="BYTES", help="of random")
    parser.add_argument("--padding", type=int, default=0, metavar="BYTES", help="of zeros")
    parser.add_argument("--busybox", default="/bin/busybox")
    parser.add_argument("--user", metavar="NAME:PASSWORD")
    parser.add_argument("--cacert", help="use https and trust this CA")
    parser.add_argument("--print", choices=("manifest", "config"), default="manifest", help="which digest")
    args = parser.parse_intermixed_args()
    if (args.text is None) == (args.index is None):
        parser.error("give a text, or --index")
    return args


def main():
    args = arguments()
    kind = OCI if args.oci else DOCKER
    host, _, name = args.reference.partition("/")
    repository, _, tag = name.partition(":")
    if args.index:
        print(Registry(args, host, repository).push_index(kind, args.index, tag))
        return
    tars = layers_of(args)
    config = config_of(args, tars)
    if args.save:
        save(args.reference, args.save, config, tars)
        print(digest_of(config))
        return
    layers = [gzip.compress(tar, 1, mtime=0) for tar in tars]
    manifest = Registry(args, host, repository).push_image(kind, config, layers, tag)
    print(digest_of(config) if args.print == "config" else manifest)


if __name__ == "__main__":
    main()
