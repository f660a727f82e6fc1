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

"""A stop of oslo.messaging's servers that loses no call.

oslo.messaging acknowledges an RPC message when it takes it off the connection,
and a broker pushes messages for as long as there is a consumer.  A server that
stops reads no more, but it keeps its consumers until it closes its connection,
and in closing it waits for answers of the broker: what is pushed meanwhile is
taken off the connection, acknowledged, and answered by nobody.  At 20 calls a
second this loses up to a second of them (seen with oslo.messaging 18.3.1 and
``rabbit_qos_prefetch_count`` 0, the default).

Here a listener that has stopped cancels its consumers, and what was pushed
until then goes back to the queue, for the next worker.  Calls that a server has
begun and that its service does not wait for are waited for when the worker
stops.
"""

import logging
import sys
import types
from typing import Any
import weakref

from oslo_asyncio._takeover import executors
from oslo_asyncio._worker import hooks

LOG = logging.getLogger(__name__)

_stopped: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()


def extend(base: types.ModuleType) -> None:
    """Extend the listener that ``oslo_messaging._drivers.base`` has.

    :param base: that module, just imported.
    """
    adapter = getattr(base, "PollStyleListenerAdapter", None)
    original = getattr(adapter, "stop", None)
    if adapter is None or original is None:
        LOG.warning(
            "This oslo.messaging is not known to oslo-asyncio: workers that are "
            "replaced under load may lose calls"
        )
        return

    def stop(self: Any) -> None:
        deliver = self.on_incoming_callback
        original(self)
        if deliver is not None:
            _settle(self, deliver)

    adapter.stop = stop
    hooks.on_worker_stop(_finish)


def _settle(adapter: Any, deliver: Any) -> None:
    """See to what was pushed, and remember whose calls are still at work."""
    listener = adapter._poll_style_listener
    driver = sys.modules.get("oslo_messaging._drivers.amqpdriver")
    if driver is not None and isinstance(listener, driver.RpcAMQPListener):
        try:
            _give_back(listener)
        except Exception as error:  # of the connection, and the broker takes all back
            LOG.debug("Consumers were not cancelled: %r", error)
        while incoming := listener.poll():
            deliver(incoming)
    server = getattr(deliver, "__self__", None)
    if server is not None:
        _stopped[server] = adapter


def _give_back(listener: Any) -> None:
    """Cancel the consumers; what arrives until then goes to other workers."""
    for consumer in listener.conn._consumers:
        # the queue of a fanout goes with its consumer: that message is for us
        if consumer.type != "fanout" and not consumer.queue_auto_delete:
            consumer.callback = _requeue
    listener.conn.reset()


def _requeue(message: Any) -> None:
    message.requeue()


def _finish() -> None:
    """Wait for the calls of servers that nobody has waited for."""
    for server, adapter in list(_stopped.items()):
        if server.listener is adapter:  # it was not started again
            _work_off(server)


def _work_off(server: Any) -> None:
    # Only calls matter here, and a stock server's own wait() does more: it closes its
    # connection, and where oslo.messaging was imported before us it joins the idle
    # threads of its pool, which look once a second whether they are to end (futurist
    # 3.5).  An AsyncRPCServer has no such pool.
    executor = getattr(server, "_work_executor", None)
    if isinstance(executor, executors.Executor):
        executor.join()
        return
    join = getattr(getattr(executor, "_work_queue", None), "join", None)
    if join is None:
        server.wait()
    else:
        join()
