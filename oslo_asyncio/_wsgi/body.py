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

"""The body of a request as the file that a WSGI application reads."""

from collections.abc import Callable
import io
from typing import Any

from oslo_asyncio import _bridge
from oslo_asyncio import exceptions
from oslo_asyncio._wsgi import exchange as exchange_module

#: bytes of a body that are received before the application is called: its
#: thread, or green thread, does not wait for a slow client
SMALL = 64 * 1024


def is_small(headers: Any) -> bool:
    """Whether a body is to be received first.

    Not if the client waits for "100 Continue": the application may refuse the
    body without reading it.
    """
    found = dict(headers)
    if b"transfer-encoding" in found or b"expect" in found:
        return False
    return int(found.get(b"content-length", 0)) <= SMALL


async def receive(exchange: exchange_module.Exchange) -> bytes:
    """The whole body.

    :raises ClientGone: the client has closed the connection.
    """
    parts = []
    more = True
    while more:
        part, more = await _next(exchange)
        parts.append(part)
    return b"".join(parts)


def stream(
    exchange: exchange_module.Exchange, home: _bridge.LoopHome
) -> io.BufferedReader:
    """A file for sync code, which waits for the client while it reads."""

    def more() -> tuple[bytes, bool]:
        found: tuple[bytes, bool] = _bridge.Bridge(
            home, "wsgi.input.read", lambda: _next(exchange)
        ).wait()
        return found

    return io.BufferedReader(_Stream(more), SMALL)


async def _next(exchange: exchange_module.Exchange) -> tuple[bytes, bool]:
    message = await exchange.receive()
    if message["type"] == "http.disconnect":
        raise exceptions.ClientGone(exchange.name)
    return message.get("body", b""), message.get("more_body", False)


class _Stream(io.RawIOBase):
    """io.BufferedReader makes read(), readline() and the rest of this."""

    def __init__(self, more: Callable[[], tuple[bytes, bool]]) -> None:
        self._more = more
        self._left = b""
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left and not self._ended:
            self._left, more = self._more()
            self._ended = not more
        size = min(len(buffer), len(self._left))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        return size
