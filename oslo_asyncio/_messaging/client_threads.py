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

"""Where the blocking half of a client runs: beside the loop, and not in crowds.

A native pool on the hubs whose sync code is native.  Where the standard library
is green the connections of oslo.messaging are green as well, and must be used
in green threads; these have no pool of their own, and a thousand of them would
besiege thirty connections.
"""

import asyncio
import collections
from collections.abc import Callable
import contextvars
import functools
from typing import Any
import weakref

from oslo_asyncio import _unpatched
from oslo_asyncio import executor
from oslo_asyncio import hub

#: Calls in flight: each needs one for as long as it takes to send it.
SEND = "rpc_send"
#: Calls in flight with a driver that only knows how to wait in a thread.
WAIT = "rpc_wait"

#: The broker confirms each message, and is quick about it: a thousand of them took
#: 0.65 s with 2 threads, 0.79 s with 8 and 0.84 s with 16, with 2 cores and RabbitMQ.
#: Eight leave room for serializers that wait.
_SIZES = {SEND: 8, WAIT: 64}

_gates: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, _Gate]]"
_gates = weakref.WeakKeyDictionary()


def submit(pool: str, func: Callable[[], Any]) -> asyncio.Future[Any]:
    """Run ``func()`` beside the running loop, soon.

    :param pool: :data:`SEND` or :data:`WAIT`.
    :returns: its result; cancelled before ``func`` was begun, it never is.
    """
    loop = asyncio.get_running_loop()
    if not _unpatched.patched():
        return executor.add_pool(pool, _SIZES[pool]).submit(loop, func)
    gates = _gates.setdefault(loop, {})
    if pool not in gates:
        gates[pool] = _Gate(_SIZES[pool])
    return gates[pool].submit(loop, func)


class _Gate:
    """At most ``limit`` green threads at a time, first come first served."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._running = 0
        self._queue: collections.deque[tuple[asyncio.Future[Any], Any]]
        self._queue = collections.deque()

    def submit(
        self, loop: asyncio.AbstractEventLoop, func: Callable[[], Any]
    ) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = loop.create_future()
        run = functools.partial(contextvars.copy_context().run, func)
        self._queue.append((future, run))
        self._next()
        return future

    def _next(self) -> None:
        while self._queue and self._running < self._limit:
            future, run = self._queue.popleft()
            if not future.done():
                self._running += 1
                task = hub.find().spawn_sync(run)
                task.add_done_callback(functools.partial(self._done, future))

    def _done(self, future: asyncio.Future[Any], task: asyncio.Future[Any]) -> None:
        self._running -= 1
        self._next()
        error = task.exception()
        if future.done():
            return
        if error is None:
            future.set_result(task.result())
        else:
            future.set_exception(error)
