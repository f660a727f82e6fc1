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

from oslo_asyncio import periodic_task
from oslo_asyncio import service


class Housekeeping(periodic_task.PeriodicTasks):
    @periodic_task.periodic_task(spacing=2, run_immediately=True)
    def sweep(self, context):  # sync code: beside the loop, so it may block
        time.sleep(0.1)
        print(f"swept for {context}", flush=True)

    @periodic_task.periodic_task(spacing=1)
    async def report(self, context):  # async code: on the loop
        await asyncio.sleep(0.1)
        print(f"reported to {context}", flush=True)


class Agent(service.Service):
    def start(self):
        run = Housekeeping(cfg.CONF).run_periodic_tasks
        self.tg.add_dynamic_timer_args(run, ["admin"])


cfg.CONF(sys.argv[1:])
sys.exit(service.launch(cfg.CONF, Agent()).wait())
