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

"""What the kernel says about processes."""

import ctypes
import os
import select
import signal

_PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Become the parent of every process that a launcher leaves behind.

    Otherwise pid 1 gets them, and nobody here could tell whose they were.
    """
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children(pid: int) -> list[int]:
    """The children of a process, zombies included, oldest first."""
    found: list[int] = []
    try:
        # the kernel keeps one list per thread, and some launchers fork in one
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as listing:
                found += map(int, listing.read().split())
    except OSError:
        pass  # it, or one of its threads, has just ended
    return found


def descendants(pid: int) -> list[int]:
    """The children of a process, their children, and so on."""
    found = children(pid)
    for child in found:
        found += children(child)
    return found


def state(pid: int) -> str:
    """The letter for the state of a process, "" when there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            return stat.read().rpartition(b") ")[2][:1].decode()
    except OSError:
        return ""


def runs(pid: int) -> bool:
    """Whether a process exists and has not ended."""
    return state(pid) not in ("", "Z", "X")


def count(pid: int, what: str) -> int:
    """How many entries /proc has for a process under "fd" or "task"."""
    try:
        return len(os.listdir(f"/proc/{pid}/{what}"))
    except OSError:
        return 0


def holds(pid: int, inode: int) -> bool:
    """Whether a process has a certain pipe open."""
    try:
        names = os.listdir(f"/proc/{pid}/fd")
        return f"pipe:[{inode}]" in {
            os.readlink(f"/proc/{pid}/fd/{name}") for name in names
        }
    except OSError:
        return False


def send(pid: int, number: int) -> None:
    """Send a signal to a process, if it is still there."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def send_group(group: int, number: int) -> None:
    """Send a signal to a process group that this program has made."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        pass


class Watch:
    """Waits for the end of one process, whoever its parent is."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        try:
            self._fd = os.pidfd_open(pid)
        except ProcessLookupError:
            self._fd = -1

    def ended(self, seconds: float) -> bool:
        """Whether it has ended by then, as a zombie or altogether."""
        if self._fd < 0:
            return True
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def send(self, number: int) -> None:
        """Send a signal, never to another process with the same pid."""
        try:
            if self._fd >= 0:
                signal.pidfd_send_signal(self._fd, number)
        except ProcessLookupError:
            pass

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)


def kill_and_reap(pids: list[int]) -> None:
    """End processes for good; those that are ours leave no zombie."""
    for pid in pids:
        send(pid, signal.SIGKILL)
    for pid in pids:
        reap(pid)


def reap(pid: int) -> None:
    """Bury a zombie that is our child; no waiting."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass
