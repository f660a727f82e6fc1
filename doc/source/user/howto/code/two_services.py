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

from oslo_asyncio import hub

hub.setup()

import asyncio
import sys

from oslo_config import cfg

import oslo_asyncio
from oslo_asyncio import service


class Api(service.Service):
    async def start(self):
        print(f"an API in worker {oslo_asyncio.worker_id()}", flush=True)


class Collector(service.Service):
    async def start(self):
        self.task = asyncio.create_task(self.collect())

    async def collect(self):
        while True:
            print(f"collecting in worker {oslo_asyncio.worker_id()}", flush=True)
            await asyncio.sleep(60)


cfg.CONF(sys.argv[1:])
launcher = service.ProcessLauncher(cfg.CONF)
launcher.launch_service(Api(), workers=3)
launcher.launch_service(Collector())
sys.exit(launcher.wait())
