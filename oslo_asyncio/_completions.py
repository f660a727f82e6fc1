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

"""From any thread to the loop, with one wake-up per burst.

``loop.call_soon_threadsafe`` makes a handle and writes to a socket for each
call, and a loop that a hundred threads report to spends its time on that.
Here a thread appends its result to a deque, and only the first of a burst
writes to an eventfd; the loop takes all of them in one turn.
"""

import asyncio
import collections
import os
from typing import Any
import weakref

from oslo_asyncio import _forked

_others: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Completions]"
_others = weakref.WeakKeyDictionary()


class Completions:
    """The results that are on their way to one loop.

    :param loop: the loop that owns the futures; the object must be made on
        its thread.
    :ivar closed: whether the loop takes no new blocking calls.
    :ivar pending: the blocking calls that somebody on the loop waits for, by their
        futures.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._done: collections.deque[
            tuple[asyncio.Future[Any], Any, BaseException | None]
        ] = collections.deque()
        self._armed = False
        self.closed = False
        self.pending: dict[asyncio.Future[Any], Any] = {}
        self._fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        # The descriptor lives as long as this object, not as long as the loop:
        # a thread that outlives the loop must not write into a stranger's file
        # that has got the same number since.
        weakref.finalize(self, os.close, self._fd).atexit = False
        self._pid = os.getpid()
        self._loop = weakref.ref(loop)
        loop.add_reader(self._fd, self._drain)

    def post(
        self, future: asyncio.Future[Any], result: Any, error: BaseException | None
    ) -> None:
        """Resolve ``future`` on its loop.  From any thread or green thread."""
        if isinstance(error, SystemExit) and _forked.is_copy_of(self._pid):
            _forked.leave(error)
        self._done.append((future, result, error))
        # Two threads may both find it unarmed: a second write is harmless.
        if not self._armed:
            self._armed = True
            os.eventfd_write(self._fd, 1)

    def detach(self) -> None:
        """Leave the loop, which is about to close."""
        loop = self._loop()
        if loop is not None and not loop.is_closed():
            loop.remove_reader(self._fd)

    def _drain(self) -> None:
        try:
            os.eventfd_read(self._fd)
        except BlockingIOError:
            pass
        # First disarm, then take: whoever appends from here on writes again.
        self._armed = False
        done = self._done
        while done:
            future, result, error = done.popleft()
            self.pending.pop(future, None)
            if future.done():
                continue
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(_settable(error))


def of(loop: asyncio.AbstractEventLoop) -> Completions:
    """The completions of ``loop``, made at the first call on its thread."""
    found: Completions | None = getattr(loop, "_oslo_completions", None)
    if found is None:
        found = _others.get(loop)
    if found is None:
        found = Completions(loop)
        try:
            loop._oslo_completions = found  # type: ignore[attr-defined]
        except AttributeError:
            _others[loop] = found
    return found


def _settable(error: BaseException) -> BaseException:
    if not isinstance(error, StopIteration):
        return error
    # a future refuses StopIteration, for a generator would take it as its end
    wrapped = RuntimeError(f"the function raised {error!r}")
    wrapped.__cause__ = error
    return wrapped
