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

"""An echo server: with protocols, with streams, or with green sockets."""

import asyncio
import os
import socket

from bench.inside import loops


class Echo(asyncio.Protocol):
    def connection_made(self, transport) -> None:
        self.write = transport.write

    def data_received(self, data: bytes) -> None:
        self.write(data)


async def _protocols(listener) -> None:
    await asyncio.get_running_loop().create_server(Echo, sock=listener)


async def _streams(listener) -> None:
    async def serve(reader, writer) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    await asyncio.start_server(serve, sock=listener)


def _green(listener) -> None:
    import eventlet
    from eventlet.greenio import GreenSocket

    def serve(connection) -> None:
        while data := connection.recv(65536):
            connection.sendall(data)

    green = listener if isinstance(listener, GreenSocket) else GreenSocket(listener)
    while True:
        eventlet.spawn_n(serve, green.accept()[0])


def run(contender: str, style: str) -> None:
    """Serve for ever, on the port that is printed."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    os.write(1, b"%d\n" % listener.getsockname()[1])
    if contender in loops.GREEN:
        loops.run_green(contender, lambda: _green(listener))

    async def main() -> None:
        listener.setblocking(False)
        await (_streams if style == "streams" else _protocols)(listener)
        await asyncio.get_running_loop().create_future()

    loops.run(contender, main)
