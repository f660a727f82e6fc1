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

"""A connection that is accepted in the moment of a stop."""

import os
import signal
import socket
import subprocess

from oslo_asyncio.tests.functional.program import LIMIT
from oslo_asyncio.tests.functional.reload import crew

# The task factory stands between accept() and the first step of asyncio's accept
# task; libuv has no such task, so there it is the call of the protocol factory.
SERVER = """
def stop_me():
    asyncio.get_running_loop().set_task_factory(None)
    Answer.accepted = lambda: None
    os.kill(os.getpid(), signal.SIGTERM)

def factory(loop, coroutine, **kwargs):
    if "accept" in coroutine.__qualname__:
        stop_me()
    return asyncio.Task(coroutine, loop=loop, **kwargs)

class Answer(asyncio.Protocol):
    accepted = stop_me
    busy = set()

    def __init__(self):
        Answer.accepted()

    def connection_made(self, transport):
        self.transport = transport
        self.busy.add(self)

    def data_received(self, data):
        self.transport.write(b"answer to " + data)
        self.transport.close()

    def connection_lost(self, error):
        self.busy.discard(self)
        Server.idle.set()

class Server(service.Service):
    async def start(self):
        Server.idle = asyncio.Event()
        loop = asyncio.get_running_loop()
        if CONF.oslo_asyncio.hub != "uvloop":
            Answer.accepted = lambda: None
            loop.set_task_factory(factory)
        self.server = await loop.create_server(Answer, sock=LISTENER)
        say("up", os.getpid())

    async def stop(self):
        self.server.close()
        say("down", os.getpid())
        while Answer.busy:
            Server.idle.clear()
            await Server.idle.wait()

LISTENER = service.listen("127.0.0.1", 0)
say(LISTENER.getsockname()[1])
sys.exit(service.launch(CONF, Server(), workers=2).wait())
"""


def test_row_62_a_worker_that_stops_while_it_accepts_answers(start):
    program = start(SERVER, stderr=subprocess.STDOUT)
    port = int(program.next_line())
    program.wait_for("INFO 2 of 2 workers are ready")
    for _ in range(10):
        with socket.create_connection(("127.0.0.1", port), timeout=LIMIT) as client:
            program.wait_for("down")
            client.sendall(b"question\n")
            assert client.makefile().read() == "answer to question\n"
        program.wait_for("up")
    assert program.stop() == 0
    program.rest()
    assert not [line for line in program.lines if line.startswith("Traceback")]


CLOSING = """
class Server(service.Service):
    async def start(self):
        self.server = await asyncio.start_server(self.accepted, sock=LISTENER)
        say("up", f"pid={os.getpid()}")

    async def accepted(self, reader, writer):
        writer.write(b"answer to " + await reader.readline())
        writer.close()

    async def stop(self):
        # what is accepted from here on comes too late: the server is closed
        # before asyncio attaches the connection
        asyncio.get_running_loop().set_task_factory(self.close)
        say("down", f"pid={os.getpid()}")
        await hub.run_sync(hear)
        self.server.close()

    def close(self, loop, coroutine, **kwargs):
        if "accept" in coroutine.__qualname__:
            self.server.close()
        return asyncio.Task(coroutine, loop=loop, **kwargs)

LISTENER = service.listen("127.0.0.1", 0)
say(LISTENER.getsockname()[1])
sys.exit(service.launch(CONF, Server(), workers=2).wait())
"""


def test_row_62_a_worker_accepts_nothing_once_its_stop_has_begun(start):
    program = start(CLOSING)
    port = int(program.next_line())
    stopping, sibling = (who["pid"] for who in crew.hear_of(program, "up", 2))
    os.kill(sibling, signal.SIGSTOP)
    os.kill(stopping, signal.SIGTERM)
    program.wait_for("down")
    with socket.create_connection(("127.0.0.1", port), timeout=LIMIT) as client:
        client.sendall(b"question\n")
        program.tell()
        program.wait_for("up")
        os.kill(sibling, signal.SIGCONT)
        assert client.makefile().read() == "answer to question\n"
    program.signal(signal.SIGTERM)
    program.tell()
    program.tell()
    assert program.exit() == 0
