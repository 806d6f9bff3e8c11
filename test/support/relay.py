#!/usr/bin/python3
"""A relay that makes loopback as slow as a network: bytes arrive half a round trip after they were sent.

    relay.py LISTEN_PORT TARGET_PORT ROUND_TRIP_MS

What a client sends first arrives one round trip later than that, as if its connection had to be made over the same
network. Bandwidth is not limited. Prints "ready" once it listens and "connection" for each; ends with SIGTERM.
"""
import asyncio
import socket
import sys


class Side(asyncio.Protocol):
    """What comes in here goes out at `peer`, later."""

    def __init__(self, relay):
        self.relay = relay
        self.transport = self.peer = None
        self.waiting = []  # until there is a peer
        self.not_before = 0.0

    def connection_made(self, transport):
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data):
        self.pass_on(lambda: self.peer.transport.write(data))

    def eof_received(self):
        self.pass_on(lambda: self.peer.transport.can_write_eof() and self.peer.transport.write_eof())
        return True

    def connection_lost(self, exc):
        self.pass_on(lambda: self.peer.transport.close())

    def pass_on(self, action):
        loop = asyncio.get_running_loop()
        at = max(loop.time() + self.relay.delay, self.not_before)
        self.not_before = at + 1e-7  # the loop keeps no order among equals
        loop.call_at(at, self.perform, action)

    def perform(self, action):
        if self.peer is None:
            self.waiting.append(action)
        elif self.peer.transport is not None and not self.peer.transport.is_closing():
            action()

    def joined(self, peer):
        self.peer = peer
        for action in self.waiting:
            self.perform(action)
        self.waiting.clear()


class Client(Side):
    def connection_made(self, transport):
        super().connection_made(transport)
        print("connection", flush=True)
        self.is_first = True
        asyncio.ensure_future(self.connect())

    def data_received(self, data):
        # From here, not from when it connected: what it worked on in between comes after the connection at home.
        if self.is_first:
            self.not_before = asyncio.get_running_loop().time() + 3 * self.relay.delay
            self.is_first = False
        super().data_received(data)

    async def connect(self):
        try:
            _, server = await asyncio.get_running_loop().create_connection(
                lambda: Side(self.relay), "127.0.0.1", self.relay.target)
        except OSError:
            self.transport.abort()
            return
        server.joined(self)
        self.joined(server)


class Relay:
    def __init__(self, target, round_trip_ms):
        self.target = target
        self.delay = round_trip_ms / 2000


async def main():
    port, target, round_trip_ms = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    relay = Relay(target, round_trip_ms)
    server = await asyncio.get_running_loop().create_server(lambda: Client(relay), "127.0.0.1", port, backlog=512)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
