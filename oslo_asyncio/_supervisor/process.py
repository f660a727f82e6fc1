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

"""Worker processes: the only place that forks, signals and reaps them.

A worker is known by its pidfd, from its birth to its reaping: a pid may belong
to a stranger by the time it is used.
"""

import _signal  # type: ignore[import-not-found]
from collections.abc import Callable
import functools
import os
import signal
import sys
import traceback
from typing import Any
from typing import NoReturn
import warnings

from oslo_asyncio import _unpatched

#: What is blocked while a child is made.  A process cannot go on after one of the
#: others: they tell of an error of its own.
_BLOCKED = signal.valid_signals() - {
    signal.SIGSEGV,
    signal.SIGBUS,
    signal.SIGFPE,
    signal.SIGILL,
}

_PR_SET_PDEATHSIG = 1


class Process:
    """A child of this process.

    :ivar channel: our end of its channel.
    """

    def __init__(self, pid: int, pidfd: int, channel: Any) -> None:
        self.pid = pid
        self.pidfd = pidfd
        self.channel = channel

    def kill(self, signum: int) -> None:
        """Send it a signal, or do nothing if it has ended."""
        try:
            signal.pidfd_send_signal(self.pidfd, signum)
        except ProcessLookupError:
            pass

    def send(self, message: bytes) -> None:
        """Send it a message, or do nothing if it does not listen."""
        native = _unpatched.socket
        try:
            self.channel.send(message, native.MSG_DONTWAIT | native.MSG_NOSIGNAL)
        except OSError:
            pass

    def reap(self) -> int:
        """Its exit status, or the number of the signal that ended it, negative.

        When its pidfd is readable; frees everything.
        """
        try:
            found = _unpatched.os.waitid(os.P_PIDFD, self.pidfd, os.WEXITED)
        except ChildProcessError:
            found = None  # the application has: SIGCHLD ignored, or waitpid(-1)
        self.close()
        if found is None:
            return 0
        status = int(found.si_status)
        return status if found.si_code == os.CLD_EXITED else -status

    def close(self) -> None:
        """Forget it."""
        self.channel.close()
        os.close(self.pidfd)


def fork(
    run: Callable[[Any, Callable[[], None]], NoReturn], die_with_us: bool
) -> Process:
    """Make a child that calls ``run(channel, unmask)`` and ends.

    All signals are blocked in the child until it calls ``unmask``: a signal
    that comes before its handlers stand is kept, and cannot be answered by a
    handler of the parent.

    :param run: must not return, by ending the process.
    :param die_with_us: SIGTERM for the child when this thread ends.
    :raises OSError: there are too many processes or descriptors.
    """
    native = _unpatched.socket
    ours, theirs = native.socketpair(native.AF_UNIX, native.SOCK_SEQPACKET)
    parent, pid = os.getpid(), -1
    # the signal module's makes an enum member of each signal that was blocked
    set_mask = _signal.pthread_sigmask
    before: set[Any] = set_mask(signal.SIG_BLOCK, _BLOCKED)
    try:
        pid = _fork()
        if pid == 0:
            ours.close()
            _child(run, theirs, before, parent if die_with_us else None)
        return Process(pid, _pidfd(pid), ours)
    except OSError:
        ours.close()
        raise
    finally:
        set_mask(signal.SIG_SETMASK, before)
        theirs.close()


def _fork() -> int:
    if sys.version_info < (3, 12):
        return os.fork()
    with warnings.catch_warnings():
        # the launcher has a warning of its own, which names the threads
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _pidfd(pid: int) -> int:
    try:
        return os.pidfd_open(pid)
    except OSError:
        os.kill(pid, signal.SIGKILL)  # ours, for nobody has reaped it
        _unpatched.os.waitpid(pid, 0)
        raise


def _child(
    run: Callable[[Any, Callable[[], None]], NoReturn],
    channel: Any,
    mask: set[Any],
    parent: int | None,
) -> NoReturn:
    def unmask() -> None:
        _signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    try:
        signal.set_wakeup_fd(-1)  # the parent's (CPython gh66285)
        if parent is not None:
            _die_with(parent)
        run(channel, unmask)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(1)


@functools.cache
def prctl() -> Any:
    """The system call; the parent loads it, so that its workers need not."""
    import ctypes  # 1.5 ms, and only parents need it

    return ctypes.CDLL(None).prctl


def _die_with(parent: int) -> None:
    prctl()(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it has died before it could be told
        os.kill(os.getpid(), signal.SIGTERM)
