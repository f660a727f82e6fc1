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

"""Calls that run on although nobody waits for them."""

import asyncio

import pytest

from oslo_asyncio import executor
from oslo_asyncio import hub as hub_module
from oslo_asyncio.tests.hub import hanging


async def cancel(tasks):
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results)


def start(func, pool, count=1):
    calls = [executor.run_blocking(func, pool=pool) for _ in range(count)]
    return [asyncio.ensure_future(call) for call in calls]


def test_figures_count_what_waits_runs_and_is_abandoned(run, hang):
    pool = executor.add_pool("counted", 2)

    async def main():
        tasks = start(hang, "counted", 3)
        await hang.inside(2)
        seen = [pool.figures()]
        await cancel(tasks[:1])
        await hang.inside()  # the third call has got a thread instead
        seen.append(pool.figures())
        hang.release()
        await asyncio.gather(*tasks[1:])
        await hanging.until(lambda: pool.figures().running == 0)
        await hanging.until(lambda: pool.figures().abandoned == 0)
        seen.append(pool.figures())
        return seen

    full, replaced, rest = run(main)
    assert (full.queued, full.running, full.abandoned) == (1, 2, 0)
    assert (replaced.queued, replaced.running, replaced.abandoned) == (0, 2, 1)
    assert replaced.oldest >= full.oldest > 0
    assert (rest.queued, rest.running, rest.oldest) == (0, 0, 0.0)


def test_a_pool_full_of_abandoned_calls_runs_the_next_at_once(run, hang):
    pool = executor.add_pool("replaced", 4)

    async def main():
        tasks = start(hang, "replaced", 4)
        await hang.inside(4)
        await cancel(tasks)
        assert pool.figures().abandoned == 4
        return await executor.run_blocking(len, "abc", pool="replaced")

    assert run(main) == 3


@pytest.mark.parametrize("way", ["run_in_executor", "to_thread"])
def test_the_default_pool_runs_the_next_at_once_as_well(run, loop, hang, way):
    executor.add_pool("default", 2)

    def call(func, *args):
        if way == "to_thread":
            return asyncio.ensure_future(asyncio.to_thread(func, *args))
        return loop.run_in_executor(None, func, *args)

    async def main():
        tasks = [call(hang), call(hang)]
        await hang.inside(2)
        await cancel(tasks)
        return await call(len, "abc")

    assert run(main) == 3


def test_a_timeout_abandons_the_call(run, hang):
    pool = executor.add_pool("late", 1)

    async def main():
        call = executor.run_blocking(hang, pool="late")
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(call, 0.01)
        await hanging.until(lambda: hang.calls or not pool.figures().threads)
        return await executor.run_blocking(len, "abc", pool="late")

    assert run(main) == 3


def test_surplus_threads_leave_when_abandoned_calls_return(run, hang):
    pool = executor.add_pool("surplus", 2)

    async def main():
        tasks = start(hang, "surplus", 2)
        await hang.inside(2)
        await cancel(tasks)
        again = start(hang, "surplus", 2)
        await hang.inside(2)
        most = pool.figures().threads
        hang.release()
        await asyncio.gather(*again)
        await hanging.until(lambda: pool.figures().threads == 2)
        return most, pool.figures().abandoned

    assert run(main) == (4, 0)


def test_a_call_that_is_cancelled_while_it_queues_never_runs(run, hang):
    executor.add_pool("queue", 1)
    ran = []

    async def main():
        first = start(hang, "queue")
        await hang.inside()
        [queued] = start(lambda: ran.append("queued"), "queue")
        [last] = start(lambda: ran.append("last"), "queue")
        await asyncio.sleep(0)
        await cancel([queued])
        hang.release()
        await asyncio.gather(*first, last)

    run(main)
    assert ran == ["last"]


def test_row_45_a_call_that_waits_for_its_own_full_pool_is_reported(run, caplog):
    executor.add_pool("compute", 1)

    def inner():
        return "inner"

    async def ask():
        [task] = start(inner, "compute")
        await hanging.turns(3)
        await cancel([task])  # or it would be the deadlock that is reported
        return "broken"

    def outer():
        return hub_module.run_async(ask)

    async def main():
        return await executor.run_blocking(outer, pool="compute")

    assert run(main) == "broken"
    [record] = [r for r in caplog.records if r.name == "oslo_asyncio._pool"]
    assert "pool 'compute' is full" in record.getMessage()
    for name in (outer.__qualname__, inner.__qualname__):
        assert name.replace(".<locals>", "") in record.getMessage()


def test_row_45_a_call_into_another_pool_is_not_reported(run, caplog):
    executor.add_pool("compute", 1)
    executor.add_pool("images", 1)

    async def ask():
        return await executor.run_blocking(len, "abc", pool="images")

    def outer():
        return hub_module.run_async(ask)

    async def main():
        return await executor.run_blocking(outer, pool="compute")

    assert run(main) == 3
    assert not caplog.records
