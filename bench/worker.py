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

"""The rows about what happens inside one worker."""

from bench.rows import Job
from bench.rows import Row


def _echo(key: str, title: str, limit: str, target: float, ours: str) -> Row:
    return Row(
        key, title, "k/CPU s", "per_cpu", limit, target, ours=ours, more=True
    )


def _rate(kind: str, title: str, in_flight: int, target: float) -> Job:
    key = f"{kind}-{in_flight}"
    row = Row(
        key,
        f"{title}, {in_flight} in flight",
        "k/s",
        "rate",
        "asyncio",
        target,
        more=True,
    )
    total = 4_000 if in_flight == 1 else 20_000 if kind == "offload" else 5_000
    numbers = {"total": total, "in_flight": in_flight}
    peers = ("uvloop", "ours uvloop")
    return Job(key, kind, (row,), numbers, {}, peers, 5, 5)


JOBS = (
    Job(
        "echo",
        "echo",
        (
            _echo("echo", "TCP echo", "uvloop", 0.85, "ours asyncio"),
            _echo(
                "echo-streams",
                "TCP echo with streams",
                "uvloop, streams",
                0.85,
                "ours asyncio, streams",
            ),
            _echo("echo-uvloop", "TCP echo, uvloop hub", "uvloop", 0.97, "ours uvloop"),
            _echo(
                "echo-green",
                "TCP echo, green sockets, eventlet hub",
                "epolls",
                0.97,
                "ours green",
            ),
            _echo(
                "echo-eventlet",
                "TCP echo, async code, eventlet hub",
                "ours asyncio",
                0.6,
                "ours eventlet",
            ),
        ),
        {"connections": 100, "seconds": 2.0},
        {"seconds": 0.8},
        ("asyncio", "asyncio, streams"),
    ),
    *(
        _rate("offload", "run_blocking() of nothing", in_flight, target)
        for in_flight, target in ((1, 1.7), (100, 6), (1000, 8))
    ),
    *(
        _rate("resolve", "getaddrinfo()", in_flight, target)
        for in_flight, target in ((1, 1.7), (100, 3), (1000, 3))
    ),
    Job(
        "resolve-same",
        "resolve",
        (
            Row(
                "resolve-same",
                "1000 times the same name: look-ups",
                "",
                "lookups",
                "asyncio",
                most=1,
                floor=1,
            ),
        ),
        {"total": 1000, "in_flight": 1000, "same": True},
        rounds=3,
        quick_rounds=1,
    ),
    Job(
        "hanging",
        "hanging",
        (
            Row(
                "hanging",
                "run_blocking() while 64 look-ups hang: p99, times the idle one",
                "",
                "times",
                "asyncio",
                most=1.5,
                floor=2,
            ),
        ),
        {"seconds": 4.0},
        {"seconds": 1.5},
        rounds=3,
        quick_rounds=1,
    ),
    Job(
        "loopingcalls",
        "loopingcalls",
        (
            Row("loops-cpu", "10 000 looping calls: CPU", "s", "cpu", "asyncio", 1.3),
            Row(
                "loops-late",
                "10 000 looping calls: late, p99",
                "ms",
                "late",
                "asyncio",
                floor=20,
            ),
            Row(
                "loops-drift",
                "10 000 looping calls: drift of a call",
                "ms",
                "drift",
                "asyncio",
                most=0.5,
                floor=0.5,
            ),
            Row(
                "loops-memory",
                "10 000 looping calls: memory",
                "MiB",
                "memory",
                "asyncio",
                most=30,
            ),
        ),
        {"calls": 10_000, "seconds": 10.0},
        {"seconds": 3.0},
        ("ours uvloop", "ours eventlet"),
        rounds=3,
        quick_rounds=2,
    ),
    Job(
        "sleeps",
        "sleeps",
        (
            Row(
                "sleeps",
                "10 000 sleeps of green threads: CPU",
                "s",
                "cpu",
                "epolls",
                1.1,
                ours="ours green",
            ),
        ),
        {"sleeps": 10_000},
        peers=("asyncio", "ours asyncio", "ours eventlet"),
        rounds=5,
    ),
)
