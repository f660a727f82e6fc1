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

"""The worker's end of its channel."""

import asyncio
from typing import Any

from oslo_asyncio import _unpatched
from oslo_asyncio import _wire
from oslo_asyncio._worker import superior


class Channel:
    """Readiness and beats to the supervisor, orders and its death from there.

    :param sock: a native socket; see ``_wire`` for what travels on it.
    """

    supervised = True

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._native = _unpatched.socket
        self._loop: asyncio.AbstractEventLoop | None = None

    def open(self, loop: asyncio.AbstractEventLoop, orders: superior.Orders) -> None:
        """Listen."""
        self._orders = orders
        self._sock.setblocking(False)
        self._loop = loop
        self._loop.add_reader(self._sock.fileno(), self._heard)

    def ready(self) -> None:
        """All services have started."""
        self._send(_wire.READY)

    def reloading(self) -> None:
        """Not for the supervisor: it has ordered it, or need not know."""

    reloaded = reloading

    def leaving(self, seconds: float | None) -> None:
        """The services stop; the supervisor knows how long that may take."""
        self._send(_wire.LEAVING)

    def beat(self, rss: int) -> None:
        """The loop turns."""
        self._send(_wire.BEAT + str(rss).encode())

    def close(self) -> None:
        """Hear no more orders; the end itself is what the supervisor waits for."""
        if self._loop is not None:
            self._loop.remove_reader(self._sock.fileno())
            self._loop = None

    def _send(self, message: bytes) -> None:
        try:
            self._sock.send(message, self._native.MSG_NOSIGNAL)
        except OSError:
            # full, for the supervisor is stopped: a later beat says the same;
            # or gone, which the reader is about to learn
            pass

    def _heard(self) -> None:
        try:
            message = self._sock.recv(_wire.LONGEST)
        except BlockingIOError:
            return
        except OSError:
            message = b""
        if message == _wire.HURRY:
            self._orders.hurry()
        elif message == _wire.MUTATE:
            self._orders.mutate()
        elif not message:
            self.close()
            self._orders.orphaned()
