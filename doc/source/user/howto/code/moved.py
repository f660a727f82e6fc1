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

import os
import signal
import sys

from oslo_config import cfg

from oslo_asyncio import loopingcall
from oslo_asyncio import periodic_task
from oslo_asyncio import service


class Manager(periodic_task.PeriodicTasks):
    synchronised = False

    @periodic_task.periodic_task(spacing=60, run_immediately=True)
    def sync_state(self, context):
        print("state synchronised for", context, flush=True)
        self.synchronised = True


class Agent(service.Service):
    def __init__(self, conf):
        super().__init__()
        self.manager = Manager(conf)

    def start(self):
        super().start()
        self.tg.add_dynamic_timer(self.periodic_tasks, periodic_interval_max=60)
        self.tg.add_thread(self.boot)

    def periodic_tasks(self):
        return self.manager.run_periodic_tasks("admin")

    def boot(self):
        timer = loopingcall.FixedIntervalLoopingCall(self.poll)
        print(timer.start(interval=0.1).wait(), flush=True)
        os.kill(os.getpid(), signal.SIGTERM)

    def poll(self):
        if self.manager.synchronised:
            raise loopingcall.LoopingCallDone("booted")


cfg.CONF(sys.argv[1:])
sys.exit(service.launch(cfg.CONF, Agent(cfg.CONF), restart_method="mutate").wait())
