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

"""How long a call that does nothing takes while 64 look-ups hang."""

import asyncio
import socket
import threading
import time

from bench import figures
from bench.inside import loops

LOOKUPS = 64


def nothing() -> None:
    pass


def run(contender: str, seconds: float) -> dict[str, float]:
    answered = threading.Event()

    def hang(*_args, **_kwargs) -> None:
        answered.wait()
        raise socket.gaierror(socket.EAI_AGAIN, "nobody answers")

    socket.getaddrinfo = hang
    return loops.run(contender, lambda: _main(contender, seconds, answered))


async def _main(
    contender: str, seconds: float, answered: threading.Event
) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    idle = await _probe(contender, seconds)
    names = [f"host{number}.invalid" for number in range(LOOKUPS)]
    lookups = [loop.create_task(loop.getaddrinfo(name, 80)) for name in names]
    await asyncio.sleep(0.2)
    loop.call_later(seconds + 0.5, answered.set)
    hanging = await _probe(contender, seconds)
    assert contender == "asyncio" or not any(each.done() for each in lookups)
    await asyncio.wait(lookups)
    return {"idle": idle, "p99": hanging, "times": hanging / idle}


async def _probe(contender: str, seconds: float) -> float:
    """The 99th percentile, in milliseconds."""
    loop, took, tasks = asyncio.get_running_loop(), [], []

    async def call() -> None:
        began = time.perf_counter()
        if contender.startswith("ours"):
            from oslo_asyncio import executor

            await executor.run_blocking(nothing)
        else:
            await loop.run_in_executor(None, nothing)
        took.append((time.perf_counter() - began) * 1e3)

    deadline = loop.time() + seconds
    while loop.time() < deadline:
        tasks.append(loop.create_task(call()))
        await asyncio.sleep(0.005)
    await asyncio.gather(*tasks)
    return figures.percentile(took, 0.99)
