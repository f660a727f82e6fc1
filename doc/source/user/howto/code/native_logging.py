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
from oslo_log import log

from oslo_asyncio import executor
from oslo_asyncio import service

CONF = cfg.CONF
LOG = log.getLogger("chatty")


def chat():
    for number in range(100):
        LOG.info("line %d", number)
    return number + 1


class Chatty(service.Service):
    async def wait(self):
        native = [executor.run_blocking(chat) for _ in range(3)]
        beside = [hub.run_sync(chat) for _ in range(3)]
        print(sum(await asyncio.gather(*native, *beside)), "lines")
        launcher.stop()


log.register_options(CONF)
CONF(sys.argv[1:])
log.setup(CONF, "chatty")
launcher = service.launch(CONF, Chatty())
sys.exit(launcher.wait())
