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

"""Where a task waits for one callback of its loop.

A future resumes its task through ``loop.call_soon``, a turn of the loop later.
Something that is called by the loop already, such as a timer, may as well run
the task's next step itself: that saves the future, the handle and the turn.
"""

import asyncio
from collections.abc import Callable
from collections.abc import Generator
import contextvars
from typing import Any


class Park:
    """One task awaits it, again and again; a callback of the loop lets it go on.

    To a task it looks like a future; the protocol is what :class:`asyncio.Task`
    asks of what it is given, whoever made it.

    :param loop: the task's.
    """

    __slots__ = ("_asyncio_future_blocking", "_cancelled", "_loop", "_resume")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._asyncio_future_blocking = False
        self._cancelled = False
        self._resume: Callable[[Any], object] | None = None

    def leave(self) -> None:
        """Run the next step of the task that waits, before this returns.

        For callbacks of the loop: while it runs one task it cannot run another.
        """
        resume, self._resume = self._resume, None
        if resume is not None:
            resume(self)

    def leave_soon(self) -> None:
        """Let the task that waits go on in the loop's next turn."""
        if self._resume is not None:
            self._loop.call_soon(self.leave)

    def __await__(self) -> Generator[Any, None, None]:
        self._asyncio_future_blocking = True
        yield self

    # -- what a task asks of it ------------------------------------------------

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    def add_done_callback(
        self,
        resume: Callable[[Any], object],
        *,
        context: contextvars.Context | None = None,
    ) -> None:
        self._resume = resume

    def result(self) -> None:
        if self._cancelled:
            raise asyncio.CancelledError

    def cancel(self, msg: Any | None = None) -> bool:
        self._cancelled = True
        self.leave_soon()
        return True
