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

"""No connection is lost when a server closes."""

import asyncio
import gc
import os

import pytest

from oslo_asyncio import _unpatched

# The clients are native on every hub: a green connect() would let the loop
# accept while it waits.
socket = _unpatched.socket


class Answer(asyncio.Protocol):
    """Says hello to whoever connects, and hangs up."""

    def connection_made(self, transport):
        transport.write(b"hello")
        transport.close()


@pytest.fixture
def connect():
    """A client that the kernel has connected; the loop need not have accepted."""
    clients = []

    def connect(address, family=socket.AF_INET):
        clients.append(socket.socket(family))
        clients[-1].connect(address)
        clients[-1].settimeout(20)
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


async def answer(client, **options):
    """What a connected client receives until the server hangs up."""
    reader, writer = await asyncio.open_connection(sock=client, **options)
    received = await reader.read()
    writer.close()
    await writer.wait_closed()
    return received


def close_at_accept(loop, stop):
    """Call ``stop`` between accept() and the first step of the accept task."""

    def factory(loop, coroutine, **kwargs):
        if "accept" in coroutine.__qualname__ or "_attach" in coroutine.__qualname__:
            stop()
        return asyncio.Task(coroutine, loop=loop, **kwargs)

    loop.set_task_factory(factory)


async def serve(factory=Answer, **options):
    loop = asyncio.get_running_loop()
    server = await loop.create_server(factory, "127.0.0.1", 0, **options)
    return server, server.sockets[0].getsockname()


@pytest.fixture
def _asyncio_forgets_sockets():
    """asyncio leaves what it could not attach to the garbage collector."""
    yield
    gc.collect()


@pytest.mark.usefixtures("_asyncio_forgets_sockets")
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_row_62_the_stock_loop_loses_a_connection(connect, hub_name):
    if hub_name == "eventlet":
        pytest.skip("the stock loop's own selector is patched there")
    loop = asyncio.SelectorEventLoop()
    loop.set_exception_handler(lambda *_: None)

    async def main():
        server, address = await serve()
        closed = asyncio.Event()

        def stop():
            server.close()
            closed.set()

        close_at_accept(loop, stop)
        client = connect(address)
        await closed.wait()
        for _ in range(10):
            await asyncio.sleep(0)
        return client

    try:
        client = loop.run_until_complete(main())
        loop.set_task_factory(None)
    finally:
        loop.close()
    client.setblocking(False)
    with pytest.raises(BlockingIOError):
        client.recv(100)  # nobody says hello, and nobody hangs up


def test_row_62_quiesce_attaches_it_first(run, loop, connect, hub_name):
    if hub_name == "uvloop":
        pytest.skip("libuv accepts and attaches in one step, without a task")

    async def main():
        server, address = await serve()
        stopped = loop.create_future()

        async def quiesce_and_close():
            await loop.quiesce()
            server.close()
            stopped.set_result(None)

        def stop():
            loop.set_task_factory(None)
            tasks.append(loop.create_task(quiesce_and_close()))

        tasks = []
        close_at_accept(loop, stop)
        client = connect(address)
        await stopped
        return await answer(client)

    assert run(main) == b"hello"


@pytest.mark.parametrize("count", [1, 50])
def test_row_62_what_is_queued_is_served_and_then_it_refuses(run, loop, connect, count):
    async def main():
        server, address = await serve(backlog=100)
        clients = [connect(address) for _ in range(count)]
        await loop.quiesce()
        with pytest.raises(ConnectionRefusedError):
            connect(address)
        server.close()
        answers = await asyncio.gather(*(answer(each) for each in clients))
        await server.wait_closed()
        return answers

    assert run(main) == [b"hello"] * count


def test_a_socket_of_the_callers_is_closed_as_well(run, loop, connect):
    async def main():
        with socket.create_server(("127.0.0.1", 0)) as listener:
            address = listener.getsockname()
            server = await loop.create_server(Answer, sock=listener)
            client = connect(address)
            await loop.quiesce()
            server.close()
        with pytest.raises(ConnectionRefusedError):
            connect(address)
        return await answer(client)

    assert run(main) == b"hello"


def test_every_server_is_quiesced(run, loop, connect):
    async def main():
        servers = [await serve() for _ in range(3)]
        clients = [connect(address) for _server, address in servers]
        await loop.quiesce()
        for _server, address in servers:
            with pytest.raises(ConnectionRefusedError):
                connect(address)
        for server, _address in servers:
            server.close()
        return await asyncio.gather(*(answer(each) for each in clients))

    assert run(main) == [b"hello"] * 3


def test_unix_servers_are_quiesced(run, loop, connect, tmp_path):
    async def main():
        path = os.fspath(tmp_path / "server")
        server = await loop.create_unix_server(Answer, path)
        clients = [connect(path, socket.AF_UNIX) for _ in range(5)]
        await loop.quiesce()
        with pytest.raises((ConnectionRefusedError, FileNotFoundError)):
            connect(path, socket.AF_UNIX)
        server.close()
        answers = [await answer(each) for each in clients]
        await server.wait_closed()
        return answers

    assert run(main) == [b"hello"] * 5


def test_tls_servers_are_quiesced(run, loop, connect, server_tls, client_tls):
    async def main():
        server, address = await serve(ssl=server_tls)
        clients = [connect(address) for _ in range(5)]
        await loop.quiesce()
        with pytest.raises(ConnectionRefusedError):
            connect(address)
        server.close()
        tls = {"ssl": client_tls, "server_hostname": "localhost"}
        return await asyncio.gather(*(answer(each, **tls) for each in clients))

    assert run(main) == [b"hello"] * 5


@pytest.mark.usefixtures("_asyncio_forgets_sockets")
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_a_protocol_factory_that_raises_does_not_hold_it(run, loop, connect):
    loop.set_exception_handler(lambda *_: None)

    def breaks():
        raise ZeroDivisionError

    async def main():
        server, address = await serve(breaks)
        connect(address)
        await asyncio.wait_for(loop.quiesce(), 20)
        server.close()

    run(main)


@pytest.mark.usefixtures("_asyncio_forgets_sockets")
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.filterwarnings("ignore:.*was never awaited:RuntimeWarning")
def test_an_accept_task_cancelled_at_birth_does_not_hold_it(
    run, loop, connect, hub_name
):
    if hub_name == "uvloop":
        pytest.skip("libuv accepts and attaches in one step, without a task")
    loop.set_exception_handler(lambda *_: None)

    def factory(loop, coroutine, **kwargs):
        task = asyncio.Task(coroutine, loop=loop, **kwargs)
        if "accept" in coroutine.__qualname__ or "_attach" in coroutine.__qualname__:
            task.cancel()
        return task

    async def main():
        server, address = await serve()
        loop.set_task_factory(factory)
        connect(address)
        quiet = asyncio.ensure_future(loop.quiesce())
        done, _pending = await asyncio.wait([quiet], timeout=5)
        server.close()
        return done

    assert run(main)


@pytest.mark.parametrize("step", ["nothing", "twice", "after close"])
def test_quiesce_is_harmless(run, loop, connect, step):
    async def main():
        if step == "nothing":
            return await loop.quiesce()
        server, address = await serve()
        if step == "twice":
            await loop.quiesce()
            await loop.quiesce()
            server.close()
        else:
            server.close()
            await loop.quiesce()
        await server.wait_closed()
        with pytest.raises(ConnectionRefusedError):
            connect(address)

    run(main)


def test_established_connections_are_not_touched(run, loop, connect):
    class Echo(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport = transport
            transport.write(b"made")

        def data_received(self, data):
            self.transport.write(data)
            self.transport.close()

    async def main():
        server, address = await serve(Echo)
        reader, writer = await asyncio.open_connection(sock=connect(address))
        assert await reader.readexactly(4) == b"made"
        await loop.quiesce()
        server.close()
        writer.write(b"ping")
        received = await reader.read()
        writer.close()
        await server.wait_closed()
        return received

    assert run(main) == b"ping"
