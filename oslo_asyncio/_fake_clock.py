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


"""A clock that stands still until a test moves it."""

import asyncio
from collections.abc import Callable
from collections.abc import Iterator
import contextvars
import heapq
import itertools
import threading
from typing import Any

import fixtures

from oslo_asyncio import _anywhere
from oslo_asyncio import _clock
from oslo_asyncio import _outcome


class FakeClock(fixtures.Fixture, _clock.Clock):
    """A clock for looping calls, the timers of thread groups and periodic tasks.

    While the fixture is in use no time passes for them but by :meth:`advance`.
    The idea of a clock that jumps to what is next is trio's ``MockClock``.

    :param start: what :meth:`now` says at first, in seconds.
    """

    def __init__(self, start: float = 1000.0) -> None:
        super().__init__()
        self._now = start
        self._heap: list[tuple[float, int, _FakeTimer]] = []
        self._count = itertools.count()
        self._busy = 0
        self._idle: list[Callable[[], Any]] = []

    def _setUp(self) -> None:
        self._lock = threading.RLock()
        previous = _clock.use(self)
        self.addCleanup(_clock.use, previous)

    def now(self) -> float:
        """Seconds since some moment."""
        return self._now

    def advance(self, seconds: float) -> Any:
        """Let ``seconds`` pass: everything that falls due meanwhile is called.

        Each call is waited for, and what it schedules within the time is called
        as well, so that the test finds everything done.  A call that does not
        return keeps the clock from going on.

        :param seconds: how far the clock goes.
        :returns: async code awaits it; sync code has been blocked.
        """
        if _anywhere.on_loop():
            return self._advance(seconds)
        for step in self._steps(seconds):
            step.wait()
        return None

    async def _advance(self, seconds: float) -> None:
        for step in self._steps(seconds):
            await step

    def take(self, seconds: float) -> None:
        """Let a call take ``seconds``; for code that the call runs.

        :param seconds: how far the clock goes; what falls due meanwhile is late.
        """
        with self._lock:
            self._now += seconds

    def _steps(self, seconds: float) -> Iterator[_outcome.Outcome]:
        yield self._quiet()
        end = self._now + seconds
        while (step := self._step(end)) is not None:
            yield step
            yield self._quiet()

    def _quiet(self) -> _outcome.Outcome:
        """Resolved when nothing runs."""
        quiet = _outcome.Outcome("the calls that run")
        with self._lock:
            if self._busy:
                self._idle.append(lambda: quiet.resolve(None))
                return quiet
        quiet.resolve(None)
        return quiet

    def _step(self, end: float) -> _outcome.Outcome | None:
        """What to wait for before the next step; None when the end is reached."""
        with self._lock:
            step = _outcome.Outcome("the calls that are due")
            if not self._heap or self._heap[0][0] > end:
                self._now = max(self._now, end)
                return None
            when, _number, timer = heapq.heappop(self._heap)
            self._now = max(self._now, when)
            if not timer.cancelled:
                self._busy += 1  # until it runs, and is busy by itself
                self._idle.append(lambda: step.resolve(None))
        if timer.cancelled:
            step.resolve(None)
            return step
        timer.loop.call_soon_threadsafe(timer.run, context=timer.context)
        return step

    def call_at(
        self,
        loop: asyncio.AbstractEventLoop,
        when: float,
        callback: Callable[[], Any],
        context: contextvars.Context,
    ) -> _clock.Timer:
        """Call ``callback`` on ``loop`` when the clock has got to ``when``."""
        timer = _FakeTimer(self, loop, callback, context)
        with self._lock:
            heapq.heappush(self._heap, (when, next(self._count), timer))
        return timer

    def begin(self) -> None:
        """Something has begun that :meth:`advance` has to wait for."""
        with self._lock:
            self._busy += 1

    def end(self) -> None:
        """It has ended."""
        with self._lock:
            self._busy -= 1
            if self._busy:
                return
            waiting, self._idle = self._idle, []
        for callback in waiting:
            callback()


class _FakeTimer:
    def __init__(
        self,
        clock: FakeClock,
        loop: asyncio.AbstractEventLoop,
        callback: Callable[[], Any],
        context: contextvars.Context,
    ) -> None:
        self.clock = clock
        self.loop = loop
        self.callback = callback
        self.context = context
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True

    def run(self) -> None:
        try:
            if not self.cancelled:
                self.callback()
        finally:
            self.clock.end()
