#!/usr/bin/env python3
"""An HTTPS server for unit tests, HTTP/1.1 with kept connections, on 127.0.0.1.

tls_server.py CERT KEY [CLIENT_CA [optional]]

Prints its port, and ends when its stdin ends. Answers every GET and HEAD with
"CONNECTION CLIENT": the number of the connection, and the common name of the
client's certificate or "-".
"""
import http.server
import itertools
import ssl
import sys
import threading

numbers = itertools.count(1)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def setup(self):
        super().setup()
        self.number = next(numbers)

    def answer(self, with_body):
        shown = self.connection.getpeercert() or {}
        names = [value for part in shown.get("subject", ()) for key, value in part if key == "commonName"]
        body = f"{self.number} {(names or ['-'])[0]}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Docker-Content-Digest", "sha256:" + "a" * 64)
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def do_GET(self):
        self.answer(True)

    def do_HEAD(self):
        self.answer(False)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    if len(sys.argv) > 3:
        context.load_verify_locations(sys.argv[3])
        context.verify_mode = ssl.CERT_OPTIONAL if len(sys.argv) > 4 else ssl.CERT_REQUIRED
    server = Server(("127.0.0.1", 0), Handler)
    # The handshake belongs to the connection's own thread.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


main()
