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

"""Signs of life to a client that monitors its call."""

import asyncio
import contextlib
import logging
from typing import Any

from oslo_asyncio._messaging import beside

LOG = logging.getLogger(__name__)


class Monitor(contextlib.AbstractAsyncContextManager["Monitor"]):
    """While it is entered, heartbeats leave twice in each timeout of the client.

    A timer of the loop, and a thread for the moment of sending: not a thread for
    each call, as in oslo.messaging's own server.

    :param message: whose ``client_timeout`` is in seconds, or None.
    :param sender: where heartbeats are sent.
    """

    def __init__(self, message: Any, sender: beside.Beside) -> None:
        self._message = message
        self._sender = sender
        self._over = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Monitor":
        interval = self._interval()
        if interval:
            self._task = asyncio.create_task(self._beat(interval))
        return self

    async def __aexit__(self, *_exc: object) -> None:
        # no heartbeat after the reply: one that is on its way is waited for
        self._over.set()
        if self._task is not None:
            await self._task

    def _interval(self) -> float:
        timeout = self._message.client_timeout
        if not timeout:
            return 0
        try:
            interval = int(timeout) / 2
        except ValueError:
            interval = 0
        if interval < 1:
            LOG.warning("Client provided an invalid timeout value of %r", timeout)
            return 0
        return interval

    async def _beat(self, interval: float) -> None:
        while True:
            try:
                await asyncio.wait_for(self._over.wait(), interval)
                return
            except TimeoutError:
                pass
            try:
                await self._sender.start(self._message.heartbeat)
            except Exception as error:  # broker or client have gone: it will time out
                LOG.debug("Call-monitor heartbeat failed: %r", error)
                return
