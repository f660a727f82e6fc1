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

"""A service of one RPC server: ``program.py URL TOPIC WORKERS``."""

# ruff: noqa: E402
from oslo_asyncio import hub

hub.setup(argv=[])

import asyncio
import sys
import warnings

from oslo_config import cfg

from oslo_asyncio import messaging
from oslo_asyncio import opts
from oslo_asyncio import service


class Server(messaging.AsyncRPCServer):
    """Says when it listens, and its endpoint notices that it stops."""

    def start(self):
        super().start()
        print("started", flush=True)

    def stop(self):
        super().stop()
        if self.endpoint.loop is not None:  # a call has come here
            self.endpoint.loop.call_soon_threadsafe(self.endpoint.stopped.set)


class Endpoint:
    def __init__(self):
        self.loop = None
        self.stopped = asyncio.Event()

    async def until_stopped(self, ctxt):
        self.loop = asyncio.get_running_loop()
        print("begun", flush=True)
        await self.stopped.wait()
        return "answered while it stopped"


def main(url, topic, workers):
    warnings.simplefilter("ignore")
    import oslo_messaging

    cfg.CONF([], default_config_files=[], default_config_dirs=[])
    opts.register(cfg.CONF)
    cfg.CONF.set_override("graceful_shutdown_timeout", 20)
    transport = oslo_messaging.get_rpc_transport(cfg.CONF, url)
    target = oslo_messaging.Target(topic=topic, server="here")
    endpoint = Endpoint()
    server = messaging.get_rpc_server(transport, target, [endpoint], server_cls=Server)
    server.endpoint = endpoint
    return service.launch(cfg.CONF, server, workers=int(workers)).wait()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
