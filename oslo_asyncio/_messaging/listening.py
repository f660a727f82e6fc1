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

"""What has to be known of oslo.messaging's drivers, and is not public there."""

import importlib
import logging
import threading
from typing import Any

LOG = logging.getLogger(__name__)

#: seconds for what was acknowledged last to reach the socket
_SETTLE = 5.0


def pool_opts() -> Any:
    """The option ``executor_thread_pool_size``, defined by oslo.messaging."""
    return importlib.import_module("oslo_messaging.server")._pool_opts


def driver_error() -> type[Exception]:
    """What a driver raises when it cannot listen."""
    found: type[Exception] = importlib.import_module(
        "oslo_messaging._drivers.base"
    ).TransportDriverError
    return found


def breathe(listener: Any) -> None:
    """Tell the broker that this consumer lives; in the driver's thread.

    A listener answers the broker's heartbeats while it polls.  One that waits
    for a free place does not poll, and after ``heartbeat_timeout_threshold``
    seconds its connection would be closed.
    """
    try:
        broker = _inner(listener).conn.connection.connection  # kombu's
        if broker.connected:  # or it would connect, and who polls does that better
            broker.connection.send_heartbeat()
    except AttributeError:
        pass  # no broker, or one without heartbeats
    except Exception as error:  # of the connection: the next poll opens another one
        LOG.debug("The heartbeat was not sent: %r", error)


def settle(listener: Any) -> None:
    """Wait until acknowledgements of a stopped listener are on their way.

    They are sent by a thread of the driver's, which cleanup() ends whatever is
    left to do; a message whose acknowledgement is lost comes again.
    """
    handler = getattr(_inner(listener), "_message_operations_handler", None)
    if handler is None:
        return
    done = threading.Event()
    handler.do(done.set)
    done.wait(_SETTLE)


def _inner(listener: Any) -> Any:
    return getattr(listener, "_poll_style_listener", None)
