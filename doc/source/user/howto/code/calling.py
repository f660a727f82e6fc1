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
# ruff: noqa: E402, I001

from oslo_asyncio import hub

hub.setup()

import asyncio
import sys

from oslo_asyncio import messaging  # before oslo_messaging
from oslo_asyncio import service
from oslo_config import cfg
import oslo_messaging


class Compute:  # stands for a service on another host
    async def boot(self, ctxt, name):
        await asyncio.sleep(0.1)
        return f"{name} runs"

    async def fail(self, ctxt):
        raise RuntimeError("no host is free")


class Scheduler(service.Service):
    async def start(self):
        self.compute = messaging.get_rpc_client(
            transport, oslo_messaging.Target(topic="compute"), timeout=10
        )

    async def wait(self):
        names = [f"vm-{number}" for number in range(500)]
        calls = [self.compute.call({}, "boot", name=name) for name in names]
        print(*(await asyncio.gather(*calls))[:3], "...", sep=", ")
        try:
            await self.compute.call({}, "fail")
        except (RuntimeError, oslo_messaging.RemoteError) as error:
            print(f"it said: {error}")
        try:
            async with asyncio.timeout(0.05):
                await self.compute.call({}, "boot", name="slow")
        except TimeoutError:
            print("not waited for any longer")
        launcher.stop()


cfg.CONF(sys.argv[1:])
transport = oslo_messaging.get_rpc_transport(cfg.CONF)
target = oslo_messaging.Target(topic="compute", server="node1")
launcher = service.ServiceLauncher(cfg.CONF)
launcher.launch_service(messaging.get_rpc_server(transport, target, [Compute()]))
launcher.launch_service(Scheduler())
sys.exit(launcher.wait())
