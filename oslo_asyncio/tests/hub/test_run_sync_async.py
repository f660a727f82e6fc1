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

"""Sync code from async code and back, on a loop that has nothing else to do."""

import asyncio
import contextvars
import threading
import traceback

import pytest

from oslo_asyncio import _unpatched
from oslo_asyncio import executor
from oslo_asyncio import hub as hub_module

# A wake-up that gets lost leaves an idle loop asleep for good.
pytestmark = pytest.mark.timeout(30)

request_id = contextvars.ContextVar("request_id", default="none")


async def double(number):
    await asyncio.sleep(0)
    return number * 2


def test_an_idle_loop_wakes_up_when_sync_code_returns(run):
    async def main():
        return await hub_module.run_sync(sum, [1, 2], start=3)

    assert run(main) == 6


def test_an_idle_loop_wakes_up_when_sync_code_calls(run):
    async def main():
        return await hub_module.run_sync(hub_module.run_async, double, 21)

    assert run(main) == 42


def test_waiting_sync_code_wakes_up_an_idle_loop_that_it_called_twice(run):
    def sync():
        return [hub_module.run_async(double, number) for number in (1, 2)]

    async def main():
        return await hub_module.run_sync(sync)

    assert run(main) == [2, 4]


def test_calls_nest(run):
    def sync(depth):
        return hub_module.run_async(back, depth)

    async def back(depth):
        return depth and 1 + await hub_module.run_sync(sync, depth - 1)

    async def main():
        return await hub_module.run_sync(sync, 5)

    assert run(main) == 5


def test_sync_code_runs_beside_the_loop(run):
    go = threading.Event()

    async def main():
        task = asyncio.ensure_future(hub_module.run_sync(go.wait, 20))
        await asyncio.sleep(0)
        go.set()
        return await task

    assert run(main)


def test_native_threads_call_async_code_on_every_hub(run):
    async def main():
        return await executor.run_blocking(hub_module.run_async, double, 4)

    assert run(main) == 8


def test_fifty_threads_call_async_code_at_once(run):
    together = _unpatched.threading.Barrier(50)

    def sync(number):
        together.wait(30)
        return hub_module.run_async(double, number)

    async def main():
        calls = [executor.run_blocking(sync, number) for number in range(50)]
        return await asyncio.gather(*calls)

    assert run(main) == [number * 2 for number in range(50)]


def test_an_error_of_sync_code_keeps_its_type_and_traceback(run):
    def breaks():
        raise LookupError("lost")

    async def main():
        await hub_module.run_sync(breaks)

    with pytest.raises(LookupError, match="lost") as caught:
        run(main)
    assert "breaks" in [frame.name for frame in traceback.extract_tb(caught.tb)]


def test_an_error_of_async_code_keeps_its_type_and_traceback(run):
    async def breaks():
        raise LookupError("lost")

    def sync():
        try:
            hub_module.run_async(breaks)
        except LookupError as error:
            return [frame.name for frame in traceback.extract_tb(error.__traceback__)]

    async def main():
        return await hub_module.run_sync(sync)

    names = run(main)
    assert names[0] == "sync"
    assert names[-1] == "breaks"


def test_context_variables_travel_both_ways_as_copies(run):
    async def asynchronous():
        seen = request_id.get()
        request_id.set("async")
        return seen

    def sync():
        seen = request_id.get()
        request_id.set("sync")
        return seen, hub_module.run_async(asynchronous), request_id.get()

    async def main():
        request_id.set("main")
        return *(await hub_module.run_sync(sync)), request_id.get()

    assert run(main) == ("main", "sync", "sync", "main")


def test_stop_iteration_arrives_as_the_cause_of_a_runtime_error(run):
    async def main():
        await hub_module.run_sync(next, iter(()))

    with pytest.raises(RuntimeError, match="StopIteration") as caught:
        run(main)
    assert isinstance(caught.value.__cause__, StopIteration)


def test_system_exit_arrives_at_the_caller(run):
    def leave():
        raise SystemExit(3)

    async def main():
        with pytest.raises(SystemExit) as caught:
            await hub_module.run_sync(leave)
        return caught.value.code

    assert run(main) == 3
