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

"""Clients, each in a process of its own.

``python -m bench.clients steady PORT RATE``: a new connection every 1/RATE
seconds, whether the others have been answered or not, until its stdin is
closed.  ``python -m bench.clients echo PORT CONNECTIONS SECONDS PID``: one
message in flight on each connection; counts round trips, and the CPU time of
the server PID meanwhile.
"""

import asyncio
import json
import os
import pathlib
import select
import socket
import subprocess
import sys
import time

MESSAGE = b"x" * 64

#: seconds after which a client gives up
PATIENCE = 5.0

_ROOT = pathlib.Path(__file__).parents[1]


class Steady:
    """Connections at a steady rate, for as long as the context lasts.

    :ivar failed: how many had no answer, when the context has ended.
    :ivar p99: milliseconds from the time that a connection was due to its answer.
    """

    def __init__(self, port: int, rate: float) -> None:
        program = [sys.executable, "-m", "bench.clients", "steady"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = subprocess.Popen(
            [*program, str(port), str(rate)], cwd=_ROOT, **pipes
        )
        self._process.stdout.readline()  # it has begun

    def __enter__(self) -> "Steady":
        return self

    def __exit__(self, *_exception: object) -> None:
        found = json.loads(self._process.communicate()[0])
        self.failed, self.p99, self.sent = found["failed"], found["p99"], found["sent"]


def echo(port: int, connections: int, seconds: float, pid: int) -> dict[str, float]:
    """Run the client for echo servers."""
    numbers = [str(each) for each in (port, connections, seconds, pid)]
    command = [sys.executable, "-m", "bench.clients", "echo", *numbers]
    options = {"stdout": subprocess.PIPE, "check": True, "timeout": 60}
    ran = subprocess.run(command, cwd=_ROOT, **options)
    found: dict[str, float] = json.loads(ran.stdout)
    return found


async def _steady(port: int, rate: float) -> None:
    from bench import figures

    loop = asyncio.get_running_loop()
    ended = loop.run_in_executor(None, sys.stdin.read)
    print("begun", flush=True)
    calls: list[asyncio.Task[float]] = []
    due = loop.time()
    while not ended.done():
        calls.append(loop.create_task(_call(port, due)))
        due += 1 / rate
        await asyncio.sleep(due - loop.time())
    found = await asyncio.gather(*calls, return_exceptions=True)
    good = [each for each in found if isinstance(each, float)]
    p99 = figures.percentile(good or [PATIENCE], 0.99) * 1e3
    failed = len(found) - len(good)
    print(json.dumps({"sent": len(found), "failed": failed, "p99": p99}))


async def _call(port: int, due: float) -> float:
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(MESSAGE)
            await reader.readexactly(len(MESSAGE))
            return asyncio.get_running_loop().time() - due
        finally:
            writer.close()


def _echo(port: int, connections: int, seconds: float, pid: int) -> None:
    from bench import usage

    poll = select.epoll()
    socks = {}
    for _each in range(connections):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        socks[sock.fileno()] = sock
        poll.register(sock, select.EPOLLIN)
        sock.sendall(MESSAGE)
    _round_trips(poll, 0.4)  # it gets warm
    cpu, began = usage.of(pid).cpu, time.perf_counter()
    count = _round_trips(poll, seconds)
    took, cpu = time.perf_counter() - began, usage.of(pid).cpu - cpu
    print(json.dumps({"rate": count / took / 1e3, "per_cpu": count / cpu * 1e6}))


def _round_trips(poll: select.epoll, seconds: float) -> int:
    count, deadline = 0, time.perf_counter() + seconds
    read, write, size = os.read, os.write, len(MESSAGE)
    missing: dict[int, int] = {}
    while time.perf_counter() < deadline:
        for sock, _mask in poll.poll(1):
            got = len(read(sock, size))
            if got < size:
                got = missing.pop(sock, 0) + got
                if got < size:
                    missing[sock] = got
                    continue
            write(sock, MESSAGE)
            count += 1
    return count


if __name__ == "__main__":
    if sys.argv[1] == "steady":
        asyncio.run(_steady(int(sys.argv[2]), float(sys.argv[3])))
    else:
        port, connections, seconds, pid = sys.argv[2:]
        _echo(int(port), int(connections), float(seconds), int(pid))
