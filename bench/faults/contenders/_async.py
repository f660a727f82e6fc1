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

"""The service as async code, on whatever loop it finds."""

import asyncio
import contextlib
import socket
import time
from typing import Any

from bench.faults.contenders import _plan
from bench.faults.contenders._plan import PLAN

_DRAIN_SECONDS = 1.0


class Service:
    """Answers each connection that sends a line with its pid.

    :param listener: made before the fork; each process serves a duplicate.
    :param conf: the configuration.
    """

    def __init__(self, listener: socket.socket, conf: Any) -> None:
        super().__init__()
        self.listener = listener
        self.conf = conf
        self.begun = False
        self.server: asyncio.Server | None = None
        self.open = 0

    async def start(self) -> None:
        self.begun = True
        _plan.begin()
        await asyncio.sleep(PLAN.start_seconds)
        self.server = await asyncio.start_server(self._answer, sock=self.listener.dup())
        _plan.tell("ready", self.conf.value)

    async def stop(self) -> None:
        if self.begun:
            _plan.tell("stop")
        if self.server is not None:
            await self._drain(self.server)
        if PLAN.close_listener:
            self.listener.close()
        if self.begun:
            await self._work_on()

    async def reset(self) -> None:
        _plan.tell("reset", self.conf.value)

    async def _drain(self, server: asyncio.Server) -> None:
        server.close()
        self.server = None
        deadline = time.monotonic() + _DRAIN_SECONDS
        while self.open and time.monotonic() < deadline:
            await asyncio.sleep(0.01)

    async def _work_on(self) -> None:
        if PLAN.stop_hangs:
            _plan.hang()
        await asyncio.sleep(PLAN.stop_seconds)
        _plan.tell("stopped")

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.open += 1
        try:
            with contextlib.suppress(OSError):
                if await reader.read(100):
                    writer.write(_plan.answer())
                    await writer.drain()
            writer.close()
        finally:
            self.open -= 1
