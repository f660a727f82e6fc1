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
"""Periodic tasks, sync and async, run by sync code and by async code."""

import asyncio
import os
import sys

import pytest

from oslo_asyncio import exceptions
from oslo_asyncio import fixture
from oslo_asyncio import hub as hub_module
from oslo_asyncio import periodic_task
from oslo_asyncio.tests.hub import duties

pytestmark = pytest.mark.timeout(60)

task = periodic_task.periodic_task


@pytest.fixture
def clock():
    with fixture.FakeClock(start=0) as made:
        yield made


async def await_it(function, *args):
    return await function(*args)


async def call_beside(function, *args):
    return await hub_module.run_sync(function, *args)


@pytest.fixture(params=["sync", "beside a loop", "async"])
def call(request, run):
    """Call a method as sync code, as sync code of a service, or as async code."""
    return {
        "sync": lambda function, *args: function(*args),
        "beside a loop": lambda *args: run(call_beside, *args),
        "async": lambda *args: run(await_it, *args),
    }[request.param]


class Recording(periodic_task.PeriodicTasks):
    def __init__(self, conf):
        super().__init__(conf)
        self.seen = []


class Mixed(Recording):
    @task(spacing=10, run_immediately=True)
    def first(self, context):
        self.seen.append(("first", context))

    @task(spacing=10, run_immediately=True)
    async def second(self, context):
        await asyncio.sleep(0)
        self.seen.append(("second", context))

    @task(spacing=10, run_immediately=True)
    def third(self, context):
        return self.finish("third", context)

    async def finish(self, *what):
        await asyncio.sleep(0)
        self.seen.append(what)

    @task(spacing=25)
    def late(self, context):
        self.seen.append(("late", context))


class TestRun:
    def test_what_is_due_runs_in_order_and_the_rest_is_told_in_seconds(
        self, clock, conf, call
    ):
        mixed = Mixed(conf)
        everything = [("first", "x"), ("second", "x"), ("third", "x")]
        assert call(mixed.run_periodic_tasks, "x") == 10
        assert mixed.seen == everything
        clock.advance(4)
        assert call(mixed.run_periodic_tasks, "x") == 6
        assert mixed.seen == everything
        clock.advance(18)  # 22: two were due, and nobody came
        assert call(mixed.run_periodic_tasks, "x") == 3
        assert mixed.seen == 2 * everything
        clock.advance(3)  # 25
        assert call(mixed.run_periodic_tasks, "x") == 5
        assert mixed.seen == [*(2 * everything), ("late", "x")]
        clock.advance(5)  # 30: in step again
        call(mixed.run_periodic_tasks, "x")
        assert len(mixed.seen) == 10

    def test_without_tasks_it_is_60_seconds(self, conf, call):
        assert call(Recording(conf).run_periodic_tasks, None) == 60

    def test_a_spacing_above_60_seconds_is_not_slept_through(self, conf, call):
        class Rare(Recording):
            @task(spacing=600)
            def some(self, context): ...

        assert call(Rare(conf).run_periodic_tasks, None) == 60

    def test_tasks_for_other_processes_run_where_the_option_says(self, conf, call):
        class External(Recording):
            @task(run_immediately=True, external_process_ok=True, spacing=5)
            def some(self, context):
                self.seen.append("some")

        external = External(conf)
        conf.set_override("run_external_periodic_tasks", False)
        assert call(external.run_periodic_tasks, None) == 60
        assert external.seen == []
        conf.set_override("run_external_periodic_tasks", True)
        assert call(external.run_periodic_tasks, None) == 5
        assert external.seen == ["some"]


class Breaking(Recording):
    @task(run_immediately=True)
    def one(self, context):
        self.seen.append("one")
        raise context("oops")

    @task(run_immediately=True)
    async def two(self, context):
        self.seen.append("two")
        raise context("oops")

    @task(run_immediately=True)
    def three(self, context):
        self.seen.append("three")


class Timeout(BaseException):
    """eventlet's is no Exception either."""


class TestErrors:
    @pytest.mark.parametrize("error", [LookupError, Timeout, SystemExit])
    def test_an_error_is_logged_and_the_next_one_runs(self, conf, run, caplog, error):
        breaking = Breaking(conf)
        run(await_it, breaking.run_periodic_tasks, error)
        assert breaking.seen == ["one", "two", "three"]
        said = [record for record in caplog.records if record.levelname == "ERROR"]
        assert [record.getMessage() for record in said] == [
            "Periodic task Breaking.one failed",
            "Periodic task Breaking.two failed",
        ]
        assert all(record.exc_info[0] is error for record in said)

    def test_sync_callers_have_it_logged_as_well(self, conf, call, caplog):
        breaking = Breaking(conf)
        call(breaking.run_periodic_tasks, LookupError)
        assert breaking.seen == ["one", "two", "three"]
        assert caplog.text.count("LookupError: oops") == 2

    def test_an_error_is_raised_if_the_caller_says_so(self, conf, call):
        breaking = Breaking(conf)
        with pytest.raises(LookupError, match="oops"):
            call(breaking.run_periodic_tasks, LookupError, True)
        assert breaking.seen == ["one"]

    def test_a_task_that_failed_is_due_after_its_spacing(self, clock, conf, call):
        breaking = Breaking(conf)
        call(breaking.run_periodic_tasks, LookupError)
        clock.advance(59)
        call(breaking.run_periodic_tasks, LookupError)
        assert len(breaking.seen) == 3
        clock.advance(1)
        call(breaking.run_periodic_tasks, LookupError)
        assert len(breaking.seen) == 6

    def test_a_cancelled_error_of_the_task_itself_is_only_an_error(self, conf, run):
        breaking = Breaking(conf)
        run(await_it, breaking.run_periodic_tasks, asyncio.CancelledError)
        assert breaking.seen == ["one", "two", "three"]

    def test_a_caller_that_is_cancelled_ends(self, conf, run):
        class Endless(Breaking):
            @task(run_immediately=True)
            async def one(self, context):
                self.seen.append("one")
                await asyncio.get_running_loop().create_future()

        endless = Endless(conf)

        async def main():
            running = asyncio.ensure_future(endless.run_periodic_tasks(None))
            while not endless.seen:
                await asyncio.sleep(0)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running

        run(main)
        assert endless.seen == ["one"]

    def test_ctrl_c_is_for_the_caller(self, conf):
        breaking = Breaking(conf)
        with pytest.raises(KeyboardInterrupt):
            breaking.run_periodic_tasks(KeyboardInterrupt)
        assert breaking.seen == ["one"]

    @pytest.mark.skipif("greenlet" not in sys.modules, reason="no green threads")
    def test_a_green_thread_that_is_killed_ends(self, conf):
        breaking = Breaking(conf)
        killed = sys.modules["greenlet"].GreenletExit
        with pytest.raises(killed):
            breaking.run_periodic_tasks(killed)
        assert breaking.seen == ["one"]


class TestWhere:
    class Places(Recording):
        @task(run_immediately=True)
        def sync(self, context):
            self.seen.append(asyncio._get_running_loop() is not None)

        @task(run_immediately=True)
        async def on_loop(self, context):
            self.seen.append(asyncio._get_running_loop() is not None)

    def test_sync_tasks_run_beside_the_loop_and_async_ones_on_it(self, conf, call):
        places = self.Places(conf)
        call(places.run_periodic_tasks, None)
        assert places.seen == [False, True]

    def test_sync_code_of_a_service_uses_its_loop(self, conf, run):
        loops = []

        class Looking(Recording):
            @task(run_immediately=True)
            async def look(self, context):
                loops.append(asyncio.get_running_loop())

        async def main():
            looking = Looking(conf)
            await hub_module.run_sync(looking.run_periodic_tasks, None)
            await looking.run_periodic_tasks(None)
            return asyncio.get_running_loop()

        assert loops == [run(main)]

    def test_others_have_their_turn_between_two_tasks(self, conf, run):
        class Eager(Recording):
            @task(run_immediately=True)
            async def one(self, context):
                asyncio.get_running_loop().call_soon(self.seen.append, "other")

            @task(run_immediately=True)
            async def two(self, context):
                self.seen.append("two")

        eager = Eager(conf)
        run(await_it, eager.run_periodic_tasks, None)
        assert eager.seen == ["other", "two"]

    def test_the_loop_turns_while_a_sync_task_waits(self, conf, run):
        class Slow(Recording):
            @task(run_immediately=True)
            def slow(self, reader):
                os.read(reader, 1)

        async def main():
            reader, writer = os.pipe()
            try:
                running = asyncio.ensure_future(Slow(conf).run_periodic_tasks(reader))
                for _ in range(100):
                    await asyncio.sleep(0)
                assert not running.done()
                os.write(writer, b".")
                assert await running == 60
            finally:
                os.close(reader)
                os.close(writer)

        run(main)


@pytest.fixture
def native(hub):
    """For what takes native threads."""
    if hub_module.Characteristic.GREEN_STDLIB in hub.characteristics:
        pytest.skip("this hub is green")


@pytest.mark.usefixtures("native")
class TestInParallel:
    def test_what_is_due_runs_in_other_processes_on_the_same_hub(
        self, conf, call, tmp_path, hub_name
    ):
        both = duties.Both(conf)
        assert call(both.run_periodic_tasks_in_parallel, str(tmp_path)) == 60
        assert sorted(path.name for path in tmp_path.iterdir()) == ["async", "sync"]
        said = [path.read_text().split() for path in tmp_path.iterdir()]
        assert os.getpid() not in {int(pid) for pid, _hub in said}
        assert [hub for _pid, hub in said] == [hub_name, hub_name]
        assert call(both.run_periodic_tasks_in_parallel, "nowhere") <= 60

    def test_as_many_processes_as_one_asks_for(self, conf, tmp_path):
        duties.Both(conf).run_periodic_tasks_in_parallel(str(tmp_path), processes=1)
        pids = {path.read_text().split()[0] for path in tmp_path.iterdir()}
        assert len(pids) == 1

    def test_tasks_run_at_the_same_time(self, conf, tmp_path, caplog):
        fifo = str(tmp_path / "fifo")
        os.mkfifo(fifo)
        duties.Meeting(conf).run_periodic_tasks_in_parallel(fifo, processes=2)
        assert caplog.messages == []

    def test_errors_are_logged_with_their_stack_over_there(
        self, conf, tmp_path, caplog
    ):
        duties.Failing(conf).run_periodic_tasks_in_parallel(str(tmp_path))
        assert (tmp_path / "work").exists()
        assert caplog.messages == [
            "Periodic task Failing.fail failed",
            "Periodic task Failing.fail_in_a_way_of_its_own failed",
        ]
        for text in ("LookupError: oops", "Odd: one and two", "in fail_in_a_way"):
            assert text in caplog.text

    def test_an_error_is_raised_if_the_caller_says_so(self, conf, tmp_path):
        failing = duties.Failing(conf)
        with pytest.raises(LookupError, match="oops"):
            failing.run_periodic_tasks_in_parallel(str(tmp_path), raise_on_error=True)

    def test_a_process_that_dies_is_an_error_and_nobody_waits(self, conf, caplog):
        duties.Dying(conf).run_periodic_tasks_in_parallel("")
        assert caplog.messages == ["Periodic task Dying.die failed"]
        assert "BrokenProcessPool" in caplog.text

    def test_what_cannot_be_sent_is_refused_and_still_due(self, conf, tmp_path):
        both = duties.Both(conf)
        with pytest.raises(exceptions.NotPicklable, match=r"^Both\.sync cannot be"):
            both.run_periodic_tasks_in_parallel(lambda: None)
        both.run_periodic_tasks_in_parallel(str(tmp_path))
        assert len([*tmp_path.iterdir()]) == 2


def test_a_green_hub_refuses_to_wait_for_processes(conf, hub):
    if hub_module.Characteristic.GREEN_STDLIB not in hub.characteristics:
        pytest.skip("this hub is native")
    with pytest.raises(exceptions.NativeHubRequired) as caught:
        duties.Both(conf).run_periodic_tasks_in_parallel("")
    assert str(caught.value).startswith(
        "run_periodic_tasks_in_parallel() cannot be used on the eventlet hub"
    )
