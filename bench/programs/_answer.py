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

"""An async service that answers each line; a request takes a while.

On a stop it accepts nothing more and finishes what it has begun.
"""

import asyncio

from bench.programs import _plan


class _Answering(asyncio.Protocol):
    def __init__(self, server: "Server") -> None:
        self.open = server.open

    def connection_made(self, transport) -> None:
        self.transport = transport
        self.open.add(self)

    def data_received(self, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(_plan.DELAY, self.answer, data)

    def answer(self, data: bytes) -> None:
        self.transport.write(data)
        self.transport.close()

    def connection_lost(self, _error) -> None:
        self.open.discard(self)


class Server:
    """Serves on a socket, or does nothing where there is none."""

    def __init__(self, listener) -> None:
        self.listener = listener
        self.open: set[_Answering] = set()
        self.server = None

    async def start(self) -> None:
        if self.listener is not None:
            self.listener.setblocking(False)
            loop = asyncio.get_running_loop()
            made = lambda: _Answering(self)  # noqa: E731
            self.server = await loop.create_server(made, sock=self.listener)

    async def stop(self) -> None:
        if self.server is not None:
            self.server.close()
            for _turn in range(3):  # what is accepted reaches its protocol
                await asyncio.sleep(0)
            while self.open:
                await asyncio.sleep(0.002)
