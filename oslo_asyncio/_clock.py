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


"""The time by which looping calls and periodic tasks run.

They ask here, so that a test can put another clock in the place of this one
(:class:`oslo_asyncio.fixture.FakeClock`).
"""

import asyncio
from collections.abc import Callable
import contextvars
import time
from typing import Any
from typing import Protocol


class Timer(Protocol):
    """Something that will be called, unless it is cancelled first."""

    def cancel(self) -> None: ...


class Clock:
    """The system's monotonic clock, and the timers of the loops."""

    #: Seconds since some moment.
    now: Callable[..., float] = staticmethod(time.monotonic)

    def call_at(
        self,
        loop: asyncio.AbstractEventLoop,
        when: float,
        callback: Callable[[], Any],
        context: contextvars.Context,
    ) -> Timer:
        """Call ``callback`` on ``loop`` at ``when``; on the loop only."""
        ahead = loop.time() - time.monotonic()  # about nothing; uvloop's is a bit late
        return loop.call_at(when + ahead, callback, context=context)

    def begin(self) -> None:
        """A call that is due has begun: time stands still for it."""

    def end(self) -> None:
        """It has ended, and the next one is scheduled."""


_clock = Clock()


def get() -> Clock:
    """The clock in use."""
    return _clock


def now() -> float:
    """Seconds of the clock in use."""
    return _clock.now()


def use(clock: Clock) -> Clock:
    """Use ``clock`` from now on; returns the one that was used."""
    global _clock
    previous, _clock = _clock, clock
    return previous
