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

"""The loop's name look-ups: what they answer, and what they wait for."""

import asyncio
import socket

import pytest

from oslo_asyncio import _unpatched
from oslo_asyncio import executor
from oslo_asyncio.tests.hub import hanging

QUESTIONS = [
    ("localhost", 80, {}),
    ("localhost", "80", {"type": socket.SOCK_STREAM}),
    ("localhost", b"80", {"type": socket.SOCK_STREAM}),
    ("localhost", "http", {"type": socket.SOCK_STREAM}),
    ("localhost", None, {"family": socket.AF_INET}),
    ("localhost", 80, {"flags": socket.AI_CANONNAME}),
    (b"localhost", 80, {}),
    (b"127.0.0.1", 80, {}),
    (None, 80, {"type": socket.SOCK_STREAM, "flags": socket.AI_PASSIVE}),
    (None, 80, {}),
    ("127.0.0.1", 80, {}),
    ("127.0.0.1", "http", {"type": socket.SOCK_STREAM}),
    ("127.1", 80, {"type": socket.SOCK_DGRAM}),
    ("127.0.0.1", 80, {"flags": socket.AI_CANONNAME}),
    ("::1", 80, {"type": socket.SOCK_STREAM, "proto": socket.IPPROTO_TCP}),
    ("::1", 0, {"flags": socket.AI_NUMERICHOST | socket.AI_NUMERICSERV}),
    ("0x7f000001", 80, {}),
]

REFUSED = [
    ("localhost", "no-such-service", {}),
    ("localhost", 80, {"flags": socket.AI_NUMERICHOST}),
    ("127.0.0.1", "no-such-service", {"type": socket.SOCK_STREAM}),
    ("127.0.0.1", 80, {"family": socket.AF_INET6}),
    ("::1", 80, {"family": socket.AF_INET}),
    ("127.0.0.1", 80, {"family": 12345}),
    (None, None, {}),
]


@pytest.mark.parametrize(("host", "port", "hints"), QUESTIONS)
def test_the_answer_is_the_systems(run, loop, host, port, hints):
    async def main():
        return await loop.getaddrinfo(host, port, **hints)

    expected = _unpatched.socket.getaddrinfo(host, port, **hints)
    assert run(main) == expected


@pytest.mark.parametrize(("host", "port", "hints"), REFUSED)
def test_the_error_is_the_systems(run, loop, host, port, hints):
    async def main():
        await loop.getaddrinfo(host, port, **hints)

    with pytest.raises(socket.gaierror) as expected:
        _unpatched.socket.getaddrinfo(host, port, **hints)
    with pytest.raises(socket.gaierror) as caught:
        run(main)
    assert caught.value.args == expected.value.args


@pytest.mark.parametrize("flags", [0, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV])
@pytest.mark.parametrize("address", [("127.0.0.1", 80), ("::1", 80, 0, 0)])
def test_names_of_addresses_are_the_systems(run, loop, address, flags):
    async def main():
        return await loop.getnameinfo(address, flags)

    expected = _unpatched.socket.getnameinfo(address, flags)
    assert run(main) == expected


def test_the_error_of_a_bad_address_is_the_systems(run, loop):
    async def main():
        await loop.getnameinfo(("localhost.hang.test", 80, 0, 0, 0), 0)

    with pytest.raises((OSError, TypeError)) as expected:
        _unpatched.socket.getnameinfo(("localhost.hang.test", 80, 0, 0, 0), 0)
    with pytest.raises(expected.type):
        run(main)


def test_the_loop_turns_during_a_look_up(run, loop, names):
    async def main():
        task = asyncio.ensure_future(loop.getaddrinfo("a.hang.test", 80))
        await names.inside()
        await hanging.turns()
        assert not task.done()
        names.release()
        return await task

    assert run(main) == _unpatched.socket.getaddrinfo("localhost", 80)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", b"127.0.0.1", None])
def test_addresses_never_queue_behind_names(run, loop, names, host):
    executor.add_pool("resolver", 2)

    async def main():
        stuck = [
            asyncio.ensure_future(loop.getaddrinfo(f"{number}.hang.test", 80))
            for number in range(5)
        ]
        await names.inside(2)
        found = await loop.getaddrinfo(host, 80, type=socket.SOCK_STREAM)
        assert not any(task.done() for task in stuck)
        names.release()
        await asyncio.gather(*stuck)
        return found

    expected = _unpatched.socket.getaddrinfo(host, 80, type=socket.SOCK_STREAM)
    assert run(main) == expected


def test_row_41_names_resolve_while_the_default_pool_hangs(run, loop, hang):
    executor.add_pool("default", 4)

    async def main():
        stuck = [asyncio.ensure_future(asyncio.to_thread(hang)) for _ in range(10)]
        await hang.inside(4)
        found = await loop.getaddrinfo("localhost", 80)
        name = await loop.getnameinfo(("127.0.0.1", 80))
        assert not any(task.done() for task in stuck)
        hang.release()
        await asyncio.gather(*stuck)
        return found, name

    expected = _unpatched.socket.getaddrinfo("localhost", 80)
    name = _unpatched.socket.getnameinfo(("127.0.0.1", 80), 0)
    assert run(main) == (expected, name)


def test_row_41_blocking_calls_run_while_all_look_ups_hang(run, loop, names):
    executor.add_pool("resolver", 4)

    async def main():
        stuck = [
            asyncio.ensure_future(loop.getaddrinfo(f"{number}.hang.test", 80))
            for number in range(10)
        ]
        await names.inside(4)
        result = await asyncio.to_thread(len, "abc")
        assert not any(task.done() for task in stuck)
        names.release()
        await asyncio.gather(*stuck)
        return result

    assert run(main) == 3
