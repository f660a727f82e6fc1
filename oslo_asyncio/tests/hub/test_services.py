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
"""Services that code of its own starts and stops."""

import asyncio

import pytest

from oslo_asyncio import exceptions
from oslo_asyncio import hub as hub_module
from oslo_asyncio import service
from oslo_asyncio._worker import lifecycle

pytestmark = pytest.mark.timeout(60)


class Sync(service.Service):
    def __init__(self, said, name="sync"):
        super().__init__()
        self.said = said
        self.name = name

    def start(self):
        self.said.append(f"start {self.name}")

    def stop(self):
        self.said.append(f"stop {self.name}")

    def reset(self):
        self.said.append(f"reset {self.name}")


class Async(Sync):
    async def start(self):
        await asyncio.sleep(0)
        super().start()

    async def stop(self):
        await asyncio.sleep(0)
        super().stop()


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


def test_services_start_when_added_and_stop_together(call):
    said = []
    services = service.Services()
    call(services.add, Sync(said))
    call(services.add, Async(said, "async"))
    assert said == ["start sync", "start async"]
    assert [each.name for each in services.services] == ["sync", "async"]
    call(services.stop)
    assert sorted(said[2:]) == ["stop async", "stop sync"]
    call(services.wait)
    call(services.stop)
    assert len(said) == 4


def test_wait_returns_when_somebody_has_stopped_them(run):
    said = []

    async def start_and_stop(services):
        await services.add(Sync(said))
        waiting = asyncio.ensure_future(hub_module.run_sync(services.wait))
        also = asyncio.ensure_future(services.wait())
        for _ in range(100):
            await asyncio.sleep(0)
        assert not waiting.done()
        assert not also.done()
        await services.stop()
        await waiting
        await also

    async def main():
        services = service.Services()
        await start_and_stop(services)
        await start_and_stop(services)

    run(main)
    assert said == 2 * ["start sync", "stop sync"]


def test_stop_waits_for_the_work_in_wait(run):
    class Working(Sync):
        def start(self):
            self.ended = asyncio.Event()

        async def stop(self):
            self.ended.set()

        async def wait(self):
            await self.ended.wait()
            for _ in range(100):
                await asyncio.sleep(0)
            self.said.append("waited")

    said = []

    async def main():
        services = service.Services()
        await services.add(Working(said))
        await services.stop()
        assert said == ["waited"]

    run(main)


def test_restart_stops_resets_and_starts(call):
    said = []
    services = service.Services("reload")
    call(services.add, Sync(said))
    call(services.restart)
    assert said == ["start sync", "stop sync", "reset sync", "start sync"]
    call(services.stop)


def test_restart_with_mutate_calls_reset_alone(call):
    said = []
    services = service.Services(restart_method="mutate")
    call(services.add, Sync(said))
    call(services.restart)
    assert said == ["start sync", "reset sync"]
    call(services.stop)


def test_they_can_be_started_again(call):
    said = []
    services = service.Services()
    call(services.add, Sync(said, "one"))
    call(services.stop)
    call(services.add, Sync(said, "two"))
    call(services.stop)
    assert said == ["start one", "stop one", "start two", "stop two"]


def test_without_services_nobody_waits(call):
    services = service.Services()
    call(services.restart)
    call(services.stop)
    call(services.wait)


def test_what_is_no_service_is_refused():
    with pytest.raises(exceptions.NotAService):
        service.Services().add(object())
    with pytest.raises(exceptions.InvalidRestartMethod):
        service.Services("again")


class Broken(service.Service):
    async def start(self):
        raise LookupError("oops")


def test_one_that_cannot_start_ends_the_loop_of_its_worker(loop, caplog):
    async def main():
        await service.Services().add(Broken())
        await loop.create_future()

    with pytest.raises(SystemExit) as caught:
        loop.run_until_complete(main())
    assert caught.value.code == 1
    assert "LookupError: oops" in caplog.text


def test_without_a_worker_it_is_logged(caplog):
    services = service.Services()
    services.add(Broken())
    assert "LookupError: oops" in caplog.text
    services.add(Sync([]))
    services.stop()


class Custom(service.Service):
    def wait(self):
        return super().wait()


@pytest.mark.parametrize("method", ["start", "stop", "wait", "reset"])
def test_what_a_service_does_not_override_needs_no_thread(run, method):
    async def main():
        for kind, beside in ((service.Service, False), (Custom, method == "wait")):
            step = lifecycle.Step(hub_module.current(), kind(), method)
            await step.task
            assert (step._sync is not None) is beside

    run(main)
