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

from oslo_asyncio import hub

hub.setup()

import asyncio
import sys

from oslo_config import cfg

from oslo_asyncio import service
from oslo_asyncio import systemd

CONF = cfg.CONF
CONF.register_opts([cfg.PortOpt("port", default=8080)])


class Echo(service.Service):
    async def start(self):
        listeners = systemd.listen_fds("echo")
        if not listeners:  # not started by echo.socket
            listeners = [service.listen("localhost", CONF.port)]
        self.servers = []
        for sock in listeners:
            self.servers.append(await asyncio.start_server(self.serve, sock=sock))
            print("listening on", sock.getsockname(), flush=True)

    async def serve(self, reader, writer):
        writer.write(await reader.readline())
        writer.close()

    async def stop(self):
        for server in self.servers:
            server.close()


CONF(sys.argv[1:])
sys.exit(service.launch(CONF, Echo()).wait())
