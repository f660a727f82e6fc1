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
#
# ruff: noqa: E402

"""A small web service whose file says nothing about its hub.

    python examples/hello.py --config-file hello.conf
    curl http://localhost:8080/ada
"""

from oslo_asyncio import hub

hub.setup("hello")

import asyncio
import sys
import threading
import time

from oslo_config import cfg
from oslo_log import log

from oslo_asyncio import service

CONF = cfg.CONF
LOG = log.getLogger("hello")
OPTIONS = [cfg.PortOpt("port", default=8080, help="Where to listen; 0: anywhere.")]


class Hello(service.Service):
    """Greets whoever asks, and finishes what it has begun when it stops."""

    def __init__(self):
        super().__init__()
        self.requests = set()

    async def start(self):
        self.loop_thread = threading.get_native_id()
        sock = service.listen("localhost", CONF.port)
        self.server = await asyncio.start_server(self.serve, sock=sock)
        say(f"listening on http://localhost:{sock.getsockname()[1]}/")

    async def serve(self, reader, writer):
        """Async code: one task on the loop for each connection."""
        request = asyncio.current_task()
        self.requests.add(request)
        request.add_done_callback(self.requests.discard)
        try:
            path = (await reader.readline()).split()[1].decode()
            say(f"serving {path}")
            while (await reader.readline()).strip():
                pass  # headers, up to the empty line
            greeting = await hub.run_sync(self.greet, path.strip("/"))
            writer.write(b"HTTP/1.0 200 OK\r\n\r\n" + greeting.encode())
            await writer.drain()
        except (ConnectionError, IndexError, ValueError) as error:
            LOG.warning("Not a request, or the client has gone: %r", error)
        finally:
            writer.close()

    def greet(self, name):
        """Sync code: it may block, for it runs beside the loop."""
        time.sleep(0.1)  # stands for a query to a database
        same = threading.get_native_id() == self.loop_thread
        kind = "green" if same else "native"
        return f"hello {name}: {hub.current().name} hub, {kind} thread\n"

    async def stop(self):
        say("stopping")
        self.server.close()
        if self.requests:
            await asyncio.wait(self.requests)


def say(line):
    print(line, flush=True)


def main():
    log.register_options(CONF)
    CONF.register_opts(OPTIONS)
    CONF(sys.argv[1:], project="hello")
    log.setup(CONF, "hello")
    return service.launch(CONF, Hello()).wait()


if __name__ == "__main__":
    sys.exit(main())
