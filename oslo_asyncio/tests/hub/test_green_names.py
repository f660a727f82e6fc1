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

"""Name look-ups of green code: the loop's resolver, one green thread blocked."""

import asyncio
import os
import socket

import pytest

from oslo_asyncio import _unpatched
from oslo_asyncio import executor
from oslo_asyncio import hub as hub_module
from oslo_asyncio.tests.hub import hanging

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.skipif(
        os.environ.get(hub_module.ENVIRONMENT) != "eventlet",
        reason="only the eventlet hub replaces the look-ups of the socket module",
    ),
]

ADDRESS = ("127.0.0.1", 80)
CALLS = [
    ("getaddrinfo", ("localhost", 80)),
    ("getaddrinfo", ("localhost", "http", 0, socket.SOCK_STREAM)),
    ("getaddrinfo", ("127.0.0.1", 80)),
    ("gethostbyname", ("localhost",)),
    ("gethostbyname", ("127.0.0.1",)),
    ("gethostbyname_ex", ("127.0.0.1",)),
    ("getnameinfo", (ADDRESS, 0)),
    ("getnameinfo", (ADDRESS, socket.NI_NUMERICHOST)),
]


@pytest.fixture(params=["green", "coroutine", "native", "no loop"])
def place(request, run):
    """Call a function in a green thread, on the loop, in a thread, without."""

    def place(func, *args):
        async def main():
            if request.param == "green":
                return await hub_module.run_sync(func, *args)
            if request.param == "native":
                return await executor.run_blocking(func, *args)
            return func(*args)

        return func(*args) if request.param == "no loop" else run(main)

    return place


@pytest.mark.parametrize(("name", "args"), CALLS)
def test_the_answer_is_the_systems_everywhere(place, name, args):
    expected = getattr(_unpatched.socket, name)(*args)
    assert place(getattr(socket, name), *args) == expected


def test_the_error_is_the_systems_everywhere(place):
    with pytest.raises(socket.gaierror) as caught:
        place(socket.getaddrinfo, "localhost", "no-such-service")
    assert caught.value.errno == socket.EAI_SERVICE


def test_names_have_their_addresses(place):
    name, aliases, addresses = place(socket.gethostbyname_ex, "localhost")
    expected = _unpatched.socket.gethostbyname_ex("localhost")
    assert (name, aliases) == (expected[0], [])
    assert set(addresses) == set(expected[2])


@pytest.mark.parametrize(
    "look_up",
    [
        lambda: socket.getaddrinfo("a.hang.test", 80),
        lambda: socket.gethostbyname("a.hang.test"),
        lambda: socket.gethostbyname_ex("a.hang.test"),
    ],
    ids=["getaddrinfo", "gethostbyname", "gethostbyname_ex"],
)
def test_a_look_up_blocks_its_own_green_thread_only(run, names, look_up):
    async def main():
        task = asyncio.ensure_future(hub_module.run_sync(look_up))
        await names.inside()
        await hanging.turns()
        other = await hub_module.run_sync(socket.gethostbyname, "localhost")
        assert executor.get_pool("resolver").figures().running >= 1
        assert not task.done()
        names.release()
        return other, await task

    other, answer = run(main)
    assert other == "127.0.0.1"
    assert answer


def test_green_and_async_code_share_a_look_up(run, loop, names):
    async def main():
        tasks = [
            asyncio.ensure_future(
                hub_module.run_sync(socket.getaddrinfo, "a.hang.test", 80)
            )
            for _ in range(10)
        ]
        tasks.append(asyncio.ensure_future(loop.getaddrinfo("a.hang.test", 80)))
        await names.inside()
        await hanging.turns()
        names.release()
        return await asyncio.gather(*tasks)

    answers = run(main)
    assert names.calls == 1
    assert answers == [answers[0]] * 11


def test_green_code_connects_by_name(run, names):
    async def main():
        async def handle(_reader, writer):
            writer.write(b"hello")
            writer.close()

        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]

        def connect():
            with socket.create_connection(("a.hang.test", port), timeout=20) as sock:
                return sock.recv(100)

        task = asyncio.ensure_future(hub_module.run_sync(connect))
        await names.inside()
        await hanging.turns()
        names.release()
        answer = await task
        server.close()
        await server.wait_closed()
        return answer

    assert run(main) == b"hello"


def test_a_look_up_on_the_loop_leaves_other_green_threads_running(run, loop, names):
    import eventlet

    counted = []

    def count():
        for number in range(10):
            counted.append(number)
            eventlet.sleep(0)
        names.release()

    async def main():
        green = hub_module.current().spawn_sync(count)
        answer = socket.gethostbyname("a.hang.test")  # blocks the loop, as it would
        await green
        return answer

    assert run(main) == "127.0.0.1"
    assert counted == list(range(10))
