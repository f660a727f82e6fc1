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

"""oslo.messaging with ``async def`` on both ends.

The endpoints of a server may have async methods, which run as tasks on the loop,
next to sync ones, which run beside it.  A client awaits its calls.  Transports,
targets and serializers are oslo.messaging's own::

    import oslo_messaging
    from oslo_asyncio import messaging
    from oslo_asyncio import service

    class Compute:
        async def boot(self, ctxt, name): ...
        def legacy(self, ctxt): ...

    transport = oslo_messaging.get_rpc_transport(CONF)
    target = oslo_messaging.Target(topic="compute", server="node1")
    server = messaging.get_rpc_server(transport, target, [Compute()])
    service.launch(CONF, server, workers=4).wait()

oslo.messaging imports oslo.service.  When this module is imported before it, that
is this library (see :mod:`oslo_asyncio.takeover`), on the hub that
:func:`oslo_asyncio.hub.setup` has chosen.  Nothing of oslo.messaging is imported
until the first server or client is made.
"""

from oslo_asyncio._messaging import stock
from oslo_asyncio._messaging.client import AsyncRPCClient
from oslo_asyncio._messaging.client import get_rpc_client
from oslo_asyncio._messaging.endpoints import expected_exceptions
from oslo_asyncio._messaging.notifications import AsyncNotificationListener
from oslo_asyncio._messaging.notifications import get_notification_listener
from oslo_asyncio._messaging.rpc import AsyncRPCServer
from oslo_asyncio._messaging.rpc import get_rpc_server

__all__ = (
    "AsyncNotificationListener",
    "AsyncRPCClient",
    "AsyncRPCServer",
    "expected_exceptions",
    "get_notification_listener",
    "get_rpc_client",
    "get_rpc_server",
)

stock.prepare()
