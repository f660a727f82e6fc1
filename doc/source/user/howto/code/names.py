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
import socket
import sys

from oslo_config import cfg

from oslo_asyncio import exceptions
from oslo_asyncio import service


def address_of(host):
    return socket.gethostbyname(host)  # sync code, as ever


class Names(service.Service):
    async def wait(self):
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo("localhost", 80, family=socket.AF_INET)
            print(found[0][4])
        except exceptions.LookupTimeout as error:
            print(f"name server too slow: {error}")
        except socket.gaierror as error:
            print(f"no such name: {error}")
        print(await hub.run_sync(address_of, "localhost"))
        launcher.stop()


cfg.CONF(sys.argv[1:])
launcher = service.launch(cfg.CONF, Names())
sys.exit(launcher.wait())
