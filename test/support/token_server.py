#!/usr/bin/python3
"""A small signing token server for the tests: the GHCR and Harbor flow against a real docker-registry.

GET /token?service=…&scope=repository:NAME:ACTIONS answers a JWT (RS256, x5c) that docker-registry accepts.
POST /token with grant_type=refresh_token does so for an identity token; it answers 404 while no user has one.
Everybody may pull public/*; a user may do what the users file allows. With --backend everything else is passed on to
the registry there, so that registry and realm share one host:port, as Harbor has it. Each request is one line of
JSON in the access log; secrets are not in it.

The users file is read for each request; what a user is given is over after expires_in seconds, before now if negative,
and for the first so many of the scopes:
    {"USER": {"password": "…", "pull": ["team/*"], "push": ["*"], "identity_token": "…", "expires_in": 300, "scopes": 1}}
"""
import argparse
import base64
import fnmatch
import http.client
import http.server
import json
import secrets
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "te", "upgrade", "date", "server"}


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


class Signer:
    def __init__(self, args):
        self.args = args
        with open(args.cert, encoding="ascii") as file:
            der = ssl.PEM_cert_to_DER_cert(file.read())
        self.header = b64url(json.dumps({"typ": "JWT", "alg": "RS256", "x5c": [base64.b64encode(der).decode()]}).encode())

    def token(self, subject, access, now, expires_in):
        claims = {"iss": self.args.issuer, "sub": subject, "aud": self.args.service, "exp": now + expires_in,
                  "nbf": now - 10, "iat": now, "jti": secrets.token_hex(8), "access": access}
        signed = self.header + b"." + b64url(json.dumps(claims).encode())
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.args.key], input=signed,
                                   stdout=subprocess.PIPE, check=True).stdout
        return (signed + b"." + b64url(signature)).decode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    args = signer = log = None
    log_lock = threading.Lock()

    def log_message(self, format, *arguments):  # pylint: disable=redefined-builtin
        pass

    def note(self, status, user=None):
        path, _, query = self.path.partition("?")
        line = {"method": self.command, "path": path, "query": query, "status": status, "user": user,
                "authorization": (self.headers.get("Authorization") or "none").split(" ")[0],
                "agent": self.headers.get("User-Agent")}
        with self.log_lock:
            self.log.write(json.dumps(line) + "\n")
            self.log.flush()

    def answer(self, status, headers, body, user=None):
        self.note(status, user)  # before the answer: a test may read the log as soon as it has that
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        if not any(name.lower() == "content-length" for name, _ in headers):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def answer_json(self, status, value, user=None, headers=()):
        self.answer(status, [("Content-Type", "application/json"), *headers], json.dumps(value).encode(), user)

    def who(self, users):
        """(name, rights) | (None, anonymous rights) | None for a wrong password"""
        authorization = self.headers.get("Authorization")
        if not authorization:
            return None, {}
        try:
            scheme, value = authorization.split(" ", 1)
            name, password = base64.b64decode(value).decode().split(":", 1)
        except ValueError:
            return None
        known = users.get(name)
        if scheme.lower() != "basic" or not known or known["password"] != password:
            return None
        return name, known

    def granted(self, scope, rights):
        kind, _, rest = scope.partition(":")
        name, _, actions = rest.rpartition(":")

        def allowed(action):
            globs = rights.get(action, []) + (["public/*"] if action == "pull" else [])
            return any(fnmatch.fnmatchcase(name, glob) for glob in globs)
        actions = [a for a in actions.split(",") if a in ("pull", "push") and allowed(a)]
        return {"type": kind, "name": name, "actions": actions} if kind == "repository" and actions else None

    def whose(self, users, form):
        """the same for an identity token"""
        if form.get("grant_type") == ["refresh_token"]:
            for name, known in users.items():
                if "identity_token" in known and form.get("refresh_token") == [known["identity_token"]]:
                    return name, known
        return None

    def do_token(self, body):
        with open(self.args.users, encoding="utf-8") as file:
            users = json.load(file)
        if self.command == "GET":
            question = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
            identity = self.who(users)
        elif any("identity_token" in user for user in users.values()):
            question = urllib.parse.parse_qs(body.decode())
            identity = self.whose(users, question)
        else:
            self.answer_json(404, {"errors": [{"code": "NOT_FOUND", "message": "no POST here"}]})
            return
        if identity is not None:
            self.give_token(question, *identity)
        elif self.command == "GET":
            self.answer_json(401, {"errors": [{"code": "UNAUTHORIZED", "message": "incorrect username or password"}]},
                             headers=[("WWW-Authenticate", 'Basic realm="token"')])
        else:  # RFC 6749, 5.2
            self.answer_json(400, {"error": "invalid_grant", "error_description": "this token was revoked"})

    def give_token(self, question, user, rights):
        if question.get("service") != [self.args.service]:
            self.answer_json(400, {"errors": [{"code": "UNSUPPORTED", "message": "wrong service"}]}, user)
            return
        scopes = [s for value in question.get("scope", []) for s in value.split(" ")][:rights.get("scopes")]
        access = [a for a in (self.granted(s, rights) for s in scopes) if a]
        now = int(time.time())
        expires_in = rights.get("expires_in", self.args.expires_in)
        token = self.signer.token(user or "", access, now, expires_in)
        everything = {"token": token, "access_token": token, "expires_in": expires_in,
                      "issued_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))}
        self.answer_json(200, {k: v for k, v in everything.items() if k in self.args.fields.split(",")}, user)

    def read_body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body

    def do_any(self):
        body = self.read_body()
        if urllib.parse.urlsplit(self.path).path == "/token" and self.command in ("GET", "POST"):
            self.do_token(body)
            return
        if not self.args.backend:
            self.answer_json(404, {"errors": [{"code": "NOT_FOUND", "message": "only /token is here"}]})
            return
        connection = http.client.HTTPConnection(self.args.backend, timeout=120)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():  # not a dict: Docker sends several Accept lines
                if name.lower() not in HOP_BY_HOP:
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            data = answer.read()
        except OSError as error:
            self.answer_json(502, {"errors": [{"code": "UNAVAILABLE", "message": str(error)}]})
            return
        finally:
            connection.close()
        kept = [(k, v) for k, v in answer.getheaders() if k.lower() not in HOP_BY_HOP]
        if self.command == "HEAD" and answer.headers.get("Content-Length"):
            kept.append(("Content-Length", answer.headers["Content-Length"]))
        self.answer(answer.status, kept, data)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_any


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def finish_request(self, request, client_address):
        if self.tls:  # here, in the connection's own thread: a slow handshake must not hold up the others
            with self.tls.wrap_socket(request, server_side=True) as wrapped:
                super().finish_request(wrapped, client_address)
        elif request.recv(1, socket.MSG_PEEK) == b"\x16":
            # A TLS hello: say in plain words that this is http, or clients won't try that next (or wait for ever).
            request.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")
        else:
            super().finish_request(request, client_address)

    def handle_error(self, request, client_address):
        pass  # a client that hung up


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listen", required=True, metavar="HOST:PORT")
    parser.add_argument("--backend", metavar="HOST:PORT", help="a registry to stand in front of")
    parser.add_argument("--users", required=True)
    parser.add_argument("--key", required=True, help="PEM, signs the tokens")
    parser.add_argument("--cert", required=True, help="PEM, the registry's rootcertbundle")
    parser.add_argument("--issuer", required=True)
    parser.add_argument("--service", required=True)
    parser.add_argument("--access-log", required=True)
    parser.add_argument("--tls-cert")
    parser.add_argument("--tls-key")
    parser.add_argument("--expires-in", type=int, default=300)
    parser.add_argument("--fields", default="token,access_token,expires_in,issued_at", help="what the answer holds")
    args = parser.parse_args()
    host, port = args.listen.rsplit(":", 1)
    Handler.args, Handler.signer = args, Signer(args)
    Handler.log = open(args.access_log, "a", encoding="utf-8")  # pylint: disable=consider-using-with
    Server.tls = None
    if args.tls_cert:
        Server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        Server.tls.load_cert_chain(args.tls_cert, args.tls_key)
    Server((host, int(port)), Handler).serve_forever()


if __name__ == "__main__":
    main()
