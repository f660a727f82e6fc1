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

"""What a stop waits for may have ended already, a turn ago."""

import asyncio

from oslo_asyncio import executor
from oslo_asyncio._worker import deadline
from oslo_asyncio._worker import group
from oslo_asyncio._worker import teardown


class Brief:
    """A service whose wait() ends as it stops."""

    def __init__(self):
        self.ended = asyncio.Event()

    async def start(self):
        pass

    async def stop(self):
        self.ended.set()

    async def wait(self):
        await self.ended.wait()

    async def reset(self):
        pass


async def just_ended():
    """A task that is done, and whose callbacks have not been called yet."""
    ended = asyncio.Event()

    async def background():
        ended.set()  # wakes the waiter ahead of the task's own callbacks

    registered = set()
    task = asyncio.ensure_future(background())
    registered.add(task)
    task.add_done_callback(registered.discard)
    await ended.wait()
    assert task.done()
    assert registered
    return task


def test_row_48_a_task_that_is_done_and_still_listed_is_not_waited_for(run):
    async def main():
        task = await just_ended()
        limit = deadline.Deadline(None)
        await limit.within(task)
        await limit.within(asyncio.shield(await just_ended()))

    run(main)


def test_row_48_a_service_that_ends_in_the_turn_of_its_stop_is_joined(run, hub):
    async def main():
        services = group.Group(hub, lambda status: None)
        await services.boot([Brief(), Brief()])
        await services.stop()
        await services.joined()
        await services.joined()
        services.name_overdue()
        return services.overdue

    assert run(main) is False


def test_row_6_nothing_starts_once_a_stop_was_asked_for(run, hub):
    async def main():
        services = group.Group(hub, lambda status: None)
        services.ending = True
        brief = Brief()
        await services.boot([brief])
        await services.stop()
        return brief.ended.is_set()

    assert run(main) is False


def test_row_48_tear_down_ends_with_tasks_that_end_or_begin_meanwhile(run, loop):
    async def main():
        await just_ended()
        again = []

        async def stubborn():
            try:
                await asyncio.Event().wait()
            finally:
                again.append(asyncio.ensure_future(asyncio.sleep(0)))

        task = asyncio.ensure_future(stubborn())
        call = asyncio.ensure_future(executor.run_blocking(int))
        await asyncio.sleep(0)
        await teardown.tear_down(loop, 5)
        return task.cancelled(), call.done(), bool(again)

    assert run(main) == (True, True, True)
