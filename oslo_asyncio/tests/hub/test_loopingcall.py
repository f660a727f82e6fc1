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


import asyncio
import contextvars
import logging
import threading

import pytest

from oslo_asyncio import _anywhere
from oslo_asyncio import _bridge
from oslo_asyncio import _clock
from oslo_asyncio import exceptions
from oslo_asyncio import executor
from oslo_asyncio import fixture
from oslo_asyncio import hub as hub_module
from oslo_asyncio import loopingcall
from oslo_asyncio.tests.hub import scripted

DONE = loopingcall.LoopingCallDone
FIXED = loopingcall.FixedIntervalLoopingCall
LIMITED = loopingcall.FixedIntervalWithTimeoutLoopingCall
DYNAMIC = loopingcall.DynamicLoopingCall
BACK_OFF = loopingcall.BackOffLoopingCall


@pytest.fixture
def clock():
    with fixture.FakeClock(start=0) as made:
        yield made


@pytest.fixture(params=["sync", "async"])
def script(request):
    """Make a function, sync or async, that does what its lines say."""
    return lambda *lines: scripted.Scripted(request.param, *lines)


class TestFixedInterval:
    def test_it_calls_at_once_and_then_at_each_interval(self, clock, script):
        poll = script()
        call = FIXED(poll.function)
        call.start(interval=10)
        clock.advance(35)
        assert poll.times == [0, 10, 20, 30]
        call.stop()

    def test_an_initial_delay_comes_first(self, clock, script):
        poll = script()
        call = FIXED(poll.function)
        call.start(interval=10, initial_delay=4)
        clock.advance(15)
        assert poll.times == [4, 14]
        call.stop()

    def test_the_schedule_does_not_drift_by_what_a_call_takes(self, clock):
        times = []

        def work():
            times.append(clock.now())
            clock.take(3)

        call = FIXED(work)
        call.start(interval=10)
        clock.advance(44)  # from the end of the first call
        assert times == [0, 10, 20, 30, 40]
        call.stop()

    def test_a_call_that_outlasts_its_interval_is_followed_at_once(self, clock, caplog):
        times, takes = [], [25, 12, 1, 1, 25, 1]

        def work():
            times.append(clock.now())
            clock.take(takes.pop(0))
            if not takes:
                raise DONE()

        FIXED(work).start(interval=10)
        clock.advance(90)
        assert times == [0, 25, 37, 47, 57, 82]
        said = [line for line in caplog.messages if "outlasted" in line]
        assert len(said) == 2, "once for each time that it begins"
        assert said[0].endswith("run outlasted interval by 15.00 sec")

    def test_done_ends_it_with_a_value(self, clock, script):
        poll = script(None, None, DONE("ready"))
        outcome = FIXED(poll.function).start(interval=1)
        clock.advance(10)
        assert outcome.wait() == "ready"
        assert poll.times == [0, 1, 2]

    def test_an_exception_ends_it_and_is_raised_by_wait(self, clock, script, caplog):
        poll = script(None, KeyError("missing"))
        call = FIXED(poll.function)
        outcome = call.start(interval=1)
        clock.advance(10)
        for _twice in range(2):
            with pytest.raises(KeyError, match="missing"):
                outcome.wait()
        with pytest.raises(KeyError, match="missing"):
            call.wait()
        assert [r.levelno for r in caplog.records] == [logging.ERROR]

    def test_an_exception_is_only_logged_if_it_shall_not_stop(
        self, clock, script, caplog
    ):
        poll = script(KeyError("first"), KeyError("second"), DONE(7))
        outcome = FIXED(poll.function).start(interval=5, stop_on_exception=False)
        clock.advance(60)
        assert outcome.wait() == 7
        assert poll.times == [0, 5, 10]
        assert len(caplog.records) == 2

    def test_stop_ends_an_idle_one_with_true(self, clock, script):
        poll = script()
        call = FIXED(poll.function)
        outcome = call.start(interval=5)
        clock.advance(1)
        call.stop()
        call.stop()
        assert outcome.wait() is True
        clock.advance(60)
        assert poll.times == [0]

    def test_it_can_be_started_again_when_it_has_ended(self, clock, script):
        poll = script(DONE(1), DONE(2))
        call = FIXED(poll.function)
        assert call.start(interval=5).wait() == 1
        assert call.start(interval=5).wait() == 2

    def test_it_cannot_be_started_while_it_runs(self, clock, script):
        call = FIXED(script().function)
        call.start(interval=5)
        with pytest.raises(RuntimeError, match="can only run one function at a time"):
            call.start(interval=5)
        call.stop()

    def test_wait_before_start_says_what_to_do(self, script):
        with pytest.raises(exceptions.LoopingCallNotStarted, match=r"call start\(\)"):
            FIXED(script().function).wait()

    def test_arguments_reach_the_function(self, clock):
        def work(*args, **kwargs):
            raise DONE((args, kwargs))

        assert FIXED(work, 1, two=2).start(interval=1).wait() == ((1,), {"two": 2})


class TestWithTimeout:
    def test_it_ends_when_the_time_is_over(self, clock, script):
        poll = script()
        outcome = LIMITED(poll.function).start(interval=10, timeout=25)
        clock.advance(100)
        with pytest.raises(
            loopingcall.LoopingCallTimeOut, match=r"timed out after 30\.00 seconds"
        ):
            outcome.wait()
        assert poll.times == [0, 10, 20, 30]

    def test_without_a_timeout_it_goes_on(self, clock, script):
        poll = script()
        call = LIMITED(poll.function)
        call.start(interval=10)
        clock.advance(1000)
        assert len(poll.times) == 101
        call.stop()


class TestDynamic:
    def test_the_function_says_when_it_is_called_again(self, clock, script):
        poll = script(3, 1, DONE())
        outcome = DYNAMIC(poll.function).start()
        clock.advance(10)
        assert outcome.wait() is True
        assert poll.times == [0, 3, 4]

    def test_an_interval_has_a_limit(self, clock, script):
        poll = script(30, None, DONE())
        DYNAMIC(poll.function).start(initial_delay=2, periodic_interval_max=5)
        clock.advance(20)
        assert poll.times == [2, 7, 12]

    def test_neither_interval_nor_limit_is_an_error(self, clock, script):
        outcome = DYNAMIC(script(None).function).start()
        with pytest.raises(RuntimeError, match="should supply either an interval"):
            outcome.wait()


class TestBackOff:
    @pytest.fixture(autouse=True)
    def _no_jitter(self, monkeypatch):
        monkeypatch.setattr(BACK_OFF._RNG, "gauss", lambda mean, sigma: mean)

    def test_intervals_grow_while_it_fails_and_begin_anew(self, clock, script):
        poll = script(False, False, False, True, False, DONE())
        outcome = BACK_OFF(poll.function).start(jitter=1.0)
        clock.advance(100)
        assert outcome.wait() is True
        assert poll.times == [0, 2, 6, 14, 15, 17]

    def test_it_gives_up_after_its_timeout(self, clock, script):
        poll = script(False)
        outcome = BACK_OFF(poll.function).start(jitter=1.0, timeout=20)
        clock.advance(100)
        with pytest.raises(loopingcall.LoopingCallTimeOut):
            outcome.wait()
        assert poll.times == [0, 2, 6, 14]

    def test_an_interval_has_two_limits(self, clock, script):
        poll = script(False, False, False, DONE())
        BACK_OFF(poll.function).start(jitter=1.0, max_interval=3)
        clock.advance(20)
        assert poll.times == [0, 2, 5, 8]


class TestRetry:
    def test_it_calls_again_after_growing_pauses(self):
        poll = scripted.Scripted("sync", OSError(1), OSError(2), OSError(3), "answer")
        retry = loopingcall.RetryDecorator(5, 10, 25, (OSError,))
        with fixture.SleepFixture() as sleep:
            assert retry(poll.function)() == "answer"
        assert [call.args for call in sleep.mock_wait.call_args_list] == [
            (10,),
            (20,),
            (25,),
        ]

    def test_it_raises_the_last_one_when_none_is_left(self):
        poll = scripted.Scripted("sync", OSError(1), OSError(2), OSError(3))
        retry = loopingcall.RetryDecorator(2, 0, 0, (OSError,))
        with pytest.raises(OSError, match="3"):
            retry(poll.function)()
        assert len(poll.times) == 3

    def test_others_are_raised_at_once(self):
        poll = scripted.Scripted("sync", KeyError(1), "never")
        with pytest.raises(KeyError):
            loopingcall.RetryDecorator(exceptions=(OSError,))(poll.function)()

    def test_each_call_counts_for_itself(self):
        answers = [OSError(1), OSError(2), "one", OSError(3), OSError(4), "two"]
        poll = scripted.Scripted("sync", *answers)
        ask = loopingcall.RetryDecorator(2, 0, 0, (OSError,))(poll.function)
        assert [ask(), ask()] == ["one", "two"]

    def test_an_async_function_stays_one(self, run):
        @loopingcall.RetryDecorator(5, 0, 0, (OSError,))
        async def ask(answers):
            """Ask."""
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        assert ask.__doc__ == "Ask."
        assert run(ask, [OSError(1), "answer"]) == "answer"


class TestWhoWaits:
    def test_sync_code_without_a_service(self, script):
        assert FIXED(script(DONE(5)).function).start(interval=1).wait() == 5

    def test_async_code(self, run, script):
        async def main():
            return await FIXED(script(None, DONE(5)).function).start(interval=0.001)

        assert run(main) == 5

    def test_sync_code_beside_a_loop(self, run, script):
        def beside():
            return FIXED(script(None, DONE(5)).function).start(interval=0.001).wait()

        assert run(hub_module.run_sync, beside) == 5

    def test_several_at_the_same_time(self, run, script):
        async def main():
            poll = script(None, None, DONE(5))
            outcome = FIXED(poll.function).start(interval=0.01)
            waits = [hub_module.run_sync(outcome.wait) for _each in range(3)]

            async def awaits():
                return await outcome

            return await asyncio.gather(*waits, awaits(), awaits())

        assert run(main) == [5] * 5

    def test_each_gets_the_exception(self, run, script):
        async def main():
            outcome = FIXED(script(KeyError(1)).function).start(interval=1)
            waits = [hub_module.run_sync(outcome.wait) for _each in range(2)]
            return await asyncio.gather(*waits, return_exceptions=True)

        assert [type(error) for error in run(main)] == [KeyError, KeyError]

    def test_wait_on_the_loop_is_refused(self, run, script):
        async def main():
            call = FIXED(script().function)
            call.start(interval=10)
            try:
                with pytest.raises(exceptions.WaitOnLoop, match="write await"):
                    call.wait()
            finally:
                call.stop()

        run(main)

    def test_a_time_limit(self, clock, script):
        call = FIXED(script().function)
        outcome = call.start(interval=10)
        with pytest.raises(exceptions.WaitTimeout, match=r"has not ended within 0\.01"):
            outcome.wait(timeout=0.01)
        call.stop()
        assert outcome.wait(timeout=60) is True

    def test_a_cancelled_wait_leaves_the_others(self, run, script):
        async def main():
            call = FIXED(script().function)
            outcome = call.start(interval=10)

            async def wait():
                await outcome

            first, second = asyncio.create_task(wait()), asyncio.create_task(wait())
            await asyncio.sleep(0)
            first.cancel()
            await asyncio.wait([first])
            call.stop()
            await second
            return first.cancelled()

        assert run(main)

    def test_they_are_told_when_the_loop_has_stopped(self, loop, script):
        async def main():
            waiting = asyncio.get_running_loop().create_future()

            def beside():
                outcome = FIXED(script().function).start(interval=60)
                loop.call_soon_threadsafe(waiting.set_result, None)
                try:
                    outcome.wait()
                except exceptions.LoopStopped as error:
                    ended.append(error)
                told.set()

            hub_module.current().spawn_thread(beside, "beside")
            await waiting

        ended, told = [], threading.Event()
        loop.run_until_complete(main())
        told.wait(30)
        assert len(ended) == 1
        left = [each for each in _bridge._waiting if each.home.loop is loop]
        assert left == [], "nothing keeps them"

    def test_one_that_finds_no_hub_can_be_started_later(self, monkeypatch, script):
        call = FIXED(script(DONE(5)).function)
        with monkeypatch.context() as patch:
            patch.setattr(_bridge, "_aside", None)
            patch.setattr(_anywhere, "_aside", {})
            patch.setattr(hub_module, "_current", None)
            patch.setenv(hub_module.ENVIRONMENT, "gevent")
            with pytest.raises(exceptions.HubNotFound, match="gevent"):
                call.start(interval=1)
        assert call.start(interval=1).wait() == 5


def test_row_60_calls_never_wait_for_a_place_behind_their_own_waiters(run):
    executor.add_pool("rpc", max_threads=2)

    def serve():
        polls = iter([None, None, DONE("ready")])

        def poll():
            line = next(polls)
            if line is not None:
                raise line

        return FIXED(poll).start(interval=0.001).wait()

    async def main():
        full = [executor.run_blocking(serve, pool="rpc") for _each in range(20)]
        beside = [hub_module.run_sync(serve) for _each in range(100)]
        return await asyncio.gather(*full, *beside)

    assert run(main) == ["ready"] * 120


class TestWhereItRuns:
    def test_async_on_the_loop_and_sync_beside_it(self, loop):
        async def on_loop():
            raise DONE(asyncio.get_running_loop())

        def beside():
            with pytest.raises(RuntimeError):
                asyncio.get_running_loop()
            raise DONE("beside")

        async def main():
            assert await FIXED(on_loop).start(interval=1) is loop
            assert await FIXED(beside).start(interval=1) == "beside"

        loop.run_until_complete(main())

    def test_a_sync_function_that_hands_on_a_coroutine(self, run):
        async def later():
            raise DONE("later")

        async def main():
            return await FIXED(lambda: later()).start(interval=1)

        assert run(main) == "later"

    def test_the_function_sees_the_context_of_start(self, run, script):
        request = contextvars.ContextVar("request", default="none")

        def work():
            raise DONE(request.get())

        async def main():
            request.set("r-1")
            outcome = FIXED(work).start(interval=1, initial_delay=0.001)
            request.set("r-2")
            return await outcome

        assert run(main) == "r-1"

    def test_an_idle_one_costs_no_thread(self, run):
        async def main():
            seen = asyncio.Event()
            loop = asyncio.get_running_loop()
            before = threading.active_count()
            left = [100]

            def work():
                left[0] -= 1
                if not left[0]:
                    loop.call_soon_threadsafe(seen.set)

            calls = [FIXED(work) for _each in range(100)]
            for call in calls:
                call.start(interval=60)
            await seen.wait()
            more = threading.active_count() - before
            for call in calls:
                call.stop()
            return more

        assert run(main) < 20

    def test_it_stops_from_inside(self, clock, script):
        calls = []

        def work():
            calls.append(clock.now())
            call.stop()

        call = FIXED(work)
        assert call.start(interval=1).wait() is True
        clock.advance(5)
        assert calls == [0]


def test_a_mock_in_the_place_of_the_pause_means_no_pause():
    poll = scripted.Scripted("sync", 3600, 3600, DONE("ready"))
    with fixture.SleepFixture() as sleep:
        assert DYNAMIC(poll.function).start().wait() == "ready"
        assert sleep.mock_wait.call_count == 2


def test_the_real_clock_is_in_use_otherwise():
    assert type(_clock.get()) is _clock.Clock
