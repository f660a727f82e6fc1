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

"""What processes use, by the kernel's own count."""

import os
import time
from typing import NamedTuple

from bench.faults import kernel

_SCHEDULER = 2


class Usage(NamedTuple):
    """CPU in nanoseconds, and how often threads were switched to."""

    cpu: int
    switches: int


def of(pid: int) -> Usage:
    """What a process has used so far.

    The switches are of the threads that it still has; its CPU clock counts
    those as well that have ended (its number is made as clock_getcpuclockid(3)
    makes it).
    """
    switches = 0
    for thread in _threads(pid):
        try:
            with open(f"/proc/{pid}/task/{thread}/schedstat") as found:
                switches += int(found.read().split()[2])
        except OSError:
            continue  # it has just ended
    try:
        return Usage(time.clock_gettime_ns(~pid << 3 | _SCHEDULER), switches)
    except OSError:
        return Usage(0, switches)  # and so has the process


def of_tree(pid: int) -> Usage:
    """What a process and its descendants have used so far."""
    found = [of(each) for each in [pid, *kernel.descendants(pid)]]
    return Usage(sum(each.cpu for each in found), sum(each.switches for each in found))


def pss(pid: int) -> float:
    """MiB of memory, a share of what is shared included."""
    with open(f"/proc/{pid}/smaps_rollup") as rollup:
        for line in rollup:
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    raise LookupError(pid)


def _threads(pid: int) -> list[str]:
    try:
        return os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []
