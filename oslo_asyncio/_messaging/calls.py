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

"""The calls that a server has taken and not finished yet."""

import asyncio
import collections
from collections.abc import Callable
from collections.abc import Coroutine
import contextvars
import logging
import threading
from typing import Any

from oslo_asyncio import _bridge
from oslo_asyncio import exceptions

LOG = logging.getLogger(__name__)

#: What begins a call: a coroutine that ends when its reply has left.
Serve = Callable[[Any], Coroutine[Any, Any, None]]

#: seconds between two signs of life to a broker while no call is taken
_BREATH = 10.0


class Calls:
    """From the driver's thread to tasks of the loop, so many at the same time.

    :param home: the loop.
    :param limit: how many calls may be in flight.
    :param serve: called on the loop with what the driver delivers.
    :param breathe: called every ten seconds in the driver's thread while that
        waits for a free place.
    """

    def __init__(
        self,
        home: _bridge.LoopHome,
        limit: int,
        serve: Serve,
        breathe: Callable[[], None],
    ) -> None:
        self.home = home
        self._limit = limit
        self._serve = serve
        self._breathe = breathe
        # the locks of the driver's thread: green ones where it is green
        self._change = threading.Condition()
        self._running = 0
        self._draining = False
        self._gone = False
        self._arrived: collections.deque[Any] = collections.deque()
        self._armed = False
        self._tasks: set[asyncio.Task[None]] = set()
        if _bridge.runs(home):
            _bridge.depend(self)

    def enter(self) -> None:
        """Wait for a free place; in the driver's thread.

        While it waits the driver is not polled, and what the broker sends stays
        where other workers can have it.

        :raises LoopStopped: nothing is taken any more.
        """
        while not self._enter():
            self._breathe()

    def _enter(self) -> bool:
        with self._change:
            if not self._admits():
                self._change.wait_for(self._admits, _BREATH)
            if self._gone:
                raise exceptions.LoopStopped("a call")
            if not self._admits():
                return False
            self._running += 1
            return True

    def _admits(self) -> bool:
        return self._running < self._limit or self._draining or self._gone

    def submit(self, incoming: Any) -> None:
        """Begin a call that has a place; in the driver's thread.

        A burst of calls wakes the loop once.
        """
        self._arrived.append(incoming)
        if not self._armed:
            self._armed = True
            try:
                self.home.loop.call_soon_threadsafe(self._begin)
            except RuntimeError:  # it is closed
                self.abort()
                raise exceptions.LoopStopped("a call") from None

    def leave(self) -> None:
        """A place is free again."""
        with self._change:
            self._running -= 1
            self._change.notify_all()

    def drain(self, seconds: float | None) -> None:
        """No more will come: take what is on the way, above the limit if need be.

        :param seconds: after which calls are cancelled; None: never.
        """
        with self._change:
            self._draining = True
            self._change.notify_all()
        if seconds is not None:
            try:
                self.home.loop.call_soon_threadsafe(self._limit_to, seconds)
            except RuntimeError:
                self.abort()

    def join(self) -> None:
        """Return when no call is in flight, or the loop has stopped."""
        with self._change:
            self._change.wait_for(lambda: self._gone or not self._running)
        _bridge.release(self)

    def abort(self) -> None:
        """The loop has stopped; what is unfinished will not be finished."""
        with self._change:
            self._gone = True
            self._change.notify_all()

    def _begin(self) -> None:
        # First disarm, then take: whoever appends from here on wakes us again.
        self._armed = False
        while self._arrived:
            incoming = self._arrived.popleft()
            # an empty context: nothing of another call can be in it
            task = self.home.loop.create_task(
                self._serve(incoming), context=contextvars.Context()
            )
            self._tasks.add(task)
            task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self.leave()
        if not task.cancelled() and task.exception() is not None:
            LOG.error("A call could not be served", exc_info=task.exception())

    def _limit_to(self, seconds: float) -> None:
        self.home.loop.call_later(seconds, self._cancel)

    def _cancel(self) -> None:
        for task in list(self._tasks):
            task.cancel()
