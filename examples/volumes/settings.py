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
# ruff: noqa: I001

"""What the API and the worker of the example have in common."""

import functools
import sys

from oslo_asyncio import messaging  # before oslo_messaging
from oslo_config import cfg
from oslo_context import context
from oslo_log import log
import oslo_messaging

CONF = cfg.CONF
LOG = log.getLogger("volumes")
TOPIC = "volumes"
OPTIONS = [
    cfg.PortOpt("port", default=8080, help="Where the API listens; 0: anywhere."),
    cfg.IntOpt("api_workers", default=1, min=1, help="Processes of the API."),
    cfg.IntOpt("workers", default=1, min=1, help="Processes of the worker."),
    cfg.StrOpt("database", default="volumes.sqlite", help="A file."),
    cfg.IntOpt("largest", default=100, min=1, mutable=True, help="In GiB."),
]


def read():
    """Read the config files, and set up logging as they say."""
    log.register_options(CONF)
    CONF.register_opts(OPTIONS)
    CONF(sys.argv[1:], project="volumes")
    log.setup(CONF, "volumes")


@functools.cache
def transport():
    return oslo_messaging.get_rpc_transport(CONF)


class Contexts(oslo_messaging.NoOpSerializer):
    """Takes the request id along, so that it is in the log of both services."""

    def serialize_context(self, ctxt):
        return ctxt.to_dict()

    def deserialize_context(self, ctxt):
        return context.RequestContext.from_dict(ctxt)


def client():
    target = oslo_messaging.Target(topic=TOPIC)
    return messaging.get_rpc_client(
        transport(), target, timeout=10, serializer=Contexts()
    )


def server(host, endpoints):
    target = oslo_messaging.Target(topic=TOPIC, server=host)
    return messaging.get_rpc_server(
        transport(), target, endpoints, serializer=Contexts()
    )
