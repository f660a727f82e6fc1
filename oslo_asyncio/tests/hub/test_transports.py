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

"""What transports and protocols promise, on every hub."""

import asyncio
import os
import sys

import pytest

from oslo_asyncio import _unpatched
from oslo_asyncio.tests.hub import hanging
from oslo_asyncio.tests.hub import peers

pytestmark = pytest.mark.timeout(40)


class Collect(asyncio.Protocol):
    """Keeps what arrives; ``closed`` is done when the peer has closed."""

    def __init__(self):
        self.parts = []
        self.closed = asyncio.get_running_loop().create_future()

    def data_received(self, data):
        self.parts.append(data)

    def connection_lost(self, error):
        if error is None:
            self.closed.set_result(b"".join(self.parts))
        else:
            self.closed.set_exception(error)


class Pausing(asyncio.BaseProtocol):
    """Knows whether its transport has asked it to pause."""

    def __init__(self):
        self.paused = 0
        self.resumed = 0

    def pause_writing(self):
        self.paused += 1

    def resume_writing(self):
        self.resumed += 1


@pytest.mark.parametrize("tls", [False, True], ids=["tcp", "tls"])
def test_protocols_carry_what_streams_carry(run, loop, tls, server_tls, client_tls):
    data = peers.payload()

    async def main():
        received = loop.create_future()

        async def handle(reader, writer):
            received.set_result(await reader.readexactly(len(data)))
            writer.write(data)
            writer.close()

        server = await asyncio.start_server(
            handle, "127.0.0.1", 0, ssl=server_tls if tls else None
        )
        port = server.sockets[0].getsockname()[1]
        transport, protocol = await loop.create_connection(
            Collect, "localhost", port, ssl=client_tls if tls else None
        )
        transport.write(data)
        there, back = await received, await protocol.closed
        server.close()
        await server.wait_closed()
        return there, back

    assert run(main) == (data, data)


@pytest.mark.parametrize("opener", [open, os.fdopen], ids=["open", "os.fdopen"])
def test_a_full_pipe_does_not_block_the_loop(run, loop, opener):
    data = peers.payload()

    async def main():
        reader, writer = os.pipe()
        transport, protocol = await loop.connect_write_pipe(
            Pausing, opener(writer, "wb", 0)
        )
        peer = peers.Reader(lambda: _unpatched.os.read(reader, 1 << 16))
        transport.write(data)
        await hanging.turns()
        paused, resumed = protocol.paused, protocol.resumed
        transport.write_eof()
        received = await peer.everything()
        os.close(reader)
        await hanging.turns(3)
        return received, paused, resumed, protocol.resumed

    assert run(main) == (data, 1, 0, 1)


@pytest.mark.parametrize("opener", [open, os.fdopen], ids=["open", "os.fdopen"])
def test_a_pipe_is_read_to_its_end(run, loop, opener):
    data = peers.payload()

    async def main():
        reader, writer = os.pipe()
        _transport, protocol = await loop.connect_read_pipe(
            Collect, opener(reader, "rb", 0)
        )
        transport, _ = await loop.connect_write_pipe(Pausing, opener(writer, "wb", 0))
        transport.write(data)
        transport.close()
        received = await protocol.closed
        await hanging.turns(3)
        return received

    assert run(main) == data


CAT = """
import os
while data := os.read(0, 65536):
    os.write(1, data)
"""


def test_a_subprocess_gets_and_gives_everything(run):
    data = peers.payload()

    async def main():
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CAT, stdin=pipe, stdout=pipe
        )
        output, _ = await process.communicate(data)
        return output, process.returncode

    assert run(main) == (data, 0)


def test_the_loop_turns_while_a_subprocess_runs(run):
    async def main():
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CAT, stdin=pipe, stdout=pipe
        )
        waiter = asyncio.ensure_future(process.wait())
        process.stdin.write(b"ping")
        assert await process.stdout.readexactly(4) == b"ping"
        await hanging.turns()
        assert not waiter.done()
        process.stdin.close()
        return await waiter

    assert run(main) == 0


def test_the_status_of_a_subprocess_arrives(run):
    async def main():
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "import sys; sys.exit(7)"
        )
        killed = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CAT, stdin=asyncio.subprocess.PIPE
        )
        killed.kill()
        killed.stdin.close()
        return await process.wait(), await killed.wait()

    assert run(main) == (7, -9)


def test_sendfile_sends_the_file(run, loop, hub_name, tmp_path):
    if hub_name == "uvloop":
        pytest.skip("uvloop has no loop.sendfile()")
    data = peers.payload()
    path = tmp_path / "file"
    path.write_bytes(data)

    async def main():
        collect = []

        def factory():
            collect.append(Collect())
            return collect[0]

        server = await loop.create_server(factory, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        transport, _ = await loop.create_connection(asyncio.Protocol, *address)
        with open(path, "rb") as file:
            sent = await loop.sendfile(transport, file)
        transport.close()
        received = await collect[0].closed
        server.close()
        await server.wait_closed()
        return sent, received

    assert run(main) == (len(data), data)
