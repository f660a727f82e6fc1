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

"""What run_sync and run_async say when they cannot do it."""

import asyncio
import threading

import pytest

from oslo_asyncio import exceptions
from oslo_asyncio import executor
from oslo_asyncio import hub as hub_module

pytestmark = pytest.mark.timeout(30)


async def answer(number=42):
    return number


def test_on_the_loop_it_names_the_await_to_write(run):
    async def main():
        hub_module.run_async(answer)

    with pytest.raises(exceptions.OnLoopThread, match=r"write: await answer\(\.\.\.\)"):
        run(main)


def test_without_a_loop_it_asks_for_one(hub):
    with pytest.raises(exceptions.LoopNotRunning, match="running service loop"):
        hub_module.run_async(answer)


def test_after_the_loop_it_asks_for_one(run):
    assert run(answer) == 42
    with pytest.raises(exceptions.LoopNotRunning):
        hub_module.run_async(answer)


def test_sync_code_is_not_taken_for_async_code(run):
    def sync():
        return "done"

    async def main():
        await hub_module.run_sync(hub_module.run_async, sync)

    with pytest.raises(exceptions.CoroutineExpected, match="returned str"):
        run(main)


@pytest.mark.parametrize("wrong", [{"no_such": 1}, {"number": 1, "extra": 2}])
def test_arguments_that_do_not_fit_raise_in_the_caller(run, wrong):
    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        call = hub_module.run_sync(hub_module.run_async, answer, **wrong)
        waiter = asyncio.ensure_future(call)
        done, _pending = await asyncio.wait([waiter], timeout=5)
        return done and waiter.exception()

    error = run(main)
    assert isinstance(error, TypeError), "the caller waits forever"
    assert "unexpected keyword argument" in str(error)


def test_before_a_hub_is_chosen_it_says_how(run, monkeypatch):
    monkeypatch.setattr(hub_module, "_current", None)
    with pytest.raises(exceptions.HubNotChosen, match=r"hub\.setup\(\)"):
        hub_module.current()
    with pytest.raises(exceptions.HubNotChosen, match=r"hub\.load\(conf\)"):
        run(hub_module.run_sync, len, "")


@pytest.mark.parametrize("native", [False, True], ids=["sync", "native"])
def test_who_waits_for_a_loop_that_ends_is_told(run, native):
    ended = threading.Event()
    errors = []

    async def forever(entered):
        entered.set()
        await asyncio.get_running_loop().create_future()

    def sync(entered):
        try:
            hub_module.run_async(forever, entered)
        except exceptions.LoopStopped as error:
            errors.append(error)
        if not native:
            ended.set()

    async def main():
        entered = asyncio.Event()
        call = executor.run_blocking if native else hub_module.run_sync
        waiter = asyncio.ensure_future(call(sync, entered))
        await entered.wait()
        return waiter, [task for task in asyncio.all_tasks() if task is not waiter]

    async def rest(waiter, others):
        if native:
            await waiter
        else:
            await hub_module.run_sync(ended.wait, 20)
        for task in {*others, waiter} - {asyncio.current_task()}:
            task.cancel()
        await asyncio.gather(*others, waiter, return_exceptions=True)

    waiter, others = run(main)
    run(rest, waiter, [task for task in others if not task.done()])
    assert str(errors[0]) == (
        f"{forever.__qualname__.replace('.<locals>', '')} was cancelled, "
        f"for the service is stopping"
    )


def test_a_coroutine_that_is_cancelled_ends_the_wait(run):
    async def cancels_itself():
        asyncio.current_task().cancel()
        await asyncio.sleep(0)

    async def main():
        await hub_module.run_sync(hub_module.run_async, cancels_itself)

    with pytest.raises(exceptions.LoopStopped):
        run(main)
