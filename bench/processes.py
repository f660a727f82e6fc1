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

"""The rows about processes: N workers that do nothing, asyncio hub.

The limit is ``bare``: fork, and a plain asyncio loop in each worker.
"""

from bench.rows import Job
from bench.rows import Row

_FORKED = ("cotyledon", "oslo.service eventlet")


def _startup(workers: int, rounds: int) -> Job:
    title = f"all ready after the imports, {workers} workers"
    row = Row(f"startup-{workers}", title, "ms", "ready", "bare", 1.5)
    many = {"workers": workers}
    return Job(f"startup-{workers}", "startup", (row,), many, {}, _FORKED, rounds)


def _stop(workers: int, rounds: int) -> Job:
    title = f"SIGTERM until the tree has gone, {workers} workers"
    row = Row(f"stop-{workers}", title, "ms", "gone", "bare", 1.3)
    many = {"workers": workers}
    return Job(f"stop-{workers}", "stop", (row,), many, {}, _FORKED, rounds)


JOBS = (
    _startup(16, 5),
    _startup(64, 5),
    Job(
        "import",
        "imports",
        (
            Row(
                "import",
                "import of oslo_asyncio.service",
                "ms",
                "import",
                "its libraries",
                1.15,
                ours="ours",
            ),
        ),
        peers=("oslo.service",),
        rounds=30,
        quick_rounds=11,
    ),
    Job(
        "respawn",
        "respawn",
        (Row("respawn", "SIGKILL one of 4, back", "ms", "back", "bare", 1.3),),
        {"kills": 4},
        peers=_FORKED,
        rounds=5,
    ),
    Job(
        "storm",
        "storm",
        (
            Row("storm", "SIGKILL all 16, all back", "ms", "first", "bare", 1.5),
            Row("storm-again", "the same again at once", "ms", "again", "bare", 1.5),
        ),
        rounds=5,
    ),
    _stop(16, 5),
    _stop(64, 5),
    Job(
        "reload",
        "reload",
        (
            Row(
                "reload-failed",
                "reloads under load: failed connections",
                "",
                "failed",
                "bare",
                most=0,
                floor=3,
            ),
            Row(
                "reload-p99",
                "reloads under load: p99, times the calm one",
                "",
                "times",
                "bare",
                most=2,
                floor=2,
            ),
        ),
        {"reloads": 10, "rate": 400},
        {"reloads": 4},
        _FORKED,
        rounds=3,
        quick_rounds=1,
    ),
    Job(
        "memory",
        "memory",
        (
            Row(
                "memory-worker",
                "PSS of a worker, 16 workers",
                "MiB",
                "worker",
                "bare with libraries",
                1.25,
            ),
            Row(
                "memory-parent",
                "PSS of the parent, 16 workers",
                "MiB",
                "parent",
                "bare with libraries",
                1.25,
            ),
        ),
        peers=_FORKED,
        quick_rounds=1,
    ),
    Job(
        "idle",
        "idle",
        (
            Row(
                "idle-cpu",
                "idle tree of 16, CPU",
                "ms",
                "cpu",
                "bare",
                most=0,
                floor=5,
            ),
            Row(
                "idle-wakeups",
                "idle tree of 16, wake-ups a second",
                "",
                "wakeups",
                "bare",
                most=0,
                floor=2,
            ),
        ),
        {"seconds": 20.0, "settle": 12.0},
        {"seconds": 4.0},
        _FORKED,
        rounds=2,
        quick_rounds=1,
    ),
    Job(
        "drain",
        "drain",
        (
            Row(
                "drain",
                "the parent's CPU while workers drain 2 s",
                "ms",
                "parent",
                "bare",
                most=1,
                floor=0.5,
            ),
        ),
        peers=_FORKED,
        rounds=3,
        quick_rounds=1,
    ),
    Job(
        "mutate",
        "mutate",
        (
            Row(
                "mutate",
                "an option changes in place, 4 workers",
                "ms",
                "known",
                "bare",
                most=12,
                floor=6,
            ),
        ),
        {"times": 5},
        peers=("oslo.service eventlet",),
        rounds=3,
    ),
    Job(
        "requests",
        "reload",
        (
            Row(
                "requests",
                "requests of 100 ms cut off by reloads",
                "",
                "failed",
                "bare",
                most=0,
                floor=2,
            ),
        ),
        {"reloads": 6, "rate": 30, "delay": 0.1},
        {"reloads": 3},
        _FORKED,
        rounds=3,
        quick_rounds=1,
    ),
)
