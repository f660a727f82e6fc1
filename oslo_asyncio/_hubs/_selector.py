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

"""The standard library's selector loop, as the asyncio and eventlet hubs use it."""

import asyncio
from collections.abc import Callable
from collections.abc import Coroutine
import inspect
from typing import Any

from oslo_asyncio import _listen
from oslo_asyncio._hubs import _loop

#: asyncio receives into 256 KiB; glibc maps and faults a fresh buffer of that
#: size for each recv.  64 KiB took a TCP echo from 18 000 to 47 000 round
#: trips per CPU second.
_RECEIVE_SIZE = 64 * 1024

#: Connections that a stop still accepts; clients that never cease to come must
#: not keep it from going on.  Twice what a listening socket may queue.
_MOST_QUEUED = 8192

#: finished accept coroutines that are kept before somebody looks at them
_MOST_REMEMBERED = 256


class SelectorLoop(_loop.LoopMixin, asyncio.SelectorEventLoop):
    """A selector loop that knows its listening sockets.

    asyncio accepts a connection in one turn of the loop and attaches it to
    its server in the next.  A server that is closed in between loses it:
    AssertionError on 3.11 and 3.12, TypeError on 3.13, and the client is reset.
    :meth:`quiesce` waits for that turn.
    """

    def __init__(self, selector: Any = None) -> None:
        self._listening: dict[Any, tuple[Any, ...]] = {}
        self._accepting: list[Coroutine[Any, Any, None]] = []
        self._accepted = 0
        super().__init__(selector)

    async def quiesce(self) -> None:
        """Accept what is queued, attach it, and close the listening sockets.

        Call it before the servers are closed.  Established connections are
        not touched.
        """
        for sock, arguments in list(self._listening.items()):
            self._accept_all(sock, arguments)
            self._stop_serving(sock)
            sock.close()  # a shared one as well
        turns = 0
        while self._forget_attached():
            # one turn is what it takes, unless a task factory delays its tasks
            await asyncio.sleep(0 if turns < 100 else 0.001)
            turns += 1

    def _accept_all(self, sock: Any, arguments: tuple[Any, ...]) -> None:
        # one call accepts at most a backlog of connections
        before, most = -1, self._accepted + _MOST_QUEUED
        while before != self._accepted < most and sock.fileno() != -1:
            before = self._accepted
            self._accept_connection(*arguments)  # type: ignore[attr-defined]

    # The standard loop's own steps, each with one line of bookkeeping.  They
    # are private, and the same from 3.11 to 3.13; a test drives each of them.

    def _start_serving(
        self, protocol_factory: Callable[..., Any], sock: Any, *args: Any, **kwargs: Any
    ) -> None:
        _listen.keep_backlog(sock)
        self._listening[sock] = (protocol_factory, sock, *args, *kwargs.values())
        super()._start_serving(protocol_factory, sock, *args, **kwargs)  # type: ignore[misc]

    def _stop_serving(self, sock: Any) -> None:
        self._listening.pop(sock, None)
        if sock.fileno() == -1:
            return
        if _listen.is_shared(sock):
            self._remove_reader(sock.fileno())  # type: ignore[attr-defined]
        else:
            super()._stop_serving(sock)  # type: ignore[misc]

    def _accept_connection2(
        self, protocol_factory: Callable[..., Any], conn: Any, *args: Any
    ) -> Coroutine[Any, Any, None]:
        steps: Coroutine[Any, Any, None] = super()._accept_connection2(  # type: ignore[misc]
            protocol_factory, conn, *args
        )
        self._accepted += 1
        self._accepting.append(steps)
        if len(self._accepting) > _MOST_REMEMBERED:
            self._forget_attached()
        return steps

    def _forget_attached(self) -> bool:
        """Whether a connection is accepted and not attached yet.

        Its coroutine attaches it in its first step, or fails there.
        """
        self._accepting = [
            steps
            for steps in self._accepting
            if inspect.getcoroutinestate(steps) == inspect.CORO_CREATED
        ]
        return bool(self._accepting)

    def _make_socket_transport(self, *args: Any, **kwargs: Any) -> Any:
        transport = super()._make_socket_transport(*args, **kwargs)  # type: ignore[misc]
        transport.max_size = _RECEIVE_SIZE
        return transport
