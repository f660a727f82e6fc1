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

"""Servers to be called: ``answering.py URL RESTART_METHOD TOPIC:WORKERS...``.

Each says which call it has begun, whichever worker that is in.  With 0 workers all
run in the process of the program.  There SIGUSR1 lets the calls of ``hold`` go on.
"""

# ruff: noqa: E402
from oslo_asyncio import hub

hub.setup(argv=[])

import asyncio
import logging
import os
import signal
import sys
import warnings

from oslo_config import cfg

from oslo_asyncio import _unpatched
from oslo_asyncio import messaging
from oslo_asyncio import opts
from oslo_asyncio import service


def say(*words):
    # one write for a line: workers share the pipe, and so do green threads
    _unpatched.os.write(1, (" ".join(map(str, words)) + "\n").encode())


class Endpoint:
    def __init__(self, topic):
        self._topic = topic
        self._gate = asyncio.Event()

    async def hold(self, ctxt, call):
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR1, self._gate.set)
        say("begun", self._topic, call)
        await self._gate.wait()
        return call

    async def answer(self, ctxt, call):
        say("begun", self._topic, call)
        await asyncio.sleep(0.05)  # so that a stop finds calls at work
        return call


class Server(messaging.AsyncRPCServer):
    def start(self):
        super().start()
        say("up", self._target.topic, os.getpid())

    def reset(self):
        say("reset", self._target.topic, os.getpid())


def quick():
    """The driver waits for a second before it connects again, and no longer."""
    group = "oslo_messaging_rabbit"
    cfg.CONF.set_override("rabbit_interval_max", 1, group=group)
    cfg.CONF.set_override("kombu_reconnect_delay", 0, group=group)


def main(url, restart_method, *services):
    warnings.simplefilter("ignore")
    logging.basicConfig(stream=sys.stdout, level=logging.INFO)
    import oslo_messaging

    cfg.CONF([], default_config_files=[], default_config_dirs=[])
    opts.register(cfg.CONF)
    transport = oslo_messaging.get_rpc_transport(cfg.CONF, url)
    quick()
    alone = services[0].endswith(":0")
    kind = service.ServiceLauncher if alone else service.ProcessLauncher
    launcher = kind(cfg.CONF, restart_method=restart_method)
    for each in services:
        topic, workers = each.split(":")
        target = oslo_messaging.Target(topic=topic, server="here")
        endpoints = [Endpoint(topic)]
        server = messaging.get_rpc_server(
            transport, target, endpoints, server_cls=Server
        )
        launcher.launch_service(server, workers=int(workers) or 1)
    return launcher.wait()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
