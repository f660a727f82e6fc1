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

"""Between a program and its broker, for sync tests; ``relay`` is for async ones."""

import asyncio
import queue
import urllib.parse

from oslo_asyncio import _anywhere


class Cable:
    """Between a program and its broker; it can be cut, and works again at once.

    :ivar connected: has one item for each connection that was made.
    :ivar deaf: what the broker says arrives no more, on connections of now.
    :ivar dumb: nothing arrives at the broker any more.
    """

    def __init__(self, url):
        parsed = urllib.parse.urlsplit(url)
        self._broker = parsed.hostname, parsed.port
        self._user = parsed.netloc.rpartition("@")[0]
        self.connected = queue.Queue()
        self._ends = []
        self.deaf, self.dumb = set(), set()

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

    def hold_back(self, silenced):
        """From now on, on the connections that there are: ``deaf`` or ``dumb``."""
        _anywhere.call(self._hold_back, silenced)

    async def _hold_back(self, silenced):
        silenced.update(self._ends)

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
        await asyncio.gather(
            carry(reader, far_writer, self.dumb), carry(far_reader, writer, self.deaf)
        )


async def carry(reader, writer, silenced):
    try:
        while data := await reader.read(65536):
            if writer not in silenced:
                writer.write(data)
    except OSError:
        pass
    writer.close()
