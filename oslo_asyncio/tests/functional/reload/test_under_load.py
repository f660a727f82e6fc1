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

"""Reload under load: nobody notices."""

import json
import signal
import subprocess
import sys

import pytest

from oslo_asyncio.tests.functional.reload import client
from oslo_asyncio.tests.functional.reload import crew

RELOADS = 20
WORKERS = 4
MOST = 2000  # connections per second

SERVERS = {
    "async": """
class Server(service.Service):
    async def start(self):
        self.busy = set()
        self.server = await asyncio.start_server(self.accepted, sock=LISTENER)
        say("up", os.getpid())

    async def accepted(self, reader, writer):
        task = asyncio.current_task()
        self.busy.add(task)
        task.add_done_callback(self.busy.discard)
        writer.write(b"answer to " + await reader.readline())
        await writer.drain()
        writer.close()

    async def stop(self):
        say("down", os.getpid())
        self.server.close()
        if self.busy:
            await asyncio.wait(self.busy)
""",
    "sync": """
import select

class Server(service.Service):
    def start(self):
        LISTENER.setblocking(False)
        self.busy = set()
        self.wake, self.stopping = socket.socketpair()
        say("up", os.getpid())

    def wait(self):
        while True:
            ready, _, _ = select.select([LISTENER, self.stopping], [], [])
            if self.stopping in ready:
                break
            try:
                connection, _ = LISTENER.accept()
            except BlockingIOError:
                continue  # another worker has it
            connection.setblocking(True)
            thread = threading.Thread(target=self.serve, args=[connection])
            self.busy.add(thread)
            thread.start()
        for thread in list(self.busy):
            thread.join()

    def serve(self, connection):
        with connection, connection.makefile("rb") as file:
            connection.sendall(b"answer to " + file.readline())
        self.busy.discard(threading.current_thread())

    def stop(self):
        say("down", os.getpid())
        self.wake.send(b".")
""",
}

LAUNCH = """
LISTENER = service.listen("127.0.0.1", 0)
launcher = service.launch(CONF, Server(), workers={workers})
say(LISTENER.getsockname()[1])
sys.exit(launcher.wait())
"""


class Load:
    """The client in its process."""

    def __init__(self, port):
        self.process = subprocess.Popen(
            [sys.executable, client.__file__, port],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, command):
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def load():
    made = []

    def load(port):
        made.append(Load(port))
        return made[-1]

    yield load
    for each in made:
        each.close()


@pytest.mark.parametrize("kind", SERVERS)
def test_row_28_twenty_reloads_under_load_lose_no_connection(start, load, kind):
    source = SERVERS[kind] + LAUNCH.format(workers=WORKERS)
    program = start(source, stderr=subprocess.STDOUT)
    port = program.next_line()
    program.wait_for(f"INFO {WORKERS} of {WORKERS} workers are ready")
    clients = load(port)
    calm = clients.ask("calm 1")
    clients.ask(f"load {min(calm / 2, MOST)}")
    for _ in range(RELOADS):
        program.signal(signal.SIGHUP)
        program.wait_for("INFO Reload ended")
    figures = clients.ask("stop")
    print(f"calm {calm:.0f}/s, then {figures}")
    assert figures["lost"] == {}
    assert figures["total"] > 100
    assert crew.fewest_up(program.lines) >= WORKERS - 1
    assert program.stop() == 0
    assert not [line for line in program.rest() if line.startswith("Traceback")]
