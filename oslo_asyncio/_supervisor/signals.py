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

"""Signals to the launcher, and wishes from other threads.

A handler only records the number.  What wakes the launcher up is the wakeup fd,
which works for a signal that the kernel gives to another thread as well.
"""

import collections
from collections.abc import Iterable
import logging
import os
import signal
from types import FrameType
from typing import Any

from oslo_asyncio import _unpatched

LOG = logging.getLogger(__name__)


class SignalInbox:
    """Collects signals; the process is as before when it is closed.

    Handlers of other signals (SIGUSR1, SIGUSR2, SIGCHLD) are left alone, and a
    signal that is ignored when the inbox opens (nohup) stays ignored.

    :ivar fd: readable when there is something to take.
    """

    def __init__(self) -> None:
        self.fd, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._native = _unpatched.os
        self._items: collections.deque[Any] = collections.deque()
        self._before: dict[int, Any] = {}
        self._wakeup_before: int | None = None

    def open(self, signums: Iterable[int]) -> None:
        """Take over these signals; in the main thread only."""
        self._wakeup_before = signal.set_wakeup_fd(
            self._write, warn_on_full_buffer=False
        )
        for signum in signums:
            if signal.getsignal(signum) is not signal.SIG_IGN:
                self._before[signum] = signal.signal(signum, self._record)

    def post(self, item: Any) -> None:
        """Put something else in, from any thread."""
        self._items.append(item)
        try:
            self._native.write(self._write, b"\0")
        except OSError:
            pass  # full, which wakes it up as well; or closed

    def take(self) -> list[Any]:
        """What has come since, in order; signals by number."""
        try:
            while self._native.read(self.fd, 4096):
                pass
        except BlockingIOError:
            pass
        self._check()
        taken = []
        while self._items:
            taken.append(self._items.popleft())
        return taken

    def close(self) -> None:
        """Put everything back."""
        self.restore()
        os.close(self.fd)
        write, self._write = self._write, -1  # another thread may still post()
        os.close(write)

    def restore(self) -> None:
        """Put handlers and wakeup fd back."""
        for signum, before in self._before.items():
            # not if the application has installed its own since
            if signal.getsignal(signum) == self._record:
                signal.signal(signum, signal.SIG_DFL if before is None else before)
        self._before.clear()
        if self._wakeup_before is not None:
            signal.set_wakeup_fd(self._wakeup_before)
            self._wakeup_before = None

    def _record(self, signum: int, _frame: FrameType | None) -> None:
        self._items.append(signum)
        try:
            self._native.write(self._write, b"\0")  # whoever has the wakeup fd
        except OSError:
            pass

    def _check(self) -> None:
        if self._wakeup_before is None:
            return
        theirs = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        if theirs != self._write:
            LOG.warning(
                "The signal wakeup fd of this process was changed from %(ours)d to "
                "%(theirs)d by other code, which delays signals; it is restored",
                {"ours": self._write, "theirs": theirs},
            )
