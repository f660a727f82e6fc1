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

hub.setup()  # before everything else: eventlet patches here or not at all

import asyncio
import sys
import time

from oslo_config import cfg

from oslo_asyncio import service


class Ticker(service.Service):
    async def start(self):
        self.ticking = asyncio.create_task(self.tick())

    async def tick(self):  # async code: on the loop
        while True:
            print(await hub.run_sync(look), flush=True)
            await asyncio.sleep(1)


def look():  # sync code: beside the loop, so it may block
    time.sleep(0.1)
    return f"{hub.current().name} hub: {time.ctime()}"


cfg.CONF(sys.argv[1:])
sys.exit(service.launch(cfg.CONF, Ticker()).wait())
