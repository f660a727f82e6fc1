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

"""No more calls than ``rpc_concurrency``: the driver waits, not the loop."""

import threading

import pytest

from oslo_asyncio import _anywhere
from oslo_asyncio import exceptions
from oslo_asyncio._messaging import calls
from oslo_asyncio._messaging import listening
from oslo_asyncio.tests.messaging import peers
from oslo_asyncio.tests.messaging import served

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

LIMIT = peers.LIMIT


@pytest.fixture
def endpoint():
    return served.Endpoint()


@pytest.fixture
def full(monkeypatch):
    """Released when a driver's thread has found no free place."""
    found = threading.Semaphore(0)
    monkeypatch.setattr(calls, "_BREATH", 0.01)
    monkeypatch.setattr(listening, "breathe", lambda listener: found.release())
    return found


def test_the_third_call_waits_in_the_driver_where_two_may_run(
    serve, endpoint, options, full
):
    options(rpc_concurrency=2)
    made = serve(endpoint)
    asked = [made.begin("hold", key=key) for key in range(3)]
    running = [endpoint.begun.get(timeout=LIMIT) for _ in range(2)]
    assert full.acquire(timeout=LIMIT)
    assert endpoint.begun.empty()
    endpoint.let_go(running[0])
    running.append(endpoint.begun.get(timeout=LIMIT))
    for key in running[1:]:
        endpoint.let_go(key)
    assert sorted(each.answer() for each in asked) == [0, 1, 2]
    assert endpoint.most == 2


def test_a_stop_takes_the_call_that_waits_in_the_driver(serve, endpoint, options, full):
    options(rpc_concurrency=1)
    made = serve(endpoint)
    first = made.begin("hold", key="first")
    assert endpoint.begun.get(timeout=LIMIT) == "first"
    second = made.begin("hold", key="second")
    assert full.acquire(timeout=LIMIT)
    made.server.stop()
    assert endpoint.begun.get(timeout=LIMIT) == "second"
    for key in ("first", "second"):
        endpoint.let_go(key)
    assert [first.answer(), second.answer()] == ["first", "second"]


def test_a_broker_hears_from_a_driver_that_waits(
    serve, endpoint, options, url, monkeypatch
):
    if not url.startswith("rabbit:"):
        pytest.skip("this driver has no heartbeats")
    import amqp

    beats = threading.Semaphore(0)
    send = amqp.Connection.send_heartbeat

    def send_heartbeat(self):
        send(self)
        beats.release()

    monkeypatch.setattr(amqp.Connection, "send_heartbeat", send_heartbeat)
    monkeypatch.setattr(calls, "_BREATH", 0.01)
    options(rpc_concurrency=1)
    made = serve(endpoint)
    asked = [made.begin("hold", key=key) for key in range(2)]
    first = endpoint.begun.get(timeout=LIMIT)
    for _ in range(2):  # no other is due within seconds
        assert beats.acquire(timeout=LIMIT)
    endpoint.let_go(first)
    endpoint.let_go(endpoint.begun.get(timeout=LIMIT))
    assert sorted(each.answer() for each in asked) == [0, 1]


@pytest.fixture
def taken(hub):
    """Calls of a loop; serving one of them takes no time."""

    async def nothing(message):
        pass

    made = calls.Calls(_anywhere.home(), 1, nothing, lambda: None)
    yield made
    made.abort()
    made.join()


def test_a_place_that_is_left_is_free(taken):
    taken.enter()
    taken.leave()
    taken.enter()


def test_a_call_that_has_been_served_leaves_its_place(taken):
    for _ in range(3):
        taken.enter()
        taken.submit("a message")
    taken.join()


def test_nothing_is_taken_when_the_loop_has_stopped(taken):
    taken.enter()
    waiting = served.Asked(taken.enter)
    taken.abort()
    with pytest.raises(exceptions.LoopStopped):
        waiting.answer()


def test_who_waits_for_calls_is_let_go_when_the_loop_has_stopped(taken):
    taken.enter()
    waiting = served.Asked(taken.join)
    taken.abort()
    waiting.answer()


def test_who_waits_for_calls_waits_for_the_last_one(taken):
    order, begun = [], threading.Event()

    def join():
        begun.set()
        taken.join()
        order.append("joined")

    taken.enter()
    waiting = served.Asked(join)
    begun.wait(LIMIT)
    served.Asked(order.append, "left").answer()  # gives the other one its chance
    taken.leave()
    waiting.answer()
    assert order == ["left", "joined"]
