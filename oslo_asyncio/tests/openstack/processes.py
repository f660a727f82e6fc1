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

"""Which processes there are, from /proc, and that they end."""

import contextlib
import os
import pathlib
import select
import signal
import threading
import time


class Tree:
    """A process and its descendants, as they are now.

    Held by pidfds: a number can be somebody else's before the wait is over.
    """

    def __init__(self, *pids: int) -> None:
        self._fds: dict[int, str] = {}
        for pid in pids:
            self._hold(pid)

    def _hold(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            fd = os.pidfd_open(pid)
            self._fds[fd] = f"{pid} ({name_of(pid)})"
        for child in children_of(pid):
            self._hold(child)

    def wait(self, seconds: float) -> list[str]:
        """Wait for the end of all; kills and returns those that go on."""
        deadline = time.monotonic() + seconds
        while self._fds:
            left = deadline - time.monotonic()
            ended, _, _ = select.select(list(self._fds), [], [], max(left, 0))
            if not ended:
                break
            for fd in ended:
                del self._fds[fd]
                os.close(fd)
        left_behind = list(self._fds.values())
        for fd in self._fds:
            signal.pidfd_send_signal(fd, signal.SIGKILL)
            os.close(fd)
        self._fds.clear()
        return left_behind


def drain(stream) -> None:
    """Read on from a pipe until its end, or whoever writes to it would block."""

    def read() -> None:
        with stream:
            while os.read(stream.fileno(), 65536):  # a green pipe has no read1()
                pass

    threading.Thread(target=read, name="drain", daemon=True).start()


def everyone() -> list[int]:
    """The ids of all processes."""
    return [int(each.name) for each in pathlib.Path("/proc").glob("[0-9]*")]


def children_of(pid: int) -> list[int]:
    """The processes whose parent this is."""
    return [each for each in everyone() if _field(each, "parent") == pid]


def members_of(session: int) -> list[int]:
    """The processes of a session, but for those that wait to be reaped."""
    return [
        each
        for each in everyone()
        if _field(each, "session") == session and _stat(each)[0] != "Z"
    ]


def name_of(pid: int) -> str:
    """What ``ps -o comm`` shows, at most 15 bytes; empty: it has gone."""
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().rstrip("\n")
    except OSError:
        return ""


_FIELDS = {"parent": 1, "session": 3}


def _field(pid: int, name: str) -> int:
    stat = _stat(pid)
    return int(stat[_FIELDS[name]]) if stat else -1


def _stat(pid: int) -> list[str]:
    """The fields after the name, which may have blanks and brackets in it."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def send(pid: int, signum: int) -> None:
    """Send a signal to a process that is still there."""
    os.kill(pid, signum)


def kill(pid: int) -> None:
    """Give it no chance."""
    send(pid, signal.SIGKILL)
