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

"""Between a client and its broker, to be cut."""

import asyncio
import contextlib
import urllib.parse


class Relay:
    """Hands bytes on in both directions, on the running loop.

    :param url: of the broker.
    """

    def __init__(self, url):
        self._broker = urllib.parse.urlsplit(url)
        self._writers = set()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *exc_info):
        self._server.close()
        self.cut()

    @property
    def url(self):
        """For clients."""
        port = self._server.sockets[0].getsockname()[1]
        user = self._broker.netloc.rpartition("@")[0]
        return self._broker._replace(netloc=f"{user}@127.0.0.1:{port}").geturl()

    def cut(self):
        """Reset all connections; new ones are served."""
        cut = list(self._writers)
        for writer in cut:
            writer.transport.abort()
        return len(cut)

    async def _serve(self, reader, writer):
        host, port = self._broker.hostname, self._broker.port
        onward_reader, onward_writer = await asyncio.open_connection(host, port)
        await asyncio.gather(
            self._copy(reader, onward_writer), self._copy(onward_reader, writer)
        )

    async def _copy(self, reader, writer):
        self._writers.add(writer)
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        self._writers.discard(writer)
        writer.close()
