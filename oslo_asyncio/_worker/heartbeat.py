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

"""Signs of life, from the loop itself."""

import asyncio
from collections.abc import Callable
import faulthandler
import functools
import logging
import os
import sys

LOG = logging.getLogger(__name__)

#: Beats per worker_heartbeat_timeout: two may be late.
_BEATS = 4

#: Seconds beyond the timeout after which the watchdog ends the process by
#: itself.  The supervisor is faster, if there is one.
_MARGIN = 2.0

#: Seconds between figures when no heartbeat is wanted.
_INTERVAL = 10.0


class Heartbeat:
    """Beats while the loop turns, and a watchdog for the time when it does not.

    The watchdog is faulthandler's: a thread of C that needs no GIL, so a loop
    stuck in C code is ended, its stacks dumped, even when nobody else is left.

    :param loop: the loop.
    :param send: called with the memory of the process in bytes.
    :param timeout: seconds without a beat that mean that the loop hangs; 0: no
        watchdog.
    :param measure: whether the memory is wanted.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        send: Callable[[int], None],
        timeout: float,
        measure: bool,
    ) -> None:
        self._loop = loop
        self._send = send
        self._measure = measure
        self._interval = timeout / _BEATS if timeout else _INTERVAL
        self._fd = _stderr() if timeout else None
        self._patience = timeout + _MARGIN
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """The first beat."""
        if self._fd is not None:
            _disarm_at_fork()
        self._beat()

    def stop(self) -> None:
        """No more beats."""
        if self._timer is not None:
            self._timer.cancel()
        if self._fd is not None:
            faulthandler.cancel_dump_traceback_later()

    def _beat(self) -> None:
        self._send(_memory() if self._measure else 0)
        if self._fd is not None:
            faulthandler.dump_traceback_later(self._patience, exit=True, file=self._fd)
        self._timer = self._loop.call_later(self._interval, self._beat)


@functools.cache
def _disarm_at_fork() -> None:
    # A forked child that re-arms, cancels or leaves by sys.exit would wait for
    # a thread that it does not have; the next beat arms it again here.
    os.register_at_fork(before=faulthandler.cancel_dump_traceback_later)


def dump_on_abort() -> None:
    """Let SIGABRT dump the stacks of all threads, unless somebody else does."""
    fd = None if faulthandler.is_enabled() else _stderr()
    if fd is not None:
        faulthandler.enable(fd)


@functools.cache
def _stderr() -> int | None:
    try:
        return sys.stderr.fileno()
    except (AttributeError, ValueError, OSError):
        LOG.warning("Stacks of a worker that hangs cannot be dumped: stderr is no file")
        return None


def _memory() -> int:
    with open("/proc/self/statm", "rb", buffering=0) as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
