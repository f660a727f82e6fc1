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

"""What the streams of asyncio promise, on every hub."""

import asyncio
import os

import pytest

from oslo_asyncio import _unpatched
from oslo_asyncio.tests.hub import hanging
from oslo_asyncio.tests.hub import peers

pytestmark = pytest.mark.timeout(40)


@pytest.fixture(params=["tcp", "tls", "unix"])
def connected(request, tmp_path, server_tls, client_tls):
    """Open a stream to a server that runs ``handler``: one per transport."""

    async def connected(handler):
        if request.param == "unix":
            path = os.fspath(tmp_path / "server")
            server = await asyncio.start_unix_server(handler, path)
            return server, *await asyncio.open_unix_connection(path)
        tls = request.param == "tls"
        server = await asyncio.start_server(
            handler, "127.0.0.1", 0, ssl=server_tls if tls else None
        )
        port = server.sockets[0].getsockname()[1]
        pair = await asyncio.open_connection(
            "localhost", port, ssl=client_tls if tls else None
        )
        return server, *pair

    return connected


async def close(server, writer):
    writer.close()
    await writer.wait_closed()
    server.close()
    await server.wait_closed()


def test_read_returns_everything_until_the_peer_closes(run, connected):
    data = peers.payload()

    async def handle(_reader, writer):
        writer.write(data)
        writer.close()

    async def main():
        server, reader, writer = await connected(handle)
        received = await reader.read()
        await close(server, writer)
        return received

    assert run(main) == data


def test_write_sends_everything_to_a_reader_that_is_late(run, connected):
    data = peers.payload()

    async def main():
        go, received = asyncio.Event(), asyncio.get_running_loop().create_future()

        async def handle(reader, writer):
            await go.wait()
            received.set_result(await reader.readexactly(len(data)))
            writer.close()

        server, reader, writer = await connected(handle)
        writer.write(data)
        await hanging.turns()
        assert not received.done()
        go.set()
        result = await received
        assert await reader.read() == b""
        await close(server, writer)
        return result

    assert run(main) == data


def test_drain_holds_a_fast_writer_back(run, connected):
    chunk = bytes(64 * 1024)
    chunks = 1024  # 64 MiB: no buffer of the kernel's takes so much

    async def main():
        go, received = asyncio.Event(), asyncio.get_running_loop().create_future()

        async def handle(reader, writer):
            await go.wait()
            total = 0
            while part := await reader.read(1 << 20):
                total += len(part)
            received.set_result(total)
            writer.close()

        async def produce(writer):
            high = writer.transport.get_write_buffer_limits()[1]
            for number in range(chunks):
                writer.write(chunk)
                size = writer.transport.get_write_buffer_size()
                assert size <= high + 2 * len(chunk)
                progress.append(number)
                await writer.drain()
            writer.close()

        progress = []
        server, _reader, writer = await connected(handle)
        writer.transport.set_write_buffer_limits(high=128 * 1024)
        task = asyncio.ensure_future(produce(writer))
        await hanging.turns(3000)
        assert not task.done()
        assert len(progress) < chunks
        go.set()
        await task
        total = await received
        await close(server, writer)
        return total

    assert run(main) == len(chunk) * chunks


def test_lines_arrive_one_by_one_however_they_were_sent(run, connected):
    async def handle(_reader, writer):
        for part in (b"fi", b"rst\nsecon", b"d\n", b"third\nlast"):
            writer.write(part)
            await writer.drain()
            await hanging.turns(3)
        writer.close()

    async def main():
        server, reader, writer = await connected(handle)
        lines = [line async for line in reader]
        await close(server, writer)
        return lines

    assert run(main) == [b"first\n", b"second\n", b"third\n", b"last"]


def test_a_native_peer_reads_what_streams_write(run):
    data = peers.payload()

    async def main():
        here, there = _unpatched.socket.socketpair()
        with there:
            _reader, writer = await asyncio.open_connection(sock=here)
            peer = peers.Reader(lambda: there.recv(1 << 20))
            writer.write(data)
            await hanging.turns()
            writer.close()
            received = await peer.everything()
            await writer.wait_closed()
        return received

    assert run(main) == data


def test_a_peer_that_resets_is_an_error_and_no_silence(run):
    async def main():
        async def handle(_reader, writer):
            writer.transport.abort()

        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("localhost", port)
        try:
            for _ in range(1000):
                writer.write(bytes(1 << 16))
                await writer.drain()
        except ConnectionError:
            return True
        finally:
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)
            server.close()
        return reader.at_eof()

    assert run(main)
