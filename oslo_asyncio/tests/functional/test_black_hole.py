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
"""A name server that never answers, and everything that must go on meanwhile."""

import os
import shutil
import socket
import struct
import subprocess
import threading
import time

import pytest

# one for each process that runs these tests at the same time
SERVER = f"127.77.{os.getpid() // 250 % 250}.{os.getpid() % 250 + 1}"

# its own mounts: only this program sees the resolv.conf
ISOLATED = (
    "unshare",
    "--mount",
    "sh",
    "-c",
    'mount --bind "$0" /etc/resolv.conf && exec "$@"',
)


@pytest.fixture(scope="module")
def resolv_conf(tmp_path_factory):
    path = tmp_path_factory.mktemp("resolv") / "resolv.conf"
    path.write_text(f"nameserver {SERVER}\noptions timeout:30 attempts:1\n")
    if shutil.which("unshare") is None:
        pytest.skip("unshare(1) is not installed")
    tried = subprocess.run([*ISOLATED, path, "true"], capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"may not replace /etc/resolv.conf: {tried.stderr.strip()}")
    return path


@pytest.fixture
def name_server():
    """Answers for names that begin with "good", and for no others."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.bind((SERVER, 53))
        except OSError as error:
            pytest.skip(f"may not bind {SERVER}:53: {error}")
        thread = threading.Thread(target=serve, args=[sock])
        thread.start()
        yield
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.sendto(b"", (SERVER, 53))
        thread.join()


def serve(sock):
    while True:
        question, client = sock.recvfrom(2000)
        if not question:
            return
        if not question[13:].startswith(b"good"):
            continue
        end = question.index(b"\0", 12) + 5
        wants_ipv4 = question[end - 4 : end - 2] == b"\0\1"
        header = question[:2] + struct.pack(">5H", 0x8180, 1, wants_ipv4, 0, 0)
        record = struct.pack(">3HIH4s", 0xC00C, 1, 1, 0, 4, bytes((127, 0, 0, 1)))
        sock.sendto(header + question[12:end] + record * wants_ipv4, client)


@pytest.fixture
def start_isolated(start, resolv_conf, name_server):
    def start_isolated(source, **options):
        prefix = (*ISOLATED, str(resolv_conf))
        return start(source, prefix=prefix, **options)

    return start_isolated


ABANDON = """
async def abandon(how):
    tasks = [
        asyncio.ensure_future(how(f"black{n}.hole.test")) for n in range(100)
    ]
    while pool().threads < 64:
        await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)

def pool():
    return executor.get_pool("resolver").figures()

async def look_up(name):
    found = await asyncio.get_running_loop().getaddrinfo(name, 80, type=1)
    return found[0][4]

"""


def test_row_42_after_100_cancelled_look_ups_the_next_one_works(start_isolated):
    program = start_isolated(
        ABANDON
        + """
class Client(service.Service):
    async def start(self):
        await abandon(look_up)
        say(*await look_up("good.test"))
        say(*await look_up("good2.test"))
        say((await look_up("localhost"))[0])
        say("blocking", await executor.run_blocking(sum, [1, 2]))
        say("thread", await asyncio.to_thread(sum, [3, 4]))
        say("abandoned", pool().abandoned)

sys.exit(service.launch(CONF, Client()).wait())
"""
    )
    program.expect("127.0.0.1 80")
    program.expect("127.0.0.1 80")
    assert program.next_line() in ("127.0.0.1", "::1")
    program.expect("blocking 3")
    program.expect("thread 7")
    abandoned = int(program.expect("abandoned ").split()[1])
    assert abandoned >= 64
    sent = time.monotonic()
    assert program.stop() == 0
    assert time.monotonic() - sent < 5


def test_row_41_waiting_look_ups_do_not_hold_up_blocking_calls(start_isolated):
    program = start_isolated(
        ABANDON
        + """
class Client(service.Service):
    async def start(self):
        self.stuck = [
            asyncio.ensure_future(look_up(f"black{n}.hole.test")) for n in range(100)
        ]
        await asyncio.sleep(0)
        say("blocking", await executor.run_blocking(sum, [1, 2]))
        say("numeric", *await look_up("127.0.0.9"))

sys.exit(service.launch(CONF, Client()).wait())
"""
    )
    program.expect("blocking 3")
    program.expect("numeric 127.0.0.9 80")
    sent = time.monotonic()
    assert program.stop() == 0
    assert time.monotonic() - sent < 5


def test_row_41_a_full_default_pool_does_not_hold_up_look_ups(start_isolated):
    program = start_isolated(
        ABANDON
        + """
class Client(service.Service):
    async def start(self):
        gate = _unpatched.threading.Event()
        self.stuck = [
            asyncio.ensure_future(asyncio.to_thread(gate.wait)) for n in range(100)
        ]
        await asyncio.sleep(0)
        say(*await look_up("good.test"))
        gate.set()
        await asyncio.wait(self.stuck)

sys.exit(service.launch(CONF, Client()).wait())
"""
    )
    program.expect("127.0.0.1 80")
    assert program.stop() == 0


def test_row_42_connections_by_name_are_cancelled_and_made_on_every_hub(start_isolated):
    program = start_isolated(
        ABANDON
        + """
class Client(service.Service):
    async def start(self):
        sock = service.listen("127.0.0.1", 0)
        self.port = sock.getsockname()[1]
        self.server = await asyncio.start_server(self.greet, sock=sock)
        await abandon(self.connect)
        say(await self.connect("good.test"))

    async def greet(self, reader, writer):
        writer.write(b"hello")
        writer.close()

    async def connect(self, name):
        reader, writer = await asyncio.open_connection(name, self.port)
        try:
            return (await reader.read()).decode()
        finally:
            writer.close()

    async def stop(self):
        self.server.close()

sys.exit(service.launch(CONF, Client()).wait())
"""
    )
    program.expect("hello")
    assert program.stop() == 0


def test_a_look_up_that_takes_too_long_fails_with_a_temporary_error(start_isolated):
    program = start_isolated(
        ABANDON
        + """
class Client(service.Service):
    async def start(self):
        try:
            await look_up("black.hole.test")
        except socket.gaierror as error:
            say(error.errno == socket.EAI_AGAIN, error)

sys.exit(service.launch(CONF, Client()).wait())
""",
        own="resolver_timeout = 0.2",
    )
    line = program.expect("True ")
    assert "'black.hole.test' took longer than 0.2 s" in line
    assert program.stop() == 0


@pytest.mark.parametrize("hub_name", ["eventlet"])
def test_green_look_ups_wait_beside_each_other_and_end_with_the_service(start_isolated):
    program = start_isolated(
        ABANDON
        + """
class Client(service.Service):
    def start(self):
        for n in range(100):
            threading.Thread(target=self.ask, args=[f"black{n}.hole.test"]).start()
        while pool().threads < 64:
            time.sleep(0)
        say(socket.getaddrinfo("localhost", 80, type=1)[0][4][1])

    def ask(self, name):
        try:
            socket.getaddrinfo(name, 80)
        except Exception as error:
            errors.append(error)

errors = []
sys.exit(service.launch(CONF, Client()).wait())
""",
        own="pool_threads = resolver:128",
    )
    program.expect("80")
    sent = time.monotonic()
    assert program.stop() == 0
    assert time.monotonic() - sent < 5
