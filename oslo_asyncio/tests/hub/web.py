# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""A client that says every byte itself, and servers that end with their test."""

import asyncio
import contextlib
import socket
import struct
import threading

from oslo_asyncio import _unpatched
from oslo_asyncio import wsgi

#: a test that waits for longer has failed
LIMIT = 30


class Response:
    """Status, headers and body of one answer."""

    def __init__(self, head, body):
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1])
        pairs = [line.split(": ", 1) for line in lines[1:] if line]
        self.headers = {name.lower(): value for name, value in pairs}
        self.body = body


class Client:
    """One connection."""

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer

    def say(self, *lines, body=b""):
        """Send a request: its line, headers, an empty line and the body."""
        head = "".join(f"{line}\r\n" for line in (*lines, ""))
        self.writer.write(head.encode("latin-1") + body)

    def ask(self, path="/", *headers, method="GET", body=b""):
        """Send a request for this host."""
        if body:
            headers = (*headers, f"Content-Length: {len(body)}")
        self.say(f"{method} {path} HTTP/1.1", "Host: test", *headers, body=body)

    async def head(self):
        async with asyncio.timeout(LIMIT):
            return await self.reader.readuntil(b"\r\n\r\n")

    async def answer(self, bodiless=False):
        """The next response, whole."""
        head = await self.head()
        found = Response(head, b"")
        if bodiless or found.status in (204, 304) or found.status < 200:
            return found
        async with asyncio.timeout(LIMIT):
            if "content-length" in found.headers:
                size = int(found.headers["content-length"])
                found.body = await self.reader.readexactly(size)
            elif "transfer-encoding" in found.headers:
                while part := await self.chunk():
                    found.body += part
            else:
                found.body = await self.reader.read()
        return found

    async def chunk(self):
        """The next chunk of a chunked body; empty at its end."""
        async with asyncio.timeout(LIMIT):
            size = int(await self.reader.readline(), 16)
            part = await self.reader.readexactly(size)
            await self.reader.readline()
        return part

    async def rest(self):
        """What comes until the server closes; None if it resets."""
        try:
            async with asyncio.timeout(LIMIT):
                return await self.reader.read()
        except ConnectionError:
            return None

    def reset(self):
        """Go away as a machine that is switched off and on."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def close(self):
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


@contextlib.asynccontextmanager
async def connected(server, **options):
    """A client of the server."""
    if server.socket.family == socket.AF_UNIX:
        client = Client(*await asyncio.open_unix_connection(server.host, **options))
    else:
        made = await asyncio.open_connection(server.host, server.port, **options)
        client = Client(*made)
    try:
        yield client
    finally:
        await client.close()


@contextlib.asynccontextmanager
async def served(conf, app, kind=wsgi.Server, **options):
    """A server that is stopped afterwards."""
    if options.get("socket_family") != socket.AF_UNIX:
        options.setdefault("host", "127.0.0.1")
    server = kind(conf, "test", app, **options)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
        async with asyncio.timeout(LIMIT):
            await server.wait()
        server.socket.close()


def text(answer, status="200 OK", headers=()):
    """A WSGI application that always answers the same."""

    def app(environ, start_response):
        start_response(status, [("Content-Type", "text/plain"), *headers])
        return [answer]

    return app


class Gate:
    """Where sync code waits, on every hub, until the test opens it."""

    def __init__(self):
        self._loop = asyncio.get_running_loop()
        self._entered = asyncio.Queue()
        self._open = threading.Event()  # a green one where the code is green

    def __call__(self):
        self._loop.call_soon_threadsafe(self._entered.put_nowait, None)
        assert self._open.wait(LIMIT), "nobody opened the gate"

    async def reached(self, count=1):
        """Wait until so many more calls are here."""
        async with asyncio.timeout(LIMIT):
            for _ in range(count):
                await self._entered.get()

    def open(self):
        self._open.set()


def say_it_all_first(server, data):
    """What a blocking client reads that sends everything before it looks."""
    with _unpatched.socket.create_connection((server.host, server.port), LIMIT) as sock:
        sock.sendall(data)
        with sock.makefile("rb") as file:
            return file.readline()
