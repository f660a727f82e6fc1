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

"""The processes that this program starts, and those that it inherits."""

from collections.abc import Iterator
import contextlib
import os
import subprocess
import threading
import time
from typing import Any

from bench.faults import kernel

#: between fork and exec a new process has every pipe of this one open, and must
#: not be taken for somebody's orphan
_FORKING = threading.Lock()


def start(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
    """Start a program; the options are those of subprocess.Popen."""
    with _FORKING:
        return subprocess.Popen(command, **options)


def orphans(pipe: int, known: set[int]) -> list[int]:
    """The children of this process that one launcher has left behind.

    :param pipe: the inode of a pipe that only that launcher's processes have.
    :param known: pids that are known to be the launcher's.
    """
    with _FORKING:
        mine = kernel.children(os.getpid())
        return [pid for pid in mine if pid in known or kernel.holds(pid, pipe)]


@contextlib.contextmanager
def group_leader() -> Iterator[int]:
    """A process that leads a group, as make or a shell script does.

    :returns: its pid, which is the number of the group, too.
    """
    leader = start(["sleep", "600"], process_group=0)
    try:
        yield leader.pid
    finally:
        leader.kill()
        leader.wait()


def end_everything() -> None:
    """Kill whatever this program has started, and start nothing any more."""
    _FORKING.acquire()
    while left := kernel.descendants(os.getpid()):
        kernel.kill_and_reap(left)
        time.sleep(0.01)
