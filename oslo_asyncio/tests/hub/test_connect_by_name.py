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

"""Connections by host name go through the resolver on every hub."""

import asyncio
import socket
import ssl

import pytest

from oslo_asyncio import executor
from oslo_asyncio.tests.hub import hanging


@pytest.fixture
def server(loop, server_tls):
    """Start an echo server on 127.0.0.1; returns its port."""
    servers = []

    async def echo(reader, writer):
        writer.write(await reader.read(100))
        writer.close()

    async def serve(**options):
        made = await asyncio.start_server(echo, "127.0.0.1", 0, **options)
        servers.append(made)
        return made.sockets[0].getsockname()[1]

    yield serve
    for made in servers:
        made.close()


async def echoed(host, port, **options):
    reader, writer = await asyncio.open_connection(host, port, **options)
    writer.write(b"ping")
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


def test_a_name_connects(run, server):
    async def main():
        return await echoed("localhost", await server())

    assert run(main) == b"ping"


@pytest.mark.parametrize(
    "options",
    [
        {"happy_eyeballs_delay": 0.25},
        {"interleave": 1},
        {"local_addr": ("127.0.0.1", 0)},
        {"family": 2, "proto": 6},
    ],
    ids=lambda options: next(iter(options)),
)
def test_a_name_connects_with_options(run, server, options):
    async def main():
        return await echoed("localhost", await server(), **options)

    assert run(main) == b"ping"


def test_the_loop_turns_while_the_name_is_looked_up(run, server, names):
    async def main():
        port = await server()
        task = asyncio.ensure_future(echoed("a.hang.test", port))
        await names.inside()
        await hanging.turns()
        assert not task.done()
        names.release()
        return await task

    assert run(main) == b"ping"
    assert names.calls == 1


def test_row_41_a_name_connects_while_the_default_pool_hangs(run, server, hang):
    executor.add_pool("default", 4)

    async def main():
        port = await server()
        stuck = [asyncio.ensure_future(asyncio.to_thread(hang)) for _ in range(10)]
        await hang.inside(4)
        answer = await echoed("localhost", port)
        hang.release()
        await asyncio.gather(*stuck)
        return answer

    assert run(main) == b"ping"


def test_row_42_after_a_hundred_cancelled_connects_the_next_works(run, server, names):
    async def main():
        port = await server()
        tasks = [
            asyncio.ensure_future(asyncio.open_connection(f"{n}.hang.test", port))
            for n in range(100)
        ]
        await names.inside(64)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        return await echoed("localhost", port)

    assert run(main) == b"ping"


def test_tls_checks_the_name_that_was_asked_for(run, server, server_tls, client_tls):
    async def main():
        return await echoed("localhost", await server(ssl=server_tls), ssl=client_tls)

    assert run(main) == b"ping"


@pytest.mark.parametrize(
    ("host", "options"),
    [("127.0.0.1", {}), ("localhost", {"server_hostname": "other.test"})],
    ids=["host", "server_hostname"],
)
def test_tls_refuses_a_certificate_of_another_name(
    run, loop, server, server_tls, client_tls, host, options
):
    loop.set_exception_handler(lambda *_: None)

    async def main():
        port = await server(ssl=server_tls)
        await echoed(host, port, ssl=client_tls, **options)

    with pytest.raises(ssl.SSLCertVerificationError):
        run(main)


def test_a_refused_connection_says_so(run):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        with pytest.raises(ConnectionRefusedError):
            run(asyncio.open_connection, "localhost", port)


class Collect(asyncio.DatagramProtocol):
    def __init__(self):
        self.received = asyncio.get_running_loop().create_future()

    def datagram_received(self, data, _address):
        if not self.received.done():
            self.received.set_result(data)


def test_datagrams_go_to_names(run, loop):
    async def main():
        receiving, collect = await loop.create_datagram_endpoint(
            Collect, local_addr=("localhost", 0)
        )
        address = receiving.get_extra_info("sockname")
        sending, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=("localhost", address[1])
        )
        sending.sendto(b"ping")
        received = await asyncio.wait_for(collect.received, 20)
        sending.close()
        receiving.close()
        await asyncio.sleep(0)
        return received

    assert run(main) == b"ping"


def test_the_loop_turns_while_a_datagram_endpoint_is_looked_up(run, loop, names):
    async def main():
        endpoint = loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=("a.hang.test", 9)
        )
        task = asyncio.ensure_future(endpoint)
        await names.inside()
        await hanging.turns()
        assert not task.done()
        names.release()
        transport, _ = await task
        transport.close()
        await asyncio.sleep(0)

    run(main)


def test_a_server_may_be_given_a_name_which_the_pool_looks_up(run):
    async def main():
        made = await asyncio.start_server(lambda _reader, _writer: None, "localhost", 0)
        addresses = {sock.getsockname()[0] for sock in made.sockets}
        made.close()
        return addresses, executor.get_pool("resolver").figures().threads

    addresses, threads = run(main)
    assert "127.0.0.1" in addresses
    assert threads == 1
