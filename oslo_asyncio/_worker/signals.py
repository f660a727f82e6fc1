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

"""Signals to the process that runs the loop.

Python's handler for a signal only records its number and nudges the loop; what
it means is decided in the next turn of the loop, where nothing can be
interrupted half-way.  Two ways lead there: the wakeup fd, which the loop
watches, and the handler's own nudge.  The first works when the kernel has
given the signal to another thread, the second when some library has taken the
wakeup fd away; a signal that finds neither waits for the next turn.
"""

import asyncio
import collections
from collections.abc import Callable
from collections.abc import Iterable
import logging
import os
import signal
from types import FrameType
from typing import Any

from oslo_asyncio import _unpatched

LOG = logging.getLogger(__name__)

Handler = Callable[[int], None]


def available() -> bool:
    """Whether this thread may install handlers: Python's main thread only."""
    # Asked of the kernel: a patched process has several copies of the threading
    # module, each with an opinion.
    return bool(_unpatched.threading.get_native_id() == os.getpid())


class SignalInbox:
    """Handlers that run on the loop, and the process as it was afterwards.

    :param loop: the loop; it may run already, or be started later.
    :param alarm: called with the number from inside the signal handler, even
        when the loop is blocked.  It may interrupt any code: no locks, no logs.

    A signal that is ignored when the inbox opens (nohup; SIGINT of a job in
    the background) stays ignored: whoever started the process asked for it.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        alarm: Callable[[int], None] | None = None,
    ) -> None:
        self._loop = loop
        self._alarm = alarm
        self._handlers: dict[int, list[Handler]] = {}
        self._before: dict[int, Any] = {}
        self._wakeup_before = -1
        self._wakeup: int | None = None
        self._warned = False
        self._pending: collections.deque[int] = collections.deque()
        self._nudged = False

    def open(self, signums: Iterable[int], handler: Handler) -> None:
        """Take over these signals.

        :param signums: numbers of the signals.
        :param handler: called on the loop with the number, once per delivery.
        """
        if not self._handlers:
            self._wakeup_before = signal.set_wakeup_fd(-1)
            self._loop.call_soon(self._learn)
        for signum in signums:
            if signal.getsignal(signum) is signal.SIG_IGN:
                continue
            self._before[signum] = signal.getsignal(signum)
            self.add(signum, handler)
            # The loop's own handler makes it watch the wakeup fd; ours then
            # replaces it, for the loop's loses what the fd has not delivered.
            self._loop.add_signal_handler(signum, self._deliver)
            signal.signal(signum, self._record)

    def add(self, signum: int, handler: Handler) -> None:
        """Call ``handler`` as well, before those that were added earlier."""
        self._handlers.setdefault(signum, []).append(handler)

    def handles(self, signum: int) -> bool:
        """Whether this signal was taken over."""
        return signum in self._handlers

    def remove(self, signum: int, handler: Handler) -> None:
        """Take a handler away; after the last one, the signal is as it was before."""
        if self.handles(signum):
            self._handlers[signum].remove(handler)
            if not self._handlers[signum]:
                del self._handlers[signum]
                self._put_back(signum)

    def close(self) -> None:
        """Put handlers and wakeup fd back as they were."""
        for signum in [*self._before]:
            self._put_back(signum)
        self._handlers.clear()
        signal.set_wakeup_fd(self._wakeup_before)

    def _put_back(self, signum: int) -> None:
        before = self._before.pop(signum)
        if signal.getsignal(signum) == self._record:
            self._loop.remove_signal_handler(signum)
            signal.signal(signum, signal.SIG_DFL if before is None else before)

    def _record(self, signum: int, _frame: FrameType | None) -> None:
        self._pending.append(signum)
        if self._alarm is not None:
            self._alarm(signum)
        if not self._nudged:
            self._nudged = True
            self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._nudged = False
        self.check()
        if not self._pending:
            # The wakeup fd has told of a signal whose handler has not run.  In a
            # process that was forked by a thread other than the first, CPython 3.13
            # tells the thread that is gone; this call runs what is pending.
            signal.pthread_sigmask(signal.SIG_BLOCK, ())
        while self._pending:
            signum = self._pending.popleft()
            # a copy: a handler may add or remove handlers
            for handler in reversed(list(self._handlers.get(signum, ()))):
                try:
                    handler(signum)
                except Exception:
                    LOG.exception("A handler of signal %d failed", signum)

    def check(self) -> None:
        """Take the wakeup fd back from whoever has replaced it.

        Called with each signal, and whenever a service's code has run: libuv
        goes on sleeping through a signal that nobody reports to it.
        """
        if self._wakeup is None or not self._loop.is_running():
            return
        # Put it there and see what was there.  To look without putting would
        # leave a moment without any, and lose a signal of the application's.
        current = signal.set_wakeup_fd(self._wakeup, warn_on_full_buffer=False)
        if current != self._wakeup and not self._warned:
            self._warned = True
            LOG.warning(
                "The signal wakeup fd of this process was changed from %(ours)d to "
                "%(theirs)d by other code, which delays signals; it is restored",
                {"ours": self._wakeup, "theirs": current},
            )

    def _learn(self) -> None:
        # each loop has its own, and uvloop sets it only when it runs; no code
        # of a service has run yet
        self._wakeup = signal.set_wakeup_fd(-1)
        signal.set_wakeup_fd(self._wakeup, warn_on_full_buffer=False)
