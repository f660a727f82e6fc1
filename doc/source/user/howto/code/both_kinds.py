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
import zlib

from oslo_config import cfg

from oslo_asyncio import executor
from oslo_asyncio import service


async def fetch_user(number):
    await asyncio.sleep(0.01)  # stands for a query
    return f"user {number}"


def render(number):
    user = hub.run_async(fetch_user, number)  # sync code calls async code
    return f"<p>{user}</p>"


class Pages(service.Service):
    async def wait(self):
        page = await hub.run_sync(render, 7)  # async code calls sync code
        print(page)
        print(await executor.run_blocking(zlib.crc32, page.encode()))
        launcher.stop()


cfg.CONF(sys.argv[1:])
launcher = service.launch(cfg.CONF, Pages())
sys.exit(launcher.wait())
