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

"""How long a stop may take."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from oslo_asyncio._worker import fuse

#: Seconds beyond the deadline after which a loop that does not turn is ended
#: from outside; the tear-down has to fit in.
MARGIN = 1.5


class Deadline:
    """A point in time that can be brought forward.

    :param burner: ends the process when the loop is blocked and cannot keep the
        deadline itself; None: nobody does.
    """

    def __init__(self, burner: fuse.Fuse | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._fuse = burner

    def set(self, seconds: float | None) -> None:
        """So many seconds from now; None: never."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if seconds is None:
            return
        self._timer = self._loop.call_later(seconds, self._over.set)
        if self._fuse is not None:
            self._fuse.light(seconds + MARGIN)

    def left(self) -> float | None:
        """Seconds until then, none below zero; None: no limit."""
        if self._timer is None:
            return None
        return max(0.0, self._timer.when() - self._loop.time())

    async def within(self, *steps: Awaitable[Any]) -> None:
        """Await all of the steps or the deadline, whichever comes first.

        Each step is begun even after the deadline, and none is cancelled.
        """
        tasks = {asyncio.ensure_future(step) for step in steps}
        over = asyncio.ensure_future(self._over.wait())
        while tasks and not over.done():
            _done, tasks = await asyncio.wait(
                tasks | {over}, return_when=asyncio.FIRST_COMPLETED
            )
            tasks.discard(over)
        over.cancel()
