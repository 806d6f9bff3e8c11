"""The bench that check.sh starts: see there for how, and --help for what.

Everything is real but the engine: docker-registry over TLS, the relay of test/support that makes the network slow, and with
--token nginx in front of the registry, as it stands in front of Harbor, which hands out tokens that were signed before: what
is measured is the client and its round trips, not how fast somebody signs. For curl nginx adds the tokens itself.
The engine is a stand-in that says N containers run just what the registry has.
"""
import argparse
import base64
import collections
import contextlib
import http.client
import http.server
import json
import os
import pathlib
import shutil
import signal
import socket
import socketserver
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
SUPPORT = HERE.parent / "support"
ACCEPT = ("application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, "
          "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json")
CERTIFICATES = pathlib.Path("/etc/ssl/certs")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(*command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options).stdout


def name_of(i):
    """All of one length, so that their order as text is their order."""
    return f"r{i:05}"


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Engine(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """A Docker Engine of whose containers each runs `digest` of an image of its own."""
    daemon_threads = True

    def __init__(self, path, references, digest):
        containers, images = [], []
        for i, reference in enumerate(references):
            image = f"sha256:{i + 1:064x}"
            labels = {f"com.docker.compose.{key}": value for key, value in {
                "project": f"site{i}", "service": "web", "container-number": "1", "oneoff": "False", "version": "2.26.1",
                "config-hash": f"{i:064x}", "image": image, "depends_on": "",
                "project.config_files": f"/srv/site{i}/compose.yaml", "project.working_dir": f"/srv/site{i}"}.items()}
            containers.append({
                "Id": f"{i + 1:064x}", "Names": [f"/site{i}-web-1"], "Image": reference, "ImageID": image,
                "Command": "/bin/httpd -f -p 80 -h /www", "Created": 1700000000 + i, "State": "running", "Status": "Up 2 hours",
                "Ports": [{"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 10000 + i, "Type": "tcp"}], "Labels": labels,
                "HostConfig": {"NetworkMode": f"site{i}_default"}, "Mounts": [],
                "NetworkSettings": {"Networks": {f"site{i}_default": {
                    "IPAMConfig": None, "Links": None, "Aliases": None, "NetworkID": f"{i:064x}", "EndpointID": f"{i:064x}",
                    "Gateway": "172.18.0.1", "IPAddress": "172.18.0.2", "IPPrefixLen": 16, "IPv6Gateway": "",
                    "GlobalIPv6Address": "", "GlobalIPv6PrefixLen": 0, "MacAddress": "02:42:ac:12:00:02", "DriverOpts": None}}}})
            repository = reference.rsplit(":", 1)[0]
            images.append({
                "Id": image, "ParentId": "", "RepoTags": [reference], "RepoDigests": [f"{repository}@{digest}"],
                "Created": 1700000000, "Size": 1048576, "SharedSize": -1, "VirtualSize": 1048576, "Containers": -1,
                "Labels": {"org.opencontainers.image.version": "1.0.0", "org.opencontainers.image.revision": "0" * 40}})
        self.answers = {"/_ping": b"OK", "/containers/json": json.dumps(containers).encode(),
                        "/images/json": json.dumps(images).encode(), "/info": b"{}"}
        super().__init__(path, EngineHandler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class EngineHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def address_string(self):
        return "local"

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass

    def do_GET(self):
        path = self.path.split("?")[0]
        body = self.server.answers.get(path if path == "/_ping" else "/" + path.split("/", 2)[2])
        self.send_response_only(200 if body is not None else 404)
        self.send_header("Api-Version", "1.45")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body or b"")
        self.wfile.flush()

    do_HEAD = do_GET


class Bench:
    def __init__(self, folder, options):
        self.folder, self.options = folder, options
        self.children = []
        self.log = folder / "registry.log"
        self.port = free_port()
        self.certificates()
        self.push()
        if options.token:
            self.back, self.access = free_port(), folder / "access.log"
            self.start_registry(self.back, f"auth: {{token: {{realm: unused, autoredirect: true, service: bench, issuer: bench, "
                                           f"rootcertbundle: {folder}/sign.pem}}}}", tls=False)
            self.start_nginx()
        else:
            self.access = self.log
            self.start_registry(self.port, "", tls=True)
        self.ports = {0: self.port}

    def certificates(self):
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        at = self.folder
        run("openssl", "req", "-x509", *key, "-days", "2", "-subj", "/CN=CA of the bench", "-keyout", f"{at}/ca.key", "-out", f"{at}/ca.pem")
        run("openssl", "req", *key, "-subj", "/CN=127.0.0.1", "-keyout", f"{at}/tls.key", "-out", f"{at}/tls.csr")
        (at / "san").write_text("subjectAltName=IP:127.0.0.1")
        run("openssl", "x509", "-req", "-in", f"{at}/tls.csr", "-CA", f"{at}/ca.pem", "-CAkey", f"{at}/ca.key", "-CAcreateserial",
            "-days", "2", "-extfile", f"{at}/san", "-out", f"{at}/tls.pem")
        run("openssl", "req", "-x509", *key, "-days", "2", "-subj", "/CN=bench", "-keyout", f"{at}/sign.key", "-out", f"{at}/sign.pem")
        # As update-ca-certificates leaves it: in the bundle, and in the folder under its hash.
        shutil.copytree(CERTIFICATES, at / "certs", symlinks=True)
        with open(at / "certs/ca-certificates.crt", "a", encoding="utf-8") as bundle:
            bundle.write((at / "ca.pem").read_text())
        shutil.copy(at / "ca.pem", at / "certs" / (run("openssl", "x509", "-noout", "-hash", "-in", f"{at}/ca.pem").strip() + ".0"))
        run("mount", "--bind", f"{at}/certs", str(CERTIFICATES))

    def spawn(self, *command, log):
        with open(log, "ab") as out:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        self.children.append(child)
        return child

    def wait_for(self, port, child, log):
        end = time.monotonic() + 30
        while time.monotonic() < end and child.poll() is None:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            time.sleep(0.02)
        sys.exit(f"{child.args[0]} did not come up:\n{log.read_text()}")

    def start_registry(self, port, auth, tls):
        at = self.folder
        self.log.write_text("")
        (at / "registry.yml").write_text("\n".join([
            "version: 0.1", "log: {level: info, formatter: json, accesslog: {disabled: true}}",
            f"storage: {{filesystem: {{rootdirectory: {at}/data}}, maintenance: {{uploadpurging: {{enabled: false}}}}}}",
            f"http: {{addr: '127.0.0.1:{port}', secret: none" +
            (f", tls: {{certificate: {at}/tls.pem, key: {at}/tls.key}}}}" if tls else "}"), auth, ""]))
        child = self.spawn("docker-registry", "serve", f"{at}/registry.yml", log=self.log)
        self.wait_for(port, child, self.log)
        return child

    def push(self):
        """One image for real; the other repositories are copies of its folder, as the registry keeps them."""
        port = free_port()
        child = self.start_registry(port, "", tls=False)
        output = run(sys.executable, "-I", str(SUPPORT / "push_image.py"), f"127.0.0.1:{port}/bench/{name_of(0)}:latest", "bench")
        self.digest = output.split()[-1]
        child.terminate()
        child.wait()
        repositories = self.folder / "data/docker/registry/v2/repositories/bench"
        for i in range(1, max(self.options.n)):
            shutil.copytree(repositories / name_of(0), repositories / name_of(i), copy_function=os.link)

    def start_nginx(self):
        at = self.folder
        # For one scope a token for that repository, for several one for it and the nine that follow.
        tokens = {}
        for how_many in (1, 10):
            (at / f"tokens/{how_many}").mkdir(parents=True)
            for i in range(max(self.options.n)):
                tokens[how_many, i] = self.token([f"bench/{name_of(k)}" for k in range(i, i + how_many)])
                (at / f"tokens/{how_many}/{name_of(i)}.json").write_text(json.dumps({"token": tokens[how_many, i], "expires_in": 3600}))
        ready = " ".join(f'/v2/bench/{name_of(i)}/manifests/latest "{tokens[1, i]}";' for i in range(max(self.options.n)))
        (at / "nginx.conf").write_text(f"""
            user root; daemon off; pid {at}/nginx.pid; error_log {at}/nginx.log; worker_processes 1;
            events {{ worker_connections 4096; }}
            http {{
                log_format bench '$connection $request_method $request_uri $status'; access_log {self.access} bench;
                client_body_temp_path {at}/tmp; proxy_temp_path {at}/tmp; fastcgi_temp_path {at}/tmp; scgi_temp_path {at}/tmp;
                uwsgi_temp_path {at}/tmp; keepalive_requests 100000; http2_max_concurrent_streams 250;
                map_hash_max_size 8192; map_hash_bucket_size 128;
                map $uri $ready {{ {ready} }}
                map $args $how_many {{ default 1; "~scope=.*&scope=" 10; }}
                map $http_x_bench $authorization {{ default $http_authorization; ready "Bearer $ready"; }}
                upstream registry {{ server 127.0.0.1:{self.back}; keepalive 64; }}
                server {{
                    listen 127.0.0.1:{self.port} ssl http2; ssl_certificate {at}/tls.pem; ssl_certificate_key {at}/tls.key;
                    default_type application/json;
                    location /v2/ {{
                        proxy_pass http://registry; proxy_http_version 1.1; proxy_set_header Connection "";
                        proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto https;
                        proxy_set_header Authorization $authorization;
                    }}
                    location = /auth/token {{
                        if ($arg_scope !~* "^repository(:|%3A)bench(/|%2F)(?<name>r[0-9]+)(:|%3A)pull$") {{ return 400; }}
                        root {at}/tokens/$how_many; try_files /$name.json =404;
                    }}
                }}
            }}""")
        self.wait_for(self.port, self.spawn("nginx", "-c", f"{at}/nginx.conf", "-e", f"{at}/nginx.log", log=at / "nginx.log"), at / "nginx.log")

    def token(self, repositories):
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
        key = serialization.load_pem_private_key((self.folder / "sign.key").read_bytes(), None)
        certificate = ssl.PEM_cert_to_DER_cert((self.folder / "sign.pem").read_text())
        now = int(time.time())
        claims = {"iss": "bench", "sub": "", "aud": "bench", "exp": now + 36000, "nbf": now - 10, "iat": now, "jti": repositories[0],
                  "access": [{"type": "repository", "name": repository, "actions": ["pull"]} for repository in repositories]}
        header = {"typ": "JWT", "alg": "ES256", "x5c": [base64.b64encode(certificate).decode()]}
        signed = b64url(json.dumps(header).encode()) + "." + b64url(json.dumps(claims).encode())
        r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return signed + "." + b64url(r.to_bytes(32, "big") + s.to_bytes(32, "big"))

    def port_at(self, rtt):
        if rtt not in self.ports:
            port = free_port()
            log = self.folder / "relay.log"
            child = self.spawn(sys.executable, "-I", str(SUPPORT / "relay.py"), str(port), str(self.port), str(rtt), log=log)
            self.wait_for(port, child, log)
            self.ports[rtt] = port
        return self.ports[rtt]

    def counted(self, offset):
        """(requests by method, connections) since the log was that long."""
        time.sleep(0.15)  # the last line is written after the answer
        methods, connections = collections.Counter(), set()
        with open(self.access, encoding="utf-8") as file:
            file.seek(offset)
            for line in file:
                if self.options.token:
                    connection, method, path, status = line.split()
                    method = "token" if path.startswith("/auth/token") else "401" if status == "401" else method
                else:
                    entry = json.loads(line) if line.startswith("{") else {}
                    if entry.get("msg") != "response completed":
                        continue
                    connection, method = entry["http.request.remoteaddr"], entry["http.request.method"]
                methods[method] += 1
                connections.add(connection)
        return methods, len(connections)

    def stop(self):
        for child in self.children:
            child.terminate()
        for child in self.children:
            child.wait()


class Case:
    """N references at one round trip time, and who is asked to check them."""

    def __init__(self, bench, n, rtt):
        self.bench, self.n = bench, n
        self.at = bench.folder / f"case-{n}-{rtt}"
        (self.at / "etc/conf.d").mkdir(parents=True)
        self.host = f"127.0.0.1:{bench.port_at(rtt)}"
        references = [f"{self.host}/bench/{name_of(i)}:latest" for i in range(n)]
        for i, reference in enumerate(references):
            (self.at / f"etc/conf.d/site{i}.toml").write_text(f'image = "{reference}"\n')
        self.engine = Engine(str(self.at / "engine.sock"), references, bench.digest)
        options = bench.options
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.at), "LC_ALL": "C", "DOCKER_HOST": f"unix://{self.at}/engine.sock"}
        base = [options.tallyman, "--config", str(self.at / "etc"), "--state", str(self.at / "state"), "--status-file", str(self.at / "status.json")]
        lines = ["parallel", f"parallel-max = {options.parallel_max}", "silent", "show-error", "fail", "http2", "head", f'header = "Accept: {ACCEPT}"']
        lines += ['header = "X-Bench: ready"'] * options.token
        for i in range(n):
            lines += [f'url = "https://{self.host}/v2/bench/{name_of(i)}/manifests/latest"', f'output = "{self.at}/answers/{name_of(i)}"']
        (self.at / "answers").mkdir()
        (self.at / "curl.conf").write_text("\n".join(lines) + "\n")
        self.programs = {"tallyman": [*base, "check"], "curl": ["curl", "-K", str(self.at / "curl.conf")]}
        if options.with_skopeo and n <= options.skopeo_up_to:
            (self.at / "list").write_text("".join(f"docker://{reference}\n" for reference in references))
            self.programs["skopeo"] = ["xargs", "-P8", "-n1", "-a", str(self.at / "list"), "skopeo", "inspect", "--raw"]
        (self.at / "state").mkdir(mode=0o700)
        self.measure([*base, "run"])  # what a tick remembers

    def measure(self, command):
        offset = self.bench.access.stat().st_size
        with open(self.at / "output", "w+", encoding="utf-8") as output:
            began = time.perf_counter()
            child = subprocess.run(["/usr/bin/time", "-q", "-o", str(self.at / "time"), "-f", "%U %S %M", *command], env=self.environment,
                                   stdout=output, stderr=output, check=False)
            wall = time.perf_counter() - began
            output.seek(0)
            if child.returncode:
                sys.exit(f"{command[0]} ended with {child.returncode}:\n{output.read()[-2000:]}")
        user, system, peak = (self.at / "time").read_text().split()
        methods, connections = self.bench.counted(offset)
        return {"wall": wall, "cpu": float(user) + float(system), "peak": int(peak) / 1024, "methods": methods, "connections": connections}

    def run(self, runs):
        results = {name: [] for name in self.programs}
        for _ in range(runs):
            for name, command in self.programs.items():
                results[name].append(self.measure(command))
        return results


def row(n, rtt, name, results, yardstick):
    def median(key):
        return statistics.median(result[key] for result in results)
    requests = ", ".join(f"{count} {method}" for method, count in sorted(results[-1]["methods"].items()))
    ratio = median("wall") / statistics.median(result["wall"] for result in yardstick)
    more = median("peak") - statistics.median(result["peak"] for result in yardstick)
    return (f"{n:5} {rtt:4} ms  {name:9} {median('wall') * 1000:8.0f} ms  x{ratio:5.2f}  {median('cpu') * 1000:6.0f} ms cpu  "
            f"{median('peak'):6.1f} MiB ({more:+6.1f})  {median('connections'):3.0f} conn  {requests}")


def numbers(text):
    return [int(part) for part in text.split(",")]


def main():
    parser = argparse.ArgumentParser(prog="check.sh", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=numbers, default=[1, 10, 100, 1000], metavar="N,N", help="how many references")
    parser.add_argument("--rtt", type=numbers, default=[0, 10, 50], metavar="MS,MS", help="round trip times")
    parser.add_argument("--runs", type=int, default=5, help="of each, by turns; medians are printed")
    parser.add_argument("--parallel-max", type=int, default=100, metavar="N", help="of curl; above 100 it opens a connection for each")
    parser.add_argument("--token", action="store_true", help="every repository wants a token")
    parser.add_argument("--with-skopeo", action="store_true", help="xargs -P8 skopeo inspect, too")
    parser.add_argument("--skopeo-up-to", type=int, default=100, metavar="N")
    options = parser.parse_args()
    options.tallyman = os.environ.get("TALLYMAN", "")
    needed = ["docker-registry", "curl", "openssl", "/usr/bin/time"] + ["nginx"] * options.token + ["skopeo"] * options.with_skopeo
    missing = [name for name in needed if not shutil.which(name)]
    if missing or not os.access(options.tallyman, os.X_OK):
        sys.exit(f"missing: {', '.join(missing) or 'TALLYMAN=path/to/tallyman'}; packaging/install-deps.sh test installs what is needed")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    with tempfile.TemporaryDirectory(prefix="tmbench-") as folder:
        bench = Bench(pathlib.Path(folder), options)
        try:
            for n in options.n:
                for rtt in options.rtt:
                    results = Case(bench, n, rtt).run(options.runs)
                    for name, measured in results.items():
                        print(row(n, rtt, name, measured, results["curl"]), flush=True)
        finally:
            bench.stop()
            run("umount", str(CERTIFICATES))


if __name__ == "__main__":
    main()
