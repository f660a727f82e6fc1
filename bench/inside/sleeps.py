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

"""Ten thousand sleeps at the same time, of up to a second: CPU seconds."""

import asyncio
import random
import time

from bench.inside import loops


def run(contender: str, sleeps: int) -> float:
    turn = random.Random(1)
    delays = [turn.random() for _each in range(sleeps)]
    if contender not in loops.GREEN:
        return loops.run(contender, lambda: _async(delays))
    return loops.run_green(contender, lambda: _green(delays))


async def _async(delays: list[float]) -> float:
    began = time.process_time()
    await asyncio.gather(*[asyncio.sleep(delay) for delay in delays])
    return time.process_time() - began


def _green(delays: list[float]) -> float:
    import eventlet

    began = time.process_time()
    for each in [eventlet.spawn(eventlet.sleep, delay) for delay in delays]:
        each.wait()
    return time.process_time() - began
