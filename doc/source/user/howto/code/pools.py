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
import time

from oslo_config import cfg

from oslo_asyncio import executor
from oslo_asyncio import service

executor.add_pool("backend", max_threads=8)


def attach(volume):
    time.sleep(0.01)  # stands for a backend that takes its time
    return f"{volume} attached"


class Volumes(service.Service):
    async def wait(self):
        calls = [
            executor.run_blocking(attach, volume, pool="backend")
            for volume in ("root", "swap")
        ]
        print(*await asyncio.gather(*calls), sep=", ")
        for pool in executor.figures():
            print(f"{pool.name}: {pool.queued} queued, {pool.abandoned} abandoned")
        launcher.stop()


cfg.CONF(sys.argv[1:])
launcher = service.launch(cfg.CONF, Volumes())
sys.exit(launcher.wait())
