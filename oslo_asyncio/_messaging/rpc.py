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

"""An RPC server whose endpoints may be async."""

import asyncio
from collections.abc import Callable
from collections.abc import Iterable
import contextlib
import functools
import inspect
import logging
import sys
from typing import Any

from oslo_asyncio import exceptions
from oslo_asyncio._messaging import endpoints as endpoints_module
from oslo_asyncio._messaging import monitor
from oslo_asyncio._messaging import seen
from oslo_asyncio._messaging import server
from oslo_asyncio._messaging import stock

LOG = logging.getLogger(__name__)

#: Calls that come again when a connection breaks are among so many that came last:
#: those of a few seconds, in which the driver connects again.
_REMEMBERED = 8192


def get_rpc_server(
    transport: Any,
    target: Any,
    endpoints: Iterable[Any],
    executor: str | None = None,
    serializer: Any = None,
    access_policy: Any = None,
    server_cls: "type[AsyncRPCServer] | None" = None,
) -> "AsyncRPCServer":
    """An RPC server whose endpoints' methods may be ``async def``.

    The arguments are those of ``oslo_messaging.get_rpc_server``.

    :param transport: from ``oslo_messaging.get_rpc_transport``.
    :param target: an ``oslo_messaging.Target`` with a topic and a server.
    :param endpoints: objects whose methods are called.
    :param executor: not used: the hub decides where sync methods run.
    :param serializer: an ``oslo_messaging.Serializer``; its methods run beside
        the loop.
    :param access_policy: a subclass of ``oslo_messaging.RPCAccessPolicyBase``.
    :param server_cls: a subclass of :class:`AsyncRPCServer`.
    :raises ExpectedExceptionsOfSync: an async method has the decorator
        ``oslo_messaging.expected_exceptions``.
    """
    dispatcher = stock.library().RPCDispatcher(
        list(endpoints), serializer, access_policy
    )
    return (server_cls or AsyncRPCServer)(transport, target, dispatcher, executor)


class AsyncRPCServer(server.MessageServer):
    """Answers RPC calls: async methods on the loop, sync ones beside it.

    A service like any other: a launcher runs it, or it is started and stopped by
    another service.  At most ``[oslo_asyncio] rpc_concurrency`` calls are in
    flight, sync methods have up to ``executor_thread_pool_size`` threads, and no
    thread is held while a coroutine waits.

    :param transport: from ``oslo_messaging.get_rpc_transport``.
    :param target: an ``oslo_messaging.Target`` with a topic and a server.
    :param dispatcher: an ``oslo_messaging.RPCDispatcher``.
    :param executor: not used.

    Made by :func:`get_rpc_server`, or by ``oslo_messaging.get_rpc_server`` as its
    ``server_cls``.

    >>> import oslo_asyncio.service
    >>> from oslo_asyncio import messaging
    >>> issubclass(messaging.AsyncRPCServer, oslo_asyncio.service.ServiceBase)
    True
    """

    def __init__(
        self,
        transport: Any,
        target: Any,
        dispatcher: Any,
        executor: str | None = None,
    ) -> None:
        super().__init__(transport, dispatcher, f"rpc-{target.topic}")
        if not isinstance(transport, stock.library().transport.RPCTransport):
            LOG.warning(
                "Using notification transport for RPC. Please use get_rpc_transport "
                "to obtain an RPC transport instance."
            )
        endpoints_module.check(dispatcher.endpoints)
        self._target = target
        self._finder = endpoints_module.Finder(dispatcher)
        self._serializer = dispatcher.serializer
        self._plain = type(self._serializer) is stock.library().NoOpSerializer
        self._seen = seen.Seen(_REMEMBERED)

    def _create_listener(self) -> Any:
        return self.transport._listen(self._target, 1, None)

    def _listens_on(self) -> Any:
        return self._target

    def _accept(self, message: Any) -> bool:
        # Before it is called, as in oslo.messaging: at most once.  The AMQP
        # drivers have done it already, and raise nothing here.
        message.acknowledge()
        name = getattr(message, "unique_id", None)
        if name is None or self._seen.add(name):
            return True
        LOG.warning(
            "Call of %s has come again, as a connection broke; it is served once",
            message.message.get("method"),
        )
        return False

    async def _serve(self, message: Any) -> None:
        with tracing(self.conf, message):
            result = failure = None
            try:
                result = await self._call(message)
            except asyncio.CancelledError:
                failure = _cancelled(message)
            except (Exception, SystemExit, KeyboardInterrupt) as error:
                failure = _failure(error)
            sent = self._sender.start(
                functools.partial(_reply, message, result, failure)
            )
            del failure  # it refers to this frame
            await server.until(sent)

    async def _call(self, message: Any) -> Any:
        async with monitor.Monitor(message, self._sender):
            found = self._finder.find(message)
            if not found.is_async():
                return await self._call_sync(found)
            ctxt, args = await self._converted(self._deserialized, found)
            result = await found.func(ctxt, **args)
            return await self._converted(
                self._serializer.serialize_entity, ctxt, result
            )

    async def _call_sync(self, found: endpoints_module.Endpoint) -> Any:
        ctxt, result = await self._sync.run(self._called, found)
        if inspect.isawaitable(result):  # a def that hands on a coroutine
            result = await result
            serialize = self._serializer.serialize_entity
            result = await self._converted(serialize, ctxt, result)
        return result

    def _called(self, found: endpoints_module.Endpoint) -> tuple[Any, Any]:
        ctxt, args = self._deserialized(found)
        result = found.func(ctxt, **args)
        if not inspect.isawaitable(result):
            result = self._serializer.serialize_entity(ctxt, result)
        return ctxt, result

    def _deserialized(self, found: endpoints_module.Endpoint) -> Any:
        entity = self._serializer.deserialize_entity
        ctxt = self._serializer.deserialize_context(found.ctxt)
        return ctxt, {name: entity(ctxt, value) for name, value in found.args.items()}

    async def _converted(self, convert: Callable[..., Any], *args: Any) -> Any:
        """A project's serializer may block; the one that does nothing may not."""
        if self._plain:
            return convert(*args)
        return await self._sync.run(convert, *args)


def tracing(conf: Any, message: Any) -> contextlib.AbstractContextManager[Any]:
    """A span of OpenTelemetry, where oslo.messaging makes one."""
    module: Any = sys.modules.get("oslo_messaging._tracing")
    if module is None or "oslo_messaging_tracing" not in conf:
        return contextlib.nullcontext()
    span: contextlib.AbstractContextManager[Any] = module.trace_receive(conf, message)
    return span


def _failure(error: BaseException) -> Any:
    """What the caller gets for ``error``; it is logged where nobody expects it."""
    messaging = stock.library()
    if isinstance(error, messaging.ExpectedException):
        LOG.debug("Expected exception during message handling (%s)", error)
        return error.exc_info
    if isinstance(error, messaging.NoSuchMethod) and error.method.endswith(
        "_ignore_errors"
    ):
        LOG.debug("Method %s not found", error.method)
    else:
        LOG.error("Exception during message handling", exc_info=error)
    if not isinstance(error, Exception):  # the caller must not exit in our place
        error = exceptions.EndpointExit(error).with_traceback(error.__traceback__)
    return type(error), error, error.__traceback__


def _cancelled(message: Any) -> Any:
    method = message.message.get("method")
    error = exceptions.CallCancelled(method)
    LOG.warning(
        "Call of %s is cancelled: graceful_shutdown_timeout is nearly over", method
    )
    return type(error), error, None


def _reply(message: Any, result: Any, failure: Any) -> None:
    undeliverable = stock.library().MessageUndeliverable
    try:
        if failure is None:
            message.reply(result)
        else:
            message.reply(failure=failure)
    except undeliverable as error:
        LOG.exception(
            "MessageUndeliverable error, source exception: %s, routing_key: %s, "
            "exchange: %s",
            error.exception,
            error.routing_key,
            error.exchange,
        )
    except Exception:
        LOG.exception("Can not send reply for message")
