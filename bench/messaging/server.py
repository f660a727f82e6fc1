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

"""A server in a process of its own: ``server.py NAME URL TOPIC CALLS SECONDS``.

Says "ready", serves until SIGTERM, and says then what it has cost.
"""
# ruff: noqa: E402

import sys

name, url, topic, calls, seconds = sys.argv[1:]

if name == "stock":
    from oslo_service import backend

    backend.init_backend(backend.BackendType.THREADING)
    import threading as native
else:
    from oslo_asyncio import hub

    hub.setup(argv=[])
    from oslo_asyncio import messaging
    from oslo_asyncio import opts
    from oslo_asyncio import service
    from oslo_asyncio._unpatched import threading as native

import asyncio
import json
import signal
import time

from oslo_config import cfg
import oslo_messaging

from bench.messaging import threads


class Sync:
    def wait(self, ctxt, number):
        time.sleep(float(seconds))
        return number


class Async:
    async def wait(self, ctxt, number):
        await asyncio.sleep(float(seconds))
        return number


def serve_stock(transport, target):
    """With oslo.messaging's defaults: 64 threads."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    server = oslo_messaging.get_rpc_server(transport, target, [Sync()], "threading")
    server.start()
    print("ready", flush=True)
    signal.sigwait({signal.SIGTERM})
    server.stop()
    server.wait()


def serve(transport, target):
    class Server(messaging.AsyncRPCServer):
        def start(self):
            super().start()
            print("ready", flush=True)

    opts.register(cfg.CONF)
    cfg.CONF.set_override("rpc_concurrency", int(calls), group=opts.GROUP)
    server = messaging.get_rpc_server(transport, target, [Async()], server_cls=Server)
    service.launch(cfg.CONF, server).wait()


def main():
    cfg.CONF([], default_config_files=[], default_config_dirs=[])
    transport = oslo_messaging.get_rpc_transport(cfg.CONF, url)
    target = oslo_messaging.Target(topic=topic, server="bench")
    with threads.Watch(native) as seen:
        (serve_stock if name == "stock" else serve)(transport, target)
    cost = {"cpu": time.process_time(), "ours": seen.ours(), "driver": seen.driver()}
    print(json.dumps(cost), flush=True)


if __name__ == "__main__":
    main()
