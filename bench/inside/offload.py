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

"""A function that does nothing, in a native thread."""

import asyncio

from bench.inside import calls
from bench.inside import loops


def nothing() -> None:
    pass


def run(contender: str, total: int, in_flight: int) -> float:
    return loops.run(contender, lambda: _main(contender, total, in_flight))


async def _main(contender: str, total: int, in_flight: int) -> float:
    if contender.startswith("ours"):
        from oslo_asyncio import executor

        return await calls.per_second(
            lambda: executor.run_blocking(nothing), total, in_flight
        )
    loop = asyncio.get_running_loop()
    return await calls.per_second(
        lambda: loop.run_in_executor(None, nothing), total, in_flight
    )
