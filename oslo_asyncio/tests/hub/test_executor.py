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

"""Blocking calls in native threads, on every hub."""

import asyncio
import contextvars
import weakref

import pytest

from oslo_asyncio import _unpatched
from oslo_asyncio import exceptions
from oslo_asyncio import executor
from oslo_asyncio import opts
from oslo_asyncio.tests.hub import hanging

request_id = contextvars.ContextVar("request_id", default="none")


def pool_threads(name):
    """The native threads of a pool, idle ones included."""
    threads = _unpatched.threading.enumerate()
    return [thread for thread in threads if thread.name.startswith(f"{name}-")]


def describe(*args, **kwargs):
    return args, kwargs


def test_the_result_comes_back(run):
    async def main():
        return await executor.run_blocking(describe, 1, "two", three=3)

    assert run(main) == ((1, "two"), {"three": 3})


def test_the_error_comes_back(run):
    with pytest.raises(ZeroDivisionError):
        run(executor.run_blocking, lambda: 1 // 0)


def test_stop_iteration_and_system_exit_come_back(run):
    def leave():
        raise SystemExit(3)

    async def main():
        with pytest.raises(RuntimeError, match="StopIteration"):
            await executor.run_blocking(next, iter(()))
        with pytest.raises(SystemExit):
            await executor.run_blocking(leave)
        return await executor.run_blocking(len, "abc")

    assert run(main) == 3


@pytest.mark.parametrize("way", ["run_blocking", "run_in_executor", "to_thread"])
def test_row_49_context_variables_reach_the_thread(run, way):
    async def main():
        request_id.set("req-1")
        if way == "run_blocking":
            return await executor.run_blocking(request_id.get)
        if way == "to_thread":
            return await asyncio.to_thread(request_id.get)
        return await asyncio.get_running_loop().run_in_executor(None, request_id.get)

    assert run(main) == "req-1"


@pytest.mark.parametrize("way", ["run_blocking", "run_in_executor", "to_thread"])
def test_row_58_the_loop_turns_while_a_native_call_blocks(run, loop, hang, way):
    hang.answer = "done"

    async def main():
        call = {
            "run_blocking": executor.run_blocking,
            "run_in_executor": lambda func: loop.run_in_executor(None, func),
            "to_thread": asyncio.to_thread,
        }[way](hang)
        task = asyncio.ensure_future(call)
        await hang.inside()
        await hanging.turns()
        assert not task.done()
        hang.release()
        return await task

    assert run(main) == "done"


def test_row_58_the_thread_is_native_on_every_hub(run):
    async def main():
        ident = _unpatched.threading.get_ident
        return ident(), await executor.run_blocking(ident)

    mine, of_the_pool = run(main)
    assert mine != of_the_pool


def test_a_pool_has_its_own_threads(run):
    executor.add_pool("images", 1)

    def thread_name():
        ident = _unpatched.threading.get_ident()
        [name] = [t.name for t in pool_threads("images") if t.ident == ident]
        return name

    async def main():
        return await executor.run_blocking(thread_name, pool="images")

    assert run(main) == "images-1"


def test_an_unknown_pool_is_refused_with_the_names_of_the_others(run):
    executor.add_pool("images")
    with pytest.raises(exceptions.PoolNotFound) as caught:
        run(lambda: executor.run_blocking(len, "", pool="image"))
    assert str(caught.value) == (
        "there is no pool 'image'; known: default, images, resolver; add it with "
        "oslo_asyncio.executor.add_pool('image', max_threads=...)"
    )


def test_configured_sizes_win_over_those_in_the_code(conf):
    opts.register(conf)
    conf.set_override("pool_threads", {"before": 3, "after": 4}, group=opts.GROUP)
    before = executor.add_pool("before", 1)
    executor.configure(conf.oslo_asyncio.pool_threads, 5.0)
    after = executor.add_pool("after", 1)
    assert (before.max_threads, before.idle_timeout) == (3, 5.0)
    assert (after.max_threads, after.idle_timeout) == (4, 5.0)


def test_no_more_calls_run_at_once_than_the_pool_has_threads(run, hang):
    pool = executor.add_pool("narrow", 2)

    async def main():
        calls = [executor.run_blocking(hang, pool="narrow") for _ in range(5)]
        together = asyncio.gather(*calls)
        await hang.inside(2)
        await hanging.turns()
        figures = pool.figures()
        hang.release()
        await together
        return figures

    figures = run(main)
    assert (figures.threads, figures.running, figures.queued) == (2, 2, 3)
    assert hang.calls == 5


def test_row_44_threads_leave_after_a_burst(run, hang):
    pool = executor.add_pool("burst", 20)
    pool.idle_timeout = 0.01

    async def main():
        calls = [executor.run_blocking(hang, pool="burst") for _ in range(20)]
        together = asyncio.gather(*calls)
        await hang.inside(20)
        threads = pool_threads("burst")
        hang.release()
        await together
        return threads

    threads = run(main)
    assert len(threads) == 20
    for thread in threads:
        thread.join(20)
    assert pool.figures().threads == 0


def test_an_idle_thread_keeps_nothing_of_its_last_call_alive(run):
    class Big:
        pass

    def call(_argument):
        return Big()

    async def main():
        loop = asyncio.get_running_loop()
        gone = asyncio.Queue()
        argument = Big()
        result = await executor.run_blocking(call, argument)
        for thing in (argument, result):
            weakref.finalize(thing, loop.call_soon_threadsafe, gone.put_nowait, None)
        del argument, result, thing
        for _ in range(2):
            await asyncio.wait_for(gone.get(), 10)
        return executor.get_pool().figures().threads

    assert run(main) == 1


def test_a_system_without_threads_refuses_the_first_call_and_queues_others(
    run, monkeypatch
):
    def refuse(_thread):
        raise RuntimeError("can't start new thread")

    pool = executor.add_pool("starved", max_threads=2)
    gate = _unpatched.threading.Event()

    async def main():
        with monkeypatch.context() as patched:
            patched.setattr(_unpatched.threading.Thread, "start", refuse)
            with pytest.raises(RuntimeError, match="can't start new thread"):
                await executor.run_blocking(int, pool="starved")
        first = asyncio.ensure_future(executor.run_blocking(gate.wait, pool="starved"))
        while not pool.figures().running:
            await asyncio.sleep(0)
        with monkeypatch.context() as patched:
            patched.setattr(_unpatched.threading.Thread, "start", refuse)
            second = asyncio.ensure_future(executor.run_blocking(int, pool="starved"))
            await asyncio.sleep(0)
        gate.set()
        return await first, await second

    assert run(main) == (True, 0)
