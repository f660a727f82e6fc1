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

"""The loop's selector in a process of green threads."""

import asyncio
import os
import selectors
import time

import pytest

from oslo_asyncio import _unpatched
from oslo_asyncio import hub as hub_module
from oslo_asyncio.tests.hub import hanging

if os.environ.get(hub_module.ENVIRONMENT) != "eventlet":
    pytest.skip("only the eventlet hub has this selector", allow_module_level=True)

import eventlet

from oslo_asyncio._hubs import _green_selector

pytestmark = pytest.mark.timeout(40)

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
socket = _unpatched.socket


@pytest.fixture
def selector():
    made = _green_selector.GreenSelector()
    yield made
    made.close()


@pytest.fixture
def pair():
    left, right = socket.socketpair()
    with left, right:
        yield left, right


def test_it_reports_what_is_ready(selector, pair):
    left, right = pair
    key = selector.register(left, READ | WRITE, "data")
    assert (key.fileobj, key.fd, key.data) == (left, left.fileno(), "data")
    assert selector.select(0) == [(key, WRITE)]
    right.send(b"x")
    assert selector.select(0) == [(key, READ | WRITE)]
    key = selector.modify(left, READ, "other")
    assert selector.select(0) == [(key, READ)]
    assert key.data == "other"
    assert selector.unregister(left) == key
    assert selector.select(0) == []


def test_it_waits_until_something_is_ready(selector, pair):
    left, right = pair
    key = selector.register(left.fileno(), READ)
    eventlet.spawn(right.send, b"x")
    assert selector.select(None) == [(key, READ)]


def test_it_waits_no_longer_than_it_is_told(selector, pair):
    selector.register(pair[0], READ)
    started = time.monotonic()
    assert selector.select(0.02) == []
    assert time.monotonic() - started >= 0.02


def test_a_hang_up_wakes_readers_and_writers(selector, pair):
    left, right = pair
    key = selector.register(left, READ | WRITE)
    right.close()
    assert selector.select(None) == [(key, READ | WRITE)]


def test_it_knows_its_keys(selector, pair):
    left, right = pair
    key = selector.register(left, READ)
    assert selector.get_key(left) is key
    assert selector.get_map()[left.fileno()] is key
    assert list(selector.get_map().values()) == [key]
    with pytest.raises(KeyError):
        selector.register(left, WRITE)
    with pytest.raises(KeyError):
        selector.get_key(right)
    with pytest.raises(KeyError):
        selector.unregister(right)
    with pytest.raises(KeyError):
        selector.modify(right, READ)


def test_its_map_finds_file_objects_as_the_standard_ones_do(selector, pair):
    left, right = pair
    key = selector.register(left, READ)
    assert selector.get_map()[left] is key
    assert selector.get_map().get(right) is None
    assert len(selector.get_map()) == 1


def test_a_closed_file_can_be_unregistered(selector):
    left, right = socket.socketpair()
    key = selector.register(left, READ)
    left.close()
    right.close()
    assert selector.unregister(left) == key
    assert not selector.get_map()


def test_a_negative_descriptor_is_refused(selector):
    with pytest.raises(ValueError, match="-1"):
        selector.register(-1, READ)


def test_a_closed_selector_has_no_keys(pair):
    closed = _green_selector.GreenSelector()
    closed.register(pair[0], READ)
    closed.close()
    assert not closed.get_map()
    closed.close()


@pytest.mark.parametrize("busy", [True, False])
def test_green_threads_run_beside_the_loop(run, loop, busy):
    counted = []
    stop = []

    def count(done):
        for number in range(200):
            counted.append(number)
            eventlet.sleep(0)
        loop.call_soon_threadsafe(done.set)

    def again():
        if not stop:
            loop.call_soon(again)

    async def main():
        done = asyncio.Event()
        eventlet.spawn(count, done)
        if busy:
            again()
        await done.wait()
        stop.append(True)

    run(main)
    assert counted == list(range(200))


def test_a_patched_call_in_a_coroutine_blocks_the_loop_only(run, loop):
    """Green threads go on, and what happened meanwhile is not lost."""
    events = []

    def green():
        for number in range(5):
            events.append(number)
            time.sleep(0.001)
        loop.call_soon_threadsafe(events.append, "called")

    async def main():
        eventlet.spawn(green)
        other = asyncio.ensure_future(hanging.turns(1))
        other.add_done_callback(lambda _: events.append("turned"))
        while len(events) < 5:
            time.sleep(0.001)  # green: it switches, and the loop stands still
        events.append("unblocked")
        await other
        await hanging.until(lambda: "called" in events)

    run(main)
    assert events[:5] == list(range(5))
    assert events.index("unblocked") < events.index("turned")
    assert "called" in events


def test_a_loop_that_is_blocked_burns_no_cpu(run, loop, pair):
    left, right = pair

    async def main():
        readable = asyncio.Event()
        loop.add_reader(left, readable.set)
        right.send(b"x")
        loop.call_soon_threadsafe(lambda: None)  # the loop's own pipe as well
        started = time.process_time()
        time.sleep(0.3)  # green
        spent = time.process_time() - started
        await readable.wait()
        loop.remove_reader(left)
        return spent

    assert run(main) < 0.1


def test_an_idle_loop_burns_no_cpu(run):
    async def main():
        started = time.process_time()
        await asyncio.sleep(0.3)
        return time.process_time() - started

    assert run(main) < 0.1


def test_two_thousand_connections(run):
    async def main():
        async def handle(reader, writer):
            writer.write(await reader.readexactly(4))
            writer.close()

        async def client():
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"ping")
            answer = await reader.read()
            writer.close()
            await writer.wait_closed()
            return answer

        server = await asyncio.start_server(handle, "127.0.0.1", 0, backlog=2048)
        port = server.sockets[0].getsockname()[1]
        answers = await asyncio.gather(*(client() for _ in range(2000)))
        server.close()
        await server.wait_closed()
        return answers

    assert run(main) == [b"ping"] * 2000


def test_a_closed_loop_leaves_no_descriptor(hub):
    def open_descriptors():
        return len(os.listdir("/proc/self/fd"))

    def use_a_loop():
        made = hub.new_event_loop()
        made.run_until_complete(hanging.turns(3))
        made.close()

    use_a_loop()
    before = open_descriptors()
    for _ in range(10):
        use_a_loop()
    assert open_descriptors() == before
