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


"""Async code for whoever calls, with and without a loop that runs."""

import asyncio
import gc
import os
import threading
import traceback

import pytest

from oslo_asyncio import _anywhere
from oslo_asyncio import _bridge
from oslo_asyncio import exceptions
from oslo_asyncio import executor
from oslo_asyncio import hub as hub_module
from oslo_asyncio import loopingcall


async def where(*args, **kwargs):
    await asyncio.sleep(0)
    return asyncio.get_running_loop(), args, kwargs


async def fail():
    raise KeyError("missing")


class TestWithoutALoop:
    def test_sync_code_gets_the_result_from_a_loop_that_stands_in(self):
        loop, args, kwargs = _anywhere.call(where, 1, two=2)
        assert (args, kwargs) == ((1,), {"two": 2})
        assert _anywhere.call(where)[0] is loop, "there is one"
        assert _bridge.home() is None, "it is no service's"

    def test_and_the_exception(self):
        with pytest.raises(KeyError, match="missing"):
            _anywhere.call(fail)

    def test_any_number_of_threads_start_one_loop(self, monkeypatch):
        monkeypatch.setattr(_bridge, "_aside", None)
        monkeypatch.setattr(_anywhere, "_aside", {})
        homes = []
        go = threading.Event()

        def ask():
            go.wait()
            homes.append(_anywhere.home())

        threads = [threading.Thread(target=ask) for _each in range(8)]
        for thread in threads:
            thread.start()
        go.set()
        for thread in threads:
            thread.join()
        assert len(homes) == 8
        assert len(set(map(id, homes))) == 1

    def test_run_async_still_wants_a_service(self):
        _anywhere.call(where)
        with pytest.raises(exceptions.LoopNotRunning):
            hub_module.run_async(where)

    @pytest.mark.filterwarnings("ignore:.*fork\\(\\):DeprecationWarning")
    def test_a_child_gets_a_loop_of_its_own(self):
        _anywhere.call(where)
        reader, writer = os.pipe()
        pid = os.fork()
        if not pid:
            try:
                loopingcall.FixedIntervalLoopingCall(_done).start(0.001).wait()
                os.write(writer, b"done")
            except BaseException:
                os.write(writer, traceback.format_exc().encode())
            finally:
                os._exit(0)
        os.close(writer)
        with open(reader, "rb", buffering=0) as pipe:
            assert pipe.read() == b"done"
        os.waitpid(pid, 0)
        _anywhere.call(where)

    def test_a_hub_that_is_not_there_is_an_error_for_each_caller(self, monkeypatch):
        monkeypatch.setattr(_bridge, "_aside", None)
        monkeypatch.setattr(_anywhere, "_aside", {})
        monkeypatch.setattr(hub_module, "_current", None)
        monkeypatch.setenv(hub_module.ENVIRONMENT, "gevent")
        for _twice in range(2):
            with pytest.raises(exceptions.HubNotFound, match="gevent"):
                _anywhere.call(where)


def _done():
    raise loopingcall.LoopingCallDone()


class TestWithALoop:
    def test_async_code_awaits_on_its_own_loop(self, loop):
        async def main():
            assert _anywhere.on_loop()
            return await _anywhere.call(where)

        assert loop.run_until_complete(main())[0] is loop

    def test_sync_code_beside_it_uses_it_as_well(self, loop):
        def beside():
            assert not _anywhere.on_loop()
            return _anywhere.call(where)

        assert loop.run_until_complete(hub_module.run_sync(beside))[0] is loop
        assert loop.run_until_complete(executor.run_blocking(beside))[0] is loop

    def test_the_loop_that_stands_in_goes_on_meanwhile(self, loop):
        calls = []
        seen = threading.Event()

        def tick():
            calls.append(None)
            if len(calls) == 3:
                seen.set()

        timer = loopingcall.FixedIntervalLoopingCall(tick)
        timer.start(0.001)
        aside = _bridge.aside().loop
        found = loop.run_until_complete(_count(3, seen))
        assert found is loop is not aside
        timer.stop()
        timer.wait()

    def test_a_loop_of_somebody_else(self, hub):
        if hub_module.Characteristic.GREEN_STDLIB in hub.characteristics:
            pytest.skip("a foreign loop would block all green threads")

        async def main():
            assert _anywhere.home().loop is asyncio.get_running_loop()
            call = loopingcall.FixedIntervalLoopingCall(_done)
            assert await call.start(0.001) is True
            return await _anywhere.call(where)

        loop, _args, _kwargs = asyncio.run(main())
        assert isinstance(loop, asyncio.AbstractEventLoop)


async def _count(number, event):
    for _each in range(number):
        await asyncio.sleep(0.001)
        assert asyncio.get_running_loop() is asyncio.current_task().get_loop()
    await hub_module.run_sync(event.wait)
    return asyncio.get_running_loop()


class TestRunningLoop:
    def test_sync_code_beside_the_loop_sees_none(self, run):
        def look():
            before = asyncio._get_running_loop()
            threading.Event().wait(0.001)  # switches, on a green hub
            return before, asyncio._get_running_loop()

        assert run(hub_module.run_sync, look) == (None, None)

    def test_the_loop_sees_itself_after_each_sleep(self, loop):
        async def main():
            for pause in (0, 0.001, 0):
                await asyncio.sleep(pause)
                assert asyncio.get_running_loop() is loop

        loop.run_until_complete(main())
        assert asyncio._get_running_loop() is None


class TestRunSync:
    def test_who_calls_again_and_again_lets_others_in(self, run):
        async def main():
            turns = []

            async def other():
                while True:
                    turns.append(None)
                    await asyncio.sleep(0)

            task = asyncio.create_task(other())
            for _each in range(10):
                await hub_module.run_sync(int)
            task.cancel()
            return len(turns)

        assert run(main) >= 10

    def test_what_raises_at_once_raises_in_the_caller(self, run):
        def fail_at_once():
            raise KeyError("missing")

        with pytest.raises(KeyError, match="missing"):
            run(hub_module.run_sync, fail_at_once)

    def test_what_waits_lets_the_loop_go_on(self, loop):
        async def main():
            event = threading.Event()
            waiting = asyncio.ensure_future(hub_module.run_sync(event.wait))
            await asyncio.sleep(0.001)
            assert not waiting.done()
            await hub_module.run_sync(event.set)
            return await waiting

        assert loop.run_until_complete(main()) is True

    def test_many_that_wait_end_in_their_own_time(self, loop):
        async def main():
            events = [threading.Event() for _each in range(50)]
            tasks = [
                asyncio.ensure_future(hub_module.run_sync(_wait, event, number))
                for number, event in enumerate(events)
            ]
            await asyncio.sleep(0)
            for event in reversed(events):
                await hub_module.run_sync(event.set)
            return await asyncio.gather(*tasks)

        assert loop.run_until_complete(main()) == list(range(50))

    def test_nothing_is_kept_alive(self, loop):
        class Thing:
            pass

        async def main():
            for _each in range(5):
                await hub_module.run_sync(Thing)

        loop.run_until_complete(main())
        gc.collect()
        alive = [each for each in gc.get_objects() if type(each) is Thing]
        assert len(alive) <= 1, "a pool's thread may hold the last"


def _wait(event, number):
    event.wait()
    return number
