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

"""Identical look-ups share one answer, and none hangs for ever."""

import asyncio
import socket

import pytest

from oslo_asyncio import _unpatched
from oslo_asyncio import exceptions
from oslo_asyncio import executor
from oslo_asyncio import hub as hub_module
from oslo_asyncio import opts
from oslo_asyncio import resolver
from oslo_asyncio.tests.hub import hanging


@pytest.fixture
def ask(loop):
    """Start a look-up on the loop."""

    def ask(host, **hints):
        return asyncio.ensure_future(loop.getaddrinfo(host, 80, **hints))

    return ask


@pytest.fixture
def impatient(conf, names):
    """A loop whose look-ups have a deadline of 10 ms."""
    opts.register(conf)
    conf.set_override("resolver_timeout", 0.01, group=opts.GROUP)
    made = hub_module.load(conf).new_event_loop()
    names.loop = made
    yield made
    names.release()
    made.run_until_complete(made.close_pools(1))
    made.close()
    conf.clear_override("resolver_timeout", group=opts.GROUP)
    hub_module.load(conf)


async def cancel(tasks):
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert all(task.cancelled() for task in tasks)


def test_a_hundred_identical_look_ups_cost_one(run, names, ask):
    async def main():
        tasks = [ask("a.hang.test") for _ in range(100)]
        await names.inside()
        names.release()
        return await asyncio.gather(*tasks)

    answers = run(main)
    assert names.calls == 1
    assert answers == [_unpatched.socket.getaddrinfo("localhost", 80)] * 100
    assert len({id(answer) for answer in answers}) == 100


def test_different_questions_are_not_mixed_up(run, names, ask):
    async def main():
        tasks = [ask("a.hang.test", type=kind) for kind in (1, 2)]
        await names.inside(2)
        names.release()
        return await asyncio.gather(*tasks)

    first, second = run(main)
    assert {entry[1] for entry in first} == {socket.SOCK_STREAM}
    assert {entry[1] for entry in second} == {socket.SOCK_DGRAM}


def test_a_finished_look_up_is_not_remembered(run, names, ask):
    names.release()

    async def main():
        await ask("a.hang.test")
        await ask("a.hang.test")

    run(main)
    assert names.calls == 2


def test_an_error_reaches_everybody(run, ask):
    async def main():
        tasks = [ask("localhost", flags=socket.AI_NUMERICHOST) for _ in range(3)]
        return await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(error) for error in run(main)] == [socket.gaierror] * 3


def test_one_cancelled_waiter_leaves_the_others(run, names, ask):
    async def main():
        tasks = [ask("a.hang.test") for _ in range(3)]
        await names.inside()
        await cancel(tasks[:1])
        await hanging.turns(5)
        assert executor.get_pool("resolver").figures().abandoned == 0
        names.release()
        return await asyncio.gather(*tasks[1:])

    assert all(run(main))
    assert names.calls == 1


def test_when_all_have_gone_the_look_up_is_abandoned_and_asked_anew(run, names, ask):
    async def main():
        tasks = [ask("a.hang.test") for _ in range(3)]
        await names.inside()
        await cancel(tasks)
        await hanging.turns(5)
        abandoned = executor.get_pool("resolver").figures().abandoned
        again = ask("a.hang.test")
        await names.inside()
        names.release()
        return abandoned, bool(await again)

    assert run(main) == (1, True)
    assert names.calls == 2


def test_row_42_after_a_hundred_cancelled_look_ups_the_next_works(run, names, ask):
    async def main():
        tasks = [ask(f"{number}.hang.test") for number in range(100)]
        await names.inside(64)
        await cancel(tasks)
        return await ask("localhost")

    assert run(main) == _unpatched.socket.getaddrinfo("localhost", 80)


def test_row_42_a_look_up_has_a_deadline(impatient, names):
    with pytest.raises(exceptions.LookupTimeout) as caught:
        impatient.run_until_complete(impatient.getaddrinfo("a.hang.test", 80))
    assert isinstance(caught.value, socket.gaierror)
    assert caught.value.errno == socket.EAI_AGAIN
    assert caught.value.strerror == (
        "the look-up of 'a.hang.test' took longer than 0.01 s; see "
        "[oslo_asyncio] resolver_timeout"
    )


def test_row_42_every_waiter_of_a_look_up_has_the_deadline(impatient, names):
    async def main():
        calls = [impatient.getaddrinfo("a.hang.test", 80) for _ in range(3)]
        return await asyncio.gather(*calls, return_exceptions=True)

    errors = impatient.run_until_complete(main())
    assert [type(error) for error in errors] == [exceptions.LookupTimeout] * 3


def test_row_42_a_hundred_look_ups_that_time_out_leave_the_next_alone(impatient, names):
    async def main():
        calls = [
            impatient.getaddrinfo(f"{number}.hang.test", 80) for number in range(100)
        ]
        errors = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(error) for error in errors} == {exceptions.LookupTimeout}
        [thread] = await asyncio.gather(asyncio.to_thread(len, "a"))
        impatient._lookups.timeout = 20
        return thread, await impatient.getaddrinfo("localhost", 80)

    expected = _unpatched.socket.getaddrinfo("localhost", 80)
    assert impatient.run_until_complete(main()) == (1, expected)


def test_a_look_up_in_flight_may_outlive_its_loop(hub, names):
    made = hub.new_event_loop()
    names.loop = made

    async def main():
        task = asyncio.ensure_future(made.getaddrinfo("a.hang.test", 80))
        await names.inside()
        await cancel([task])

    made.run_until_complete(main())
    made.close()
    names.release()


def test_shutdown_waits_for_a_look_up_in_flight(run, loop, names, ask):
    async def main():
        task = ask("a.hang.test")
        await names.inside()
        closing = asyncio.ensure_future(loop.close_pools(30))
        await asyncio.sleep(0)
        assert not closing.done()
        names.release()
        await closing
        return await task

    assert run(main) == _unpatched.socket.getaddrinfo("localhost", 80)


def test_shutdown_ends_a_look_up_that_hangs(hub, names):
    made = hub.new_event_loop()
    names.loop = made

    async def main():
        task = asyncio.ensure_future(made.getaddrinfo("a.hang.test", 80))
        await names.inside()
        await made.close_pools(0.01)
        await asyncio.wait([task])
        assert task.cancelled()

    made.run_until_complete(main())
    names.release()
    made.close()


class Counting:
    """A loop, and the timers that were asked of it."""

    def __init__(self, loop):
        self._loop = loop
        self.timers = []

    def __getattr__(self, name):
        return getattr(self._loop, name)

    def call_at(self, when, callback):
        self.timers.append(self._loop.call_at(when, callback))
        return self.timers[-1]


class Own(resolver.Resolver):
    """A resolver of somebody else: futures, and nothing of ours."""

    def __init__(self, loop):
        super().__init__(loop)
        self.futures = []

    def getaddrinfo(self, *args):
        self.futures.append(self.loop.create_future())
        return self.futures[-1]

    def getnameinfo(self, sockaddr, flags=0):
        return self.getaddrinfo(sockaddr, flags)


@pytest.fixture
def own(loop):
    """Look-ups by a resolver that knows nothing of this library."""
    made = resolver.Lookups(loop, Own, 30)
    yield made
    made.close()


async def ask_twice(own):
    tasks = [asyncio.ensure_future(own.getaddrinfo("a.test", 80)) for _ in "ab"]
    await asyncio.sleep(0)
    (future,) = own.resolver.futures
    return tasks, future


def test_the_future_of_any_resolver_answers_everybody(run, own):
    async def main():
        tasks, future = await ask_twice(own)
        future.set_result(["answer"])
        return await asyncio.gather(*tasks)

    assert run(main) == [["answer"]] * 2


def test_the_error_of_any_resolver_reaches_everybody(run, own):
    async def main():
        tasks, future = await ask_twice(own)
        future.set_exception(OSError("broken"))
        return await asyncio.gather(*tasks, return_exceptions=True)

    assert [str(error) for error in run(main)] == ["broken"] * 2


def test_a_look_up_that_its_resolver_cancels_is_cancelled_for_everybody(run, own):
    async def main():
        tasks, future = await ask_twice(own)
        future.cancel()
        await asyncio.wait(tasks)
        return [task.cancelled() for task in tasks]

    assert run(main) == [True, True]


def test_any_resolver_hears_when_the_last_has_gone(run, own):
    async def main():
        tasks, future = await ask_twice(own)
        tasks[0].cancel()
        await asyncio.wait([tasks[0]])
        assert not future.done()
        tasks[1].cancel()
        await asyncio.wait([tasks[1]])
        assert future.cancelled()
        assert not own.shared

    run(main)


def test_who_asks_beside_the_last_who_goes_asks_anew(run, own):
    async def main():
        first = asyncio.ensure_future(own.getaddrinfo("a.test", 80))
        await asyncio.sleep(0)
        first.cancel()
        second = asyncio.ensure_future(own.getaddrinfo("a.test", 80))
        await asyncio.sleep(0)
        own.resolver.futures[-1].set_result(["answer"])
        return await second

    assert run(main) == ["answer"]


def test_one_timer_serves_every_look_up_in_flight(run, loop):
    counting = Counting(loop)
    own = resolver.Lookups(counting, Own, 30)

    async def main():
        asked = [
            asyncio.ensure_future(own.getaddrinfo(f"{n}.test", 80)) for n in range(100)
        ]
        await asyncio.sleep(0)
        assert len(own.shared) == 100
        own.close()
        await cancel(asked)

    run(main)
    (timer,) = counting.timers
    assert timer.cancelled()


def test_every_look_up_has_a_deadline_of_its_own(run, loop):
    own = resolver.Lookups(loop, Own, 0.01)

    async def main():
        first = asyncio.ensure_future(own.getaddrinfo("a.test", 80))
        await asyncio.wait([first])
        late = [asyncio.ensure_future(own.getaddrinfo(f"{n}.test", 80)) for n in "bc"]
        await asyncio.wait(late)
        return [task.exception().host for task in (first, *late)]

    assert run(main) == ["a.test", "b.test", "c.test"]
    own.close()
