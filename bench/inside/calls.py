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

"""Chains of calls that each wait for the one before: so many in flight."""

import asyncio
from collections.abc import Awaitable
from collections.abc import Callable
import time


async def per_second(
    call: Callable[[], Awaitable[object]], total: int, in_flight: int
) -> float:
    """Calls per second, in thousands, after one that warms up."""

    async def chain() -> None:
        for _each in range(total // in_flight):
            await call()

    await call()
    began = time.perf_counter()
    await asyncio.gather(*[chain() for _each in range(in_flight)])
    took = time.perf_counter() - began
    return total // in_flight * in_flight / took / 1e3
