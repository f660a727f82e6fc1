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

"""Many looping calls, one a second each, spread over the second."""

import asyncio
import itertools
import resource
import time

from bench import figures
from bench.inside import loops


def run(contender: str, calls: int, seconds: float) -> dict[str, float]:
    return loops.run(contender, lambda: _main(contender, calls, seconds))


async def _main(contender: str, calls: int, seconds: float) -> dict[str, float]:
    begun = _memory()
    ticks: list[list[float]] = [[] for _each in range(calls)]
    start = _ours if contender.startswith("ours") else _bare
    for number, mine in enumerate(ticks):
        start(mine, 0.5 + number / calls)
    await asyncio.sleep(2.5)  # each has run once
    cpu = _cpu()
    await asyncio.sleep(seconds)
    cpu = _cpu() - cpu
    return {"cpu": cpu, "memory": _memory() - begun, **_punctuality(ticks)}


def _bare(ticks: list[float], after: float) -> None:
    loop = asyncio.get_running_loop()

    def tick(due: float) -> None:
        ticks.append(time.perf_counter())
        loop.call_at(due + 1, tick, due + 1)

    loop.call_at(loop.time() + after, tick, loop.time() + after)


def _ours(ticks: list[float], after: float) -> None:
    from oslo_asyncio import loopingcall

    async def tick() -> None:
        ticks.append(time.perf_counter())

    loopingcall.FixedIntervalLoopingCall(tick).start(1.0, initial_delay=after)


def _punctuality(ticks: list[list[float]]) -> dict[str, float]:
    """Milliseconds: between two calls too much; from first to last, per call."""
    late, drift = [], []
    for mine in ticks:
        pairs = itertools.pairwise(mine)
        late += [abs(after - before - 1) for before, after in pairs]
        drift.append(abs(mine[-1] - mine[0] - (len(mine) - 1)) / (len(mine) - 1))
    return {
        "late": figures.percentile(late, 0.99) * 1e3,
        "drift": figures.percentile(drift, 0.5) * 1e3,
    }


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _memory() -> float:
    """MiB of this process."""
    with open("/proc/self/statm") as sizes:
        return int(sizes.read().split()[1]) * resource.getpagesize() / 2**20
