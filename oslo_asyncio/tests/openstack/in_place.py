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

"""A service in one process, without workers, as nova-compute is one.

``main`` is the service; as a program this module asks it, as it is told on stdin.
"""

import os
import sys

from oslo_service import backend

backend.init_backend(backend.BackendType.THREADING)  # oslo.messaging would choose

from oslo_config import cfg  # noqa: E402
from oslo_log import log as logging  # noqa: E402
import oslo_messaging as messaging  # noqa: E402
from oslo_service import service  # noqa: E402

TOPIC = "in-place"

CONF = cfg.CONF
CONF.register_opts([cfg.StrOpt("greeting", mutable=True)])
CONF.register_cli_opts([cfg.StrOpt("restart-method", default="mutate")])


class Greeter(service.Service):
    """Has an RPC server from start() to stop()."""

    def start(self) -> None:
        transport = messaging.get_rpc_transport(CONF)
        target = messaging.Target(topic=TOPIC, server="h1")
        self._server = messaging.get_rpc_server(
            transport, target, [self], executor="threading"
        )
        self._server.start()
        super().start()

    def stop(self, graceful=False) -> None:
        self._server.stop()
        self._server.wait()
        super().stop(graceful)

    def greet(self, context) -> list:
        """What a caller is told."""
        return [os.getpid(), CONF.greeting]


def main() -> int:
    configure()
    launcher = service.launch(
        CONF, Greeter(), no_fork=True, restart_method=CONF.restart_method
    )
    return launcher.wait()


def configure() -> None:
    logging.register_options(CONF)
    CONF(sys.argv[1:], project="in-place")
    logging.setup(CONF, "in-place")


def ask() -> None:
    configure()
    transport = messaging.get_rpc_transport(CONF)
    client = messaging.get_rpc_client(transport, messaging.Target(topic=TOPIC))
    print(": started", flush=True)
    for _ in sys.stdin:
        pid, greeting = client.call({}, "greet")
        print(":", pid, greeting, flush=True)


if __name__ == "__main__":
    ask()
