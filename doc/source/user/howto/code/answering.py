# ruff: noqa: E402, I001
from oslo_asyncio import hub

hub.setup()

import asyncio
import sys
import time

from oslo_asyncio import messaging  # before oslo_messaging
from oslo_asyncio import service
from oslo_config import cfg
import oslo_messaging


class Compute:
    async def boot(self, ctxt, name):
        await asyncio.sleep(0.2)
        return f"{name} runs"

    def legacy(self, ctxt):
        time.sleep(0.2)
        return "as before"


cfg.CONF(sys.argv[1:])
transport = oslo_messaging.get_rpc_transport(cfg.CONF)
target = oslo_messaging.Target(topic="compute", server="node1")
server = messaging.get_rpc_server(transport, target, [Compute()])
sys.exit(service.launch(cfg.CONF, server, workers=2).wait())
