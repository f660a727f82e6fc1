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

"""How pools end with their loop."""

import asyncio
import concurrent.futures

import pytest

from oslo_asyncio import _unpatched
from oslo_asyncio import executor
from oslo_asyncio.tests.hub import hanging


def test_running_calls_drain(run, loop, hang):
    hang.answer = "done"

    async def main():
        task = asyncio.ensure_future(executor.run_blocking(hang))
        await hang.inside()
        shutdown = asyncio.ensure_future(loop.shutdown_default_executor(20))
        await hanging.turns()
        assert not shutdown.done()
        hang.release()
        await shutdown
        return await task

    assert run(main) == "done"


def test_queued_calls_drain(run, loop, hang):
    executor.add_pool("default", 1)

    async def main():
        first = asyncio.ensure_future(asyncio.to_thread(hang))
        await hang.inside()
        queued = asyncio.ensure_future(asyncio.to_thread(len, "abc"))
        shutdown = asyncio.ensure_future(loop.shutdown_default_executor(20))
        await hanging.turns()
        hang.release()
        await shutdown
        await first
        return await queued

    assert run(main) == 3


@pytest.mark.parametrize("way", ["run_in_executor", "to_thread", "run_blocking"])
def test_row_50_new_calls_are_refused_afterwards(run, loop, way):
    async def main():
        await loop.shutdown_default_executor()
        if way == "run_blocking":
            return await executor.run_blocking(len, "")
        if way == "to_thread":
            return await asyncio.to_thread(len, "")
        return await loop.run_in_executor(None, len, "")

    with pytest.raises(RuntimeError, match="shutdown"):
        run(main)


def test_row_50_the_next_loop_has_the_pools_again(run, loop, hub):
    run(loop.shutdown_default_executor)
    loop.close()
    following = hub.new_event_loop()
    try:
        assert following.run_until_complete(asyncio.to_thread(len, "abc")) == 3
    finally:
        following.close()


def test_row_46_a_call_that_hangs_is_named_and_left_behind(run, loop, hang, caplog):
    executor.add_pool("images", 1)

    async def main():
        task = asyncio.ensure_future(executor.run_blocking(hang, pool="images"))
        await hang.inside()
        await loop.shutdown_default_executor(0.01)
        assert not hang._gate.is_set()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main)
    [record] = [r for r in caplog.records if r.name.startswith("oslo_asyncio")]
    assert "pool 'images'" in record.getMessage()
    assert "Hanging is still running and is left behind" in record.getMessage()
    assert "in __call__" in record.getMessage()


def test_row_46_a_call_abandoned_earlier_is_named_and_not_waited_for(
    run, loop, hang, caplog
):
    async def main():
        task = asyncio.ensure_future(executor.run_blocking(hang))
        await hang.inside()
        task.cancel()
        await asyncio.wait([task])
        await loop.close_pools(None)

    run(main)
    assert "Hanging is still running and is left behind" in caplog.text


def test_calls_of_another_loop_are_not_waited_for(run, loop, hub, hang):
    other = hub.new_event_loop()

    async def start():
        task = asyncio.ensure_future(executor.run_blocking(hang))
        await hang.inside()
        return task

    async def finish(task):
        hang.release()
        await task

    task = run(start)
    other.run_until_complete(other.shutdown_default_executor())
    assert not task.done()
    run(finish, task)
    other.close()


def test_a_call_may_outlive_its_loop(hub):
    pool = executor.add_pool("outlives", 1)
    pool.idle_timeout = 0.01
    first = hub.new_event_loop()

    hang = hanging.Hanging(first)

    async def main():
        task = asyncio.ensure_future(executor.run_blocking(hang, pool="outlives"))
        await hang.inside()
        return task

    first.run_until_complete(main())
    first.run_until_complete(first.close_pools(0.01))
    first.close()
    [thread] = [
        thread
        for thread in _unpatched.threading.enumerate()
        if thread.name == "outlives-1"
    ]
    hang.release()
    thread.join(20)
    assert not thread.is_alive()
    assert pool.figures().threads == 0


class Own(concurrent.futures.ThreadPoolExecutor):
    submitted = 0

    def submit(self, func, /, *args, **kwargs):
        self.submitted += 1
        return super().submit(func, *args, **kwargs)


def test_an_executor_of_the_application_wins(run, loop):
    own = Own(1)

    async def main():
        loop.set_default_executor(own)
        return await loop.run_in_executor(None, len, "abc")

    assert run(main) == 3
    assert own.submitted == 1
    assert executor.pools() == []


def test_an_executor_of_the_application_is_shut_down_with_the_loop(run, loop):
    own = Own(1)

    async def main():
        loop.set_default_executor(own)
        await loop.run_in_executor(None, len, "abc")
        shutdown = asyncio.ensure_future(loop.shutdown_default_executor())
        done, _pending = await asyncio.wait([shutdown], timeout=5)
        assert done, "the shutdown never ends"
        with pytest.raises(RuntimeError):
            await loop.run_in_executor(None, len, "abc")

    run(main)
    with pytest.raises(RuntimeError):
        own.submit(len, "abc")
