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

"""A notification listener whose endpoints may be async."""

import asyncio
from collections.abc import Iterable
import importlib
import itertools
import logging
from typing import Any

from oslo_asyncio._messaging import endpoints as endpoints_module
from oslo_asyncio._messaging import server
from oslo_asyncio._messaging import stock

LOG = logging.getLogger(__name__)

_HANDLED = "handled"
_REQUEUE = "requeue"


def get_notification_listener(
    transport: Any,
    targets: Iterable[Any],
    endpoints: Iterable[Any],
    executor: str | None = None,
    serializer: Any = None,
    allow_requeue: bool = False,
    pool: str | None = None,
) -> "AsyncNotificationListener":
    """A notification listener whose endpoints' methods may be ``async def``.

    The arguments are those of ``oslo_messaging.get_notification_listener``.

    :param transport: from ``oslo_messaging.get_notification_transport``.
    :param targets: ``oslo_messaging.Target`` objects with a topic.
    :param endpoints: objects with methods ``audit``, ``debug``, ``info``,
        ``warn``, ``error``, ``critical`` or ``sample``.
    :param executor: not used: the hub decides where sync methods run.
    :param serializer: an ``oslo_messaging.Serializer``; its methods run beside
        the loop.
    :param allow_requeue: whether a method may return
        ``NotificationResult.REQUEUE``, or raise, to get the message once more.
    :param pool: the name under which several listeners share the messages.
    :raises NotImplementedError: the driver cannot requeue (Kafka's).
    """
    stock.library()
    made: Any = importlib.import_module("oslo_messaging.notify.dispatcher")
    dispatcher = made.NotificationDispatcher(list(endpoints), serializer)
    return AsyncNotificationListener(
        transport, list(targets), dispatcher, allow_requeue, pool
    )


class AsyncNotificationListener(server.MessageServer):
    """Hands notifications to its endpoints: async methods on the loop, sync beside.

    A service like any other, made by :func:`get_notification_listener`.  A
    message is acknowledged when its endpoints have returned, so one whose worker
    dies comes again.  Up to ``[oslo_asyncio] rpc_concurrency`` messages are at
    work at the same time, in no particular order.

    >>> import oslo_asyncio.service
    >>> from oslo_asyncio import messaging
    >>> listener = messaging.AsyncNotificationListener
    >>> issubclass(listener, oslo_asyncio.service.ServiceBase)
    True
    """

    def __init__(
        self,
        transport: Any,
        targets: list[Any],
        dispatcher: Any,
        allow_requeue: bool,
        pool: str | None,
    ) -> None:
        names = "-".join(str(target.topic) for target in targets)
        super().__init__(transport, dispatcher, f"notify-{names}")
        if allow_requeue:
            transport._require_driver_features(requeue=True)
        self.targets = targets
        self._allow_requeue = allow_requeue
        self._pool = pool
        self._plain = type(dispatcher.serializer) is stock.library().NoOpSerializer

    def _create_listener(self) -> Any:
        wanted = itertools.product(self.targets, self.dispatcher.supported_priorities)
        return self.transport._listen_for_notifications(
            set(wanted), self._pool, 1, None
        )

    def _listens_on(self) -> Any:
        return self.targets

    async def _serve(self, message: Any) -> None:
        try:
            outcome = await self._dispatched(message)
        except asyncio.CancelledError:
            # not acknowledged: the broker gives it to another listener
            if not self._allow_requeue:
                return
            outcome = _REQUEUE
        except Exception:
            LOG.exception("Exception during message handling.")
            outcome = _REQUEUE
        again = outcome == _REQUEUE and self._allow_requeue
        settle = message.requeue if again else message.acknowledge
        try:
            await server.until(self._sender.start(settle))
        except Exception:
            LOG.exception("Fail to ack/requeue message.")

    async def _dispatched(self, incoming: Any) -> str:
        extract = self.dispatcher._extract_user_message
        if self._plain:
            priority, _raw, message = extract(incoming)
        else:
            priority, _raw, message = await self._sync.run(extract, incoming)
        arguments = [message[name] for name in _ARGUMENTS]
        callbacks = self.dispatcher._callbacks_by_priority.get(priority, ())
        if not callbacks:
            LOG.warning("Nobody listens for notifications of priority %r", priority)
        for screen, callback in callbacks:
            if screen and not screen.match(*(message[name] for name in _SCREENED)):
                continue
            if await self._called(callback, arguments) == _REQUEUE:
                return _REQUEUE
        return _HANDLED

    async def _called(self, callback: Any, arguments: list[Any]) -> Any:
        try:
            if endpoints_module.is_async(callback):
                return await callback(*arguments)
            return await self._sync.run(callback, *arguments)
        except (Exception, SystemExit, KeyboardInterrupt):
            LOG.exception("Callback raised an exception.")
            return _REQUEUE


_ARGUMENTS = ("ctxt", "publisher_id", "event_type", "payload", "metadata")
_SCREENED = ("ctxt", "publisher_id", "event_type", "metadata", "payload")
