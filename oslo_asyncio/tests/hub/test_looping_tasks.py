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

"""The calls of an async function are steps of one task, which rests between them."""

import asyncio
import contextvars
import gc

import pytest

from oslo_asyncio import _park
from oslo_asyncio import exceptions
from oslo_asyncio import loopingcall

DONE = loopingcall.LoopingCallDone
FIXED = loopingcall.FixedIntervalLoopingCall


class Calls:
    """Each call takes its line: an exception is raised, a function is called."""

    def __init__(self, *lines):
        self._lines = list(lines)
        self.tasks = []
        self.made = asyncio.Event()

    async def function(self):
        self.tasks.append(asyncio.current_task())
        self.made.set()
        line = self._lines.pop(0) if self._lines else None
        if isinstance(line, BaseException):
            raise line
        if line is not None:
            await line()


async def resting(calls):
    """The task of a looping call that has called once and rests."""
    await calls.made.wait()
    await asyncio.sleep(0)
    return calls.tasks[0]


class TestCalls:
    def test_they_are_steps_of_one_task_whether_they_wait_or_not(self, run):
        async def main():
            calls = Calls(None, lambda: asyncio.sleep(0), ValueError(), None, DONE("x"))
            call = FIXED(calls.function)
            outcome = call.start(interval=0.001, stop_on_exception=False)
            return await outcome, len(calls.tasks), len({*calls.tasks})

        assert run(main) == ("x", 5, 1)

    def test_what_one_sets_the_next_one_sees(self, run):
        request = contextvars.ContextVar("request", default=0)

        async def main():
            async def count():
                request.set(request.get() + 1)
                if request.get() == 3:
                    raise DONE(request.get())

            return await FIXED(count).start(interval=0.001), request.get()

        assert run(main) == (3, 0)

    def test_a_time_limit_inside_one_ends_that_one(self, run):
        async def main():
            async def hang():
                async with asyncio.timeout(0):
                    await asyncio.Event().wait()

            calls = Calls(hang, None, DONE("went on"))
            call = FIXED(calls.function)
            return await call.start(interval=0.001, stop_on_exception=False)

        assert run(main) == "went on"

    def test_another_start_is_another_task(self, run):
        async def main():
            calls = Calls(DONE(1), DONE(2))
            call = FIXED(calls.function)
            results = [await call.start(interval=60) for _each in range(2)]
            return results, len({*calls.tasks})

        assert run(main) == ([1, 2], 2)


class TestARestingTask:
    def test_ends_when_the_looping_call_is_stopped(self, run):
        async def main():
            calls = Calls()
            call = FIXED(calls.function)
            outcome = call.start(interval=60)
            task = await resting(calls)
            call.stop()
            await asyncio.wait([task])
            return await outcome, task.cancelled()

        assert run(main) == (True, False)

    def test_ends_the_looping_call_when_it_is_cancelled(self, run):
        async def main():
            calls = Calls()
            outcome = FIXED(calls.function).start(interval=60)
            task = await resting(calls)
            task.cancel()
            with pytest.raises(exceptions.LoopStopped):
                await outcome
            await asyncio.wait([task])
            return task.cancelled()

        assert run(main)

    def test_ends_the_looping_call_when_it_is_cancelled_in_a_call(self, run):
        async def main():
            calls = Calls(asyncio.Event().wait)
            outcome = FIXED(calls.function).start(interval=60)
            (await resting(calls)).cancel()
            with pytest.raises(exceptions.LoopStopped):
                await outcome

        run(main)

    def test_is_no_complaint_when_its_loop_is_closed(self, hub, caplog):
        async def main():
            calls = Calls()
            FIXED(calls.function).start(interval=60)
            await resting(calls)

        loop = hub.new_event_loop()
        loop.run_until_complete(main())
        loop.close()
        del loop
        gc.collect()
        assert caplog.text == ""

    def test_is_called_as_the_function_is(self, run):
        async def main():
            calls = Calls()
            call = FIXED(calls.function)
            call.start(interval=60)
            name = (await resting(calls)).get_name()
            call.stop()
            return name

        assert run(main).endswith("Calls.function")


class TestAPark:
    def test_who_lets_it_go_on_runs_its_next_step(self, run):
        async def main():
            order = []
            park = _park.Park(asyncio.get_running_loop())

            async def wait():
                for turn in "ab":
                    await park
                    order.append(turn)

            task = asyncio.create_task(wait())
            await asyncio.sleep(0)

            def leave():
                park.leave()
                order.append("left")

            asyncio.get_running_loop().call_soon(leave)
            asyncio.get_running_loop().call_soon(leave)
            await task
            return order

        assert run(main) == ["a", "left", "b", "left"]

    def test_nobody_waits_and_nothing_happens(self, run):
        async def main():
            park = _park.Park(asyncio.get_running_loop())
            park.leave()
            park.leave_soon()

        run(main)

    def test_a_cancelled_one_ends_with_that(self, run):
        async def main():
            park = _park.Park(asyncio.get_running_loop())

            async def wait():
                await park

            task = asyncio.create_task(wait())
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            return task.cancelled()

        assert run(main)
