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

"""The connection to the broker breaks in the middle of calls."""

import asyncio
import queue
import urllib.parse
import uuid

from oslo_config import cfg
import pytest

from oslo_asyncio import _anywhere
from oslo_asyncio import messaging
from oslo_asyncio.tests.messaging import peers
from oslo_asyncio.tests.messaging import served

library = peers.load()

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

LIMIT = peers.LIMIT


class Cable:
    """Between a program and its broker; it can be cut, and works again at once.

    :ivar connected: has one item for each connection that was made.
    """

    def __init__(self, url):
        parsed = urllib.parse.urlsplit(url)
        self._broker = parsed.hostname, parsed.port
        self._user = parsed.netloc.rpartition("@")[0]
        self.connected = queue.Queue()
        self._ends = []

    def open(self):
        return _anywhere.call(self._open)

    def cut(self):
        """Reset every connection."""
        return _anywhere.call(self._cut)

    def close(self):
        return _anywhere.call(self._close)

    async def _open(self):
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        self.url = f"rabbit://{self._user}@{host}:{port}/"

    async def _cut(self):
        ends, self._ends = self._ends, []
        for each in ends:
            each.transport.abort()

    async def _close(self):
        self._server.close()
        await self._cut()

    async def _carry(self, reader, writer):
        far_reader, far_writer = await asyncio.open_connection(*self._broker)
        self._ends += [writer, far_writer]
        self.connected.put(None)
        await asyncio.gather(carry(reader, far_writer), carry(far_reader, writer))


async def carry(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
    except OSError:
        pass
    writer.close()


@pytest.fixture
def cable(hub, broker):
    made = Cable(broker)
    made.open()
    yield made
    made.close()


@pytest.fixture
def quick():
    """The driver tries again at once: after a second by default, and then two."""
    peers.transport("rabbit://").cleanup()  # which registers these options
    group = "oslo_messaging_rabbit"
    for name in ("rabbit_retry_interval", "rabbit_interval_max"):
        cfg.CONF.set_override(name, 1, group=group)
    cfg.CONF.set_override("kombu_reconnect_delay", 0, group=group)
    yield
    for name in ("rabbit_retry_interval", "rabbit_interval_max"):
        cfg.CONF.clear_override(name, group=group)
    cfg.CONF.clear_override("kombu_reconnect_delay", group=group)


def test_calls_are_answered_although_the_servers_connections_break(
    hub, cable, broker, quick
):
    endpoint = served.Endpoint()
    topic = uuid.uuid4().hex
    target = library.Target(topic=topic, server="here")
    near, far = peers.transport(broker), peers.transport(cable.url)
    server = messaging.get_rpc_server(far, target, [endpoint])
    server.start()
    client = library.get_rpc_client(near, library.Target(topic=topic), timeout=LIMIT)
    try:
        asked = [served.Asked(client.call, {}, "hold", key=key) for key in range(10)]
        begun = {endpoint.begun.get(timeout=LIMIT) for _ in asked}
        assert begun == set(range(10))
        while not cable.connected.empty():
            cable.connected.get()
        cable.cut()
        cable.connected.get(timeout=LIMIT)
        for key in range(10):
            endpoint.let_go(key)
        assert sorted(each.answer() for each in asked) == list(range(10))
        assert endpoint.begun.empty()  # none came a second time
        assert client.call({}, "add", a=1, b=2) == 3
    finally:
        server.stop()
        server.wait()
        near.cleanup()
        far.cleanup()
