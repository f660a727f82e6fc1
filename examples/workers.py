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
#
# ruff: noqa: E402

"""A web service in several worker processes that share one port.

    python examples/workers.py --config-file workers.conf
    curl http://localhost:8080/ada
"""

from oslo_asyncio import hub

hub.setup("workers")

import asyncio
import os
import sys

from oslo_config import cfg
from oslo_log import log

import oslo_asyncio
from oslo_asyncio import service

CONF = cfg.CONF
OPTIONS = [
    cfg.PortOpt("port", default=8080, help="Where to listen; 0: anywhere."),
    cfg.IntOpt("workers", default=2, min=1, help="How many processes."),
]


class Hello(service.Service):
    """Says which worker answers, and finishes what it has begun when it stops."""

    def __init__(self):
        super().__init__()
        # before the workers are forked: one socket, and one queue, for all
        self.sock = service.listen("localhost", CONF.port)
        say(f"listening on http://localhost:{self.sock.getsockname()[1]}/")
        self.requests = set()

    async def start(self):
        self.server = await asyncio.start_server(self.serve, sock=self.sock)
        say(f"worker {oslo_asyncio.worker_id()} serves in process {os.getpid()}")

    async def serve(self, reader, writer):
        request = asyncio.current_task()
        self.requests.add(request)
        request.add_done_callback(self.requests.discard)
        try:
            path = (await reader.readline()).split()[1].decode()
            while (await reader.readline()).strip():
                pass  # headers, up to the empty line
            greeting = f"hello {path.strip('/')} from process {os.getpid()}\n"
            writer.write(b"HTTP/1.0 200 OK\r\n\r\n" + greeting.encode())
            await writer.drain()
        except (ConnectionError, IndexError, ValueError):
            pass  # not a request, or the client has gone
        finally:
            writer.close()

    async def stop(self):
        say(f"worker {oslo_asyncio.worker_id()} stops in process {os.getpid()}")
        self.server.close()
        if self.requests:
            await asyncio.wait(self.requests)


def say(line):
    print(line, flush=True)


@service.on_worker_start
def introduce():
    """What each process must have of its own comes here."""
    say(f"worker {oslo_asyncio.worker_id()} begins in process {os.getpid()}")


def main():
    log.register_options(CONF)
    CONF.register_opts(OPTIONS)
    CONF(sys.argv[1:], project="workers")
    log.setup(CONF, "workers")
    return service.launch(CONF, Hello(), workers=CONF.workers).wait()


if __name__ == "__main__":
    sys.exit(main())
