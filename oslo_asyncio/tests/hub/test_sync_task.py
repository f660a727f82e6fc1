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

"""The handle of sync code that runs beside the loop."""

import asyncio
import threading

import pytest

from oslo_asyncio import hub as hub_module

pytestmark = pytest.mark.timeout(30)


class Waiting:
    """Sync code that waits, as the code of a service does, for an event."""

    def __init__(self):
        self.go = threading.Event()
        self.left = threading.Event()
        self.ends = []

    def wait_for_it(self, loop, entered):
        loop.call_soon_threadsafe(entered.set)
        try:
            self.go.wait(20)
            self.ends.append("done")
        finally:
            self.ends.append("finally")
            self.left.set()


async def started(waiting):
    entered = asyncio.Event()
    loop = asyncio.get_running_loop()
    task = hub_module.current().spawn_sync(waiting.wait_for_it, loop, entered)
    await entered.wait()
    return task


def test_it_has_the_name_of_the_function(run):
    async def main():
        task = hub_module.current().spawn_sync(len, "abc")
        return task.name, await task

    assert run(main) == ("len", 3)


def test_its_stack_names_where_the_sync_code_is(run):
    waiting = Waiting()

    async def main():
        task = await started(waiting)
        during = task.stack()
        waiting.go.set()
        await task
        return task.name, during, task.stack()

    name, during, after = run(main)
    assert name == "Waiting.wait_for_it"
    assert "in wait_for_it" in during
    assert "in wait_for_it" not in after


def test_kill_ends_sync_code_only_where_the_hub_can(run, hub):
    killable = hub_module.Characteristic.KILLABLE_SYNC in hub.characteristics
    waiting = Waiting()

    async def main():
        task = await started(waiting)
        killed = task.kill()
        waiting.go.set()
        results = await asyncio.gather(task, return_exceptions=True)
        return killed, isinstance(results[0], asyncio.CancelledError)

    assert run(main) == (killable, killable)
    assert waiting.left.wait(20)
    assert waiting.ends == (["finally"] if killable else ["done", "finally"])


def test_kill_after_the_end_does_nothing(run):
    async def main():
        task = hub_module.current().spawn_sync(len, "abc")
        await task
        return task.kill()

    assert run(main) is False


def test_cancelling_the_wait_leaves_the_sync_code_running(run):
    waiting = Waiting()

    async def main():
        task = await started(waiting)
        assert task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not waiting.ends
        waiting.go.set()
        await hub_module.run_sync(waiting.left.wait, 20)

    run(main)
    assert waiting.ends == ["done", "finally"]


def test_sync_code_that_ends_itself_ends_the_wait(run, hub_name):
    if hub_name != "eventlet":
        pytest.skip("only green threads know GreenletExit")
    import greenlet

    def ends():
        raise greenlet.GreenletExit

    async def main():
        task = hub_module.current().spawn_sync(ends)
        return await asyncio.wait([task], timeout=5)

    done, _pending = run(main)
    assert done
