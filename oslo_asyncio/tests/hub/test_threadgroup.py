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
import queue
import threading

import pytest

from oslo_asyncio import _ending
from oslo_asyncio import exceptions
from oslo_asyncio import executor
from oslo_asyncio import fixture
from oslo_asyncio import hub as hub_module
from oslo_asyncio import service
from oslo_asyncio import threadgroup


@pytest.fixture
def group():
    made = threadgroup.ThreadGroup()
    yield made
    made.stop()


@pytest.fixture
def clock():
    with fixture.FakeClock(start=0) as made:
        yield made


@pytest.fixture
def killable(hub):
    return hub_module.Characteristic.KILLABLE_SYNC in hub.characteristics


class Gate:
    """Sync code that has come in, and waits until it is let go."""

    def __init__(self):
        self.entered = queue.Queue()
        self.go = threading.Event()
        self.left = []

    def __call__(self, name=None):
        self.entered.put(name)
        try:
            self.go.wait()
        finally:
            self.left.append(name)
        return name

    def meet(self):
        return self.entered.get(timeout=30)


@pytest.fixture
def gate():
    made = Gate()
    yield made
    made.go.set()


class TestThreads:
    def test_a_sync_one_runs_beside_the_caller(self, group, gate):
        thread = group.add_thread(gate, "a")
        assert gate.meet() == "a"
        assert group.threads == [thread]
        gate.go.set()
        assert thread.wait() == "a"
        assert group.threads == []

    def test_an_async_one_runs_on_the_loop(self, loop):
        async def where(*args, **kwargs):
            return asyncio.get_running_loop(), args, kwargs

        async def main():
            group = threadgroup.ThreadGroup()
            return await group.add_thread(where, 1, two=2)

        assert loop.run_until_complete(main()) == (loop, (1,), {"two": 2})

    def test_sync_code_adds_and_waits_for_an_async_one(self, group, run):
        async def double(number):
            return 2 * number

        assert group.add_thread(double, 2).wait() == 4
        assert run(hub_module.run_sync, lambda: group.add_thread(double, 3).wait()) == 6

    def test_what_it_raises_is_logged_and_raised_by_wait(self, group, caplog):
        def fail():
            raise KeyError("missing")

        thread = group.add_thread(fail)
        with pytest.raises(KeyError, match="missing"):
            thread.wait()
        assert [record.getMessage() for record in caplog.records] == [
            f"Thread {thread.name} failed"
        ]

    def test_wait_waits_for_all_and_raises_nothing(self, group, gate):
        def fail():
            gate("fail")
            raise KeyError("missing")

        group.add_thread(fail)
        group.add_thread(gate, "other")
        {gate.meet(), gate.meet()}
        waiting = group.add_thread(group.wait)  # not for itself
        gate.go.set()
        waiting.wait()
        assert sorted(gate.left) == ["fail", "other"]

    def test_async_code_awaits_the_group(self, run, gate):
        async def main():
            group = threadgroup.ThreadGroup()
            group.add_thread(asyncio.sleep, 0.001)
            group.add_thread(lambda: None)
            await group.wait()
            await group.waitall()
            return group.threads

        assert run(main) == []

    def test_it_sees_the_context_of_its_caller(self, group):
        request = contextvars.ContextVar("request", default="none")
        request.set("r-1")

        async def asked():
            return request.get()

        assert group.add_thread(request.get).wait() == "r-1"
        assert group.add_thread(asked).wait() == "r-1"

    def test_each_has_an_ident_of_its_own(self, group, gate):
        threads = [group.add_thread(gate) for _each in range(3)]
        assert len({thread.ident for thread in threads}) == 3


class TestFromNativeThreads:
    """On every hub a native thread may add threads, and end up with the right kind."""

    def test_it_adds_one_and_waits(self, run, group):
        def kind():
            return type(threading.current_thread())

        def beside():
            return group.add_thread(kind).wait()

        async def main():
            expected = await hub_module.run_sync(kind)
            return expected is await executor.run_blocking(beside)

        assert run(main)

    def test_it_stops_one(self, run, gate, killable):
        async def main():
            group = threadgroup.ThreadGroup()
            thread = await executor.run_blocking(group.add_thread, gate, "a")
            assert await hub_module.run_sync(gate.meet) == "a"
            stopped = await executor.run_blocking(thread.stop)
            if not stopped:
                gate.go.set()
            await thread
            return stopped

        assert run(main) is killable


class TestLinks:
    def test_a_link_is_called_with_the_thread_when_it_has_ended(self, group, gate):
        linked = queue.Queue()

        async def later(*args, **kwargs):
            linked.put((args, kwargs))

        thread = group.add_thread(gate)
        thread.link(lambda *args, **kwargs: linked.put((args, kwargs)), 1, two=2)
        thread.link(later, 3)
        gate.meet()
        gate.go.set()
        got = [linked.get(timeout=30), linked.get(timeout=30)]
        assert ((thread, 1), {"two": 2}) in got
        assert ((thread, 3), {}) in got

    def test_a_link_to_one_that_has_ended_is_called_now(self, group):
        thread, linked = group.add_thread(lambda: 5), []
        thread.wait()
        thread.link(lambda ended: linked.append(ended.wait()))
        assert linked == [5]

    def test_a_link_that_fails_is_logged_and_the_next_is_called(self, group, caplog):
        linked = queue.Queue()

        def fail(_thread):
            raise KeyError("missing")

        gone = group.add_thread(lambda: None)
        gone.link(fail)
        gone.link(linked.put)
        assert linked.get(timeout=30) is gone
        assert "linked to thread" in caplog.text

    def test_a_sync_link_to_an_async_one_runs_beside_the_loop(self, loop):
        async def main():
            ended = loop.create_future()

            def link(thread):
                with pytest.raises(RuntimeError):
                    asyncio.get_running_loop()
                loop.call_soon_threadsafe(ended.set_result, thread.wait())

            threadgroup.ThreadGroup().add_thread(asyncio.sleep, 0, "slept").link(link)
            return await ended

        assert loop.run_until_complete(main()) == "slept"


class TestStop:
    def test_graceful_waits_and_is_visible_inside(self, group):
        entered = queue.Queue()

        def work():
            entered.put(threadgroup.stopping())
            while not threadgroup.stopping():
                entered.put(None)
                threading.Event().wait(0.001)
            return "in order"

        thread = group.add_thread(work)
        assert entered.get(timeout=30) is False
        group.stop(graceful=True)
        assert thread.wait() == "in order"
        assert group.threads == []

    def test_not_graceful_ends_what_the_hub_can_end(
        self, group, gate, killable, caplog, monkeypatch
    ):
        monkeypatch.setattr(_ending, "PATIENCE", 0.001)
        thread = group.add_thread(gate, "a")
        gate.meet()
        ends = thread.stop()
        assert ends is killable
        if killable:
            assert thread.wait() is None
            assert gate.left == ["a"]
            assert caplog.messages == []
            return
        [line] = caplog.messages
        assert "cannot be ended on the" in line
        assert "self.go.wait()" in line, "its stack"
        group.stop()
        group.wait()
        assert group.threads == [], "nobody waits for it any more"
        assert len(caplog.messages) == 2

    def test_a_native_one_that_ends_in_time_is_not_named_in_the_log(
        self, group, caplog
    ):
        def work():
            entered.put(None)
            while not threadgroup.stopping():
                threading.Event().wait(0.001)

        entered = queue.Queue()
        thread = group.add_thread(work)
        entered.get(timeout=30)
        group.stop()
        thread.wait()
        assert caplog.messages == []

    def test_an_async_one_is_cancelled(self, run, caplog):
        async def main():
            cleaned = []

            async def work():
                try:
                    await asyncio.sleep(3600)
                finally:
                    cleaned.append(threadgroup.stopping())

            group = threadgroup.ThreadGroup()
            thread = group.add_thread(work)
            await asyncio.sleep(0)
            group.stop()
            assert await thread is None
            return cleaned, group.threads

        assert run(main) == ([True], [])
        assert caplog.messages == []

    def test_the_one_that_calls_stop_goes_on(self, group, gate):
        def stopper():
            group.stop()
            return "went on"

        assert group.add_thread(stopper).wait() == "went on"

    def test_a_timer_may_stop_its_group_and_wait(self, group):
        done = queue.Queue()

        def work():
            group.stop(graceful=True)
            group.wait()
            done.put(threadgroup.stopping())

        group.add_timer(60, work)
        assert done.get(timeout=30) is True

    def test_code_of_nobody_is_never_stopping(self):
        assert threadgroup.stopping() is False


class TestFullGroup:
    def test_sync_callers_wait_for_a_place(self, gate):
        group = threadgroup.ThreadGroup(2)
        for name in "ab":
            group.add_thread(gate, name)
            gate.meet()
        adding = threadgroup.ThreadGroup()
        added = adding.add_thread(group.add_thread, gate, "c")
        hub_module.find().spawn_thread(gate.go.set, "let them go")
        assert added.wait().wait() == "c"
        group.wait()
        assert sorted(gate.left) == ["a", "b", "c"]

    def test_async_callers_queue(self, run, gate):
        async def main():
            group = threadgroup.ThreadGroup(max_threads=1)
            order = []

            async def work(name):
                order.append(name)
                await asyncio.sleep(0)

            threads = [group.add_thread(work, name) for name in "abc"]
            assert len(group.threads) == 3
            for thread in threads:
                await thread
            return order

        assert run(main) == ["a", "b", "c"]

    def test_its_own_threads_do_not_wait_for_themselves(self):
        group = threadgroup.ThreadGroup(1)

        def outer():
            return group.add_thread(lambda: "inner")

        assert group.add_thread(outer).wait().wait() == "inner"

    def test_a_queued_one_can_be_taken_back(self, run):
        async def main():
            group = threadgroup.ThreadGroup(1)
            first = group.add_thread(asyncio.sleep, 3600)
            second = group.add_thread(asyncio.sleep, 3600)
            assert second.cancel()
            assert await second is None
            await asyncio.sleep(0)
            assert not first.cancel(), "it has begun"
            group.stop()
            await first
            return group.threads

        assert run(main) == []

    def test_a_size_in_which_nothing_runs_is_refused(self):
        with pytest.raises(exceptions.InvalidGroupSize, match="at least 1"):
            threadgroup.ThreadGroup(0)

    def test_the_old_name_of_the_size_warns(self):
        with pytest.warns(DeprecationWarning, match="use thread_pool_size"):
            assert threadgroup.ThreadGroup(7).max_threads == 7


class TestCancel:
    def test_with_a_timeout_the_rest_is_stopped(self, group, killable):
        def work():
            while not threadgroup.stopping():
                threading.Event().wait(0.001)

        thread = group.add_thread(work)
        group.cancel(timeout=0.01)
        thread.wait()
        assert group.threads == []

    def test_what_ends_in_time_is_not_stopped(self, run):
        async def main():
            group = threadgroup.ThreadGroup()
            thread = group.add_thread(asyncio.sleep, 0.001, "slept")
            await group.cancel(timeout=60)
            return await thread

        assert run(main) == "slept"


class TestTimers:
    def test_a_timer_calls_at_intervals_until_it_is_stopped(self, group, clock):
        times = []
        timer = group.add_timer(10, lambda: times.append(clock.now()))
        assert group.timers == [timer]
        clock.advance(25)
        group.stop_timers()
        clock.advance(100)
        assert times == [0, 10, 20]
        assert group.timers == []

    def test_an_async_timer(self, group, clock):
        times = []

        async def tick():
            times.append(clock.now())

        group.add_timer(10, tick, 5)
        clock.advance(30)
        assert times == [5, 15, 25]

    def test_arguments(self, group, clock):
        got = []

        def note(*args, **kwargs):
            got.append((args, kwargs))
            return 10

        with pytest.warns(DeprecationWarning, match="use add_timer_args"):
            group.add_timer(10, note, None, 1, two=2)
        with pytest.warns(DeprecationWarning, match="use add_dynamic_timer_args"):
            group.add_dynamic_timer(note, None, None, 3, four=4)
        group.add_timer_args(10, note, (5,), {"six": 6})
        group.add_dynamic_timer_args(note, [7], {"eight": 8}, periodic_interval_max=5)
        clock.advance(0)
        assert sorted(got, key=str) == [
            ((1,), {"two": 2}),
            ((3,), {"four": 4}),
            ((5,), {"six": 6}),
            ((7,), {"eight": 8}),
        ]

    def test_a_timer_that_is_done_is_only_forgotten(self, group, clock):
        times = []
        timer = group.add_timer(10, lambda: times.append(clock.now()))
        group.timer_done(timer)
        group.timer_done(timer)
        clock.advance(15)
        assert times == [0, 10]
        timer.stop()

    def test_stop_may_wait_for_a_call_in_progress(self, group, gate):
        group.add_timer(60, gate, None)
        gate.meet()
        stopping = threadgroup.ThreadGroup().add_thread(group.stop_timers, wait=True)
        assert not stopping.done()
        gate.go.set()
        stopping.wait()
        assert gate.left == [None]


class TestForeignThreads:
    """heat puts native threads of its own into ``threads``."""

    def test_they_are_joined_and_asked_to_abort(self):
        class Native(threading.Thread):
            def __init__(self):
                super().__init__(daemon=True)
                self.abort = threading.Event()

            def run(self):
                self.abort.wait()

        group = threadgroup.ThreadGroup()
        native = Native()
        native.start()
        with group._lock:
            group.threads.append(native)
        group.stop()
        native.join(30)
        assert not native.is_alive()
        group.threads.append(native)
        group.wait()
        group.stop(graceful=True)


class TestOfAService:
    def test_row_38_what_init_adds_begins_when_the_service_starts(self, clock):
        class Ticking(service.Service):
            def __init__(self):
                super().__init__()
                self.ticks = []
                self.tg.add_timer(10, self.tick)
                self.tg.add_thread(self.tick)

            def tick(self):
                self.ticks.append(clock.now())

        made = Ticking()
        clock.advance(30)
        assert made.ticks == []
        made._oslo_asyncio_enter()
        for thread in made.tg.threads[:]:
            thread.wait()
        clock.advance(15)
        assert made.ticks == [30, 30, 40]
        made.stop()

    def test_without_a_launcher_it_begins_when_somebody_goes_on(self, clock):
        class Ticking(service.Service):
            def __init__(self):
                super().__init__()
                self.ticks = []
                self.tg.add_timer(10, lambda: self.ticks.append(clock.now()))

            def start(self):
                self.tg.add_timer(10, lambda: None)

        made = Ticking()
        clock.advance(30)
        made.start()
        clock.advance(15)
        assert made.ticks == [30, 40]
        made.stop()

    def test_what_init_adds_begins_anew_at_each_start(self, clock):
        class Ticking(service.Service):
            def __init__(self):
                super().__init__()
                self.ticks = []
                self.tg.add_timer(10, lambda: self.ticks.append(clock.now()))

        made = Ticking()
        for _start in range(2):
            made._oslo_asyncio_enter()
            clock.advance(5)
            made.stop()
            clock.advance(95)
        assert made.ticks == [0, 100]

    def test_what_was_stopped_before_does_not_begin(self, clock):
        class Ticking(service.Service):
            def __init__(self):
                super().__init__()
                self.tg.add_timer(10, ticks.append, None)

        ticks = []
        made = Ticking()
        made.tg.stop()
        made._oslo_asyncio_enter()
        clock.advance(50)
        assert ticks == []

    def test_a_group_that_holds_nothing_is_as_any_other(self, clock):
        ticks = []
        made = service.Service()
        made.tg.add_timer(10, lambda: ticks.append(clock.now()))
        clock.advance(15)
        made.stop()
        assert ticks == [0, 10]
