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

"""A client of oslo.messaging's RPC for async code."""

import asyncio
from collections.abc import Callable
import contextlib
import functools
from typing import Any

from oslo_asyncio import hub
from oslo_asyncio._messaging import client_drivers
from oslo_asyncio._messaging import client_metrics
from oslo_asyncio._messaging import client_threads
from oslo_asyncio._messaging import replies
from oslo_asyncio._messaging import stock


def get_rpc_client(transport: Any, target: Any, **options: Any) -> "AsyncRPCClient":
    """A client whose calls are awaited.

    :param transport: from ``oslo_messaging.get_rpc_transport``.
    :param target: an ``oslo_messaging.Target`` with a topic.
    :param options: as of :class:`AsyncRPCClient`.
    """
    return AsyncRPCClient(transport, target, **options)


class AsyncRPCClient:
    """What ``oslo_messaging.RPCClient`` is, for async code.

    The same arguments, the same messages, and the same exceptions; it talks to
    every server of oslo.messaging.  A call is sent in a thread of the pool
    ``rpc_send``, which is free again once the broker has the message: however many
    calls are in flight, none holds a thread.

    :param transport: from ``oslo_messaging.get_rpc_transport``.
    :param target: where calls go, unless :meth:`prepare` says otherwise.
    :param timeout: seconds, from the ``await`` to the reply, the time to send
        included; default: the option ``rpc_response_timeout``.
    :param version_cap: refuse versions above this one.
    :param serializer: for arguments and results; it is called beside the loop.
    :param retry: how often to try to connect; None: for ever.
    :param call_monitor_timeout: seconds that a server may be silent while it works
        on a call, a whole number from 2; it gives a sign of life twice in this time.
    :param transport_options: an ``oslo_messaging.TransportOptions``.

    ::

        compute = messaging.get_rpc_client(transport, target, timeout=10)
        names = await asyncio.gather(
            *[compute.call({}, "boot", name=f"vm-{number}") for number in range(1000)]
        )

    >>> import inspect
    >>> from oslo_asyncio import messaging
    >>> inspect.iscoroutinefunction(messaging.AsyncRPCClient.call)
    True
    """

    def __init__(
        self,
        transport: Any,
        target: Any,
        timeout: float | None = None,
        version_cap: str | None = None,
        serializer: Any = None,
        retry: int | None = None,
        call_monitor_timeout: float | None = None,
        transport_options: Any = None,
    ) -> None:
        messaging = stock.library()
        sender = client_drivers.without_waiting(transport)
        if serializer is None:
            serializer = messaging.NoOpSerializer()
        self._messaging = messaging
        self._transport = transport
        self._serializer = serializer
        self._waits = sender is None
        self._stock: Any = messaging.get_rpc_client(
            transport if sender is None else client_metrics.switch_off(sender),
            target,
            timeout=timeout,
            version_cap=version_cap,
            serializer=serializer if sender is None else _Outward(serializer),
            retry=retry,
            call_monitor_timeout=call_monitor_timeout,
            transport_options=transport_options,
        )

    @property
    def target(self) -> Any:
        """Where calls go."""
        return self._stock.target

    @property
    def timeout(self) -> float | None:
        """Seconds; None: what the option ``rpc_response_timeout`` says."""
        found: float | None = self._stock.timeout
        return found

    def prepare(self, **changes: Any) -> "AsyncRPCClient":
        """The same client with other properties, for some calls.

        :param changes: ``exchange``, ``topic``, ``namespace``, ``version``,
            ``server`` or ``fanout`` of the target; ``timeout``, ``version_cap``,
            ``retry``, ``call_monitor_timeout`` or ``transport_options``.
        :raises MessagingException: a version that is none.
        """
        made = object.__new__(type(self))
        vars(made).update(vars(self))
        made._stock = self._stock.prepare(**changes)
        return made

    def can_send_version(self, *version: str | None) -> bool:
        """Whether the version cap admits a version.

        :param version: default: that of the target.
        """
        can: bool = self._stock.can_send_version(*version)
        return can

    async def call(self, ctxt: Any, method: str, **kwargs: Any) -> Any:
        """Call a method of a server, and wait for its result.

        :param ctxt: the request context: a dict, or what the serializer takes.
        :param kwargs: the arguments.
        :raises MessagingTimeout: there was no reply in time, or no sign of life.
        :raises RemoteError: the method raised an exception; or that exception
            itself, if its module is among the transport's
            ``allowed_remote_exmods``.
        :raises RPCVersionCapError: the version cap refuses the target's version.
        :raises MessageDeliveryFailure: the broker cannot be reached within
            ``retry`` attempts.

        When the task is cancelled the wait ends at once.  A message that is not
        being sent yet is not sent any more, the reply to any other is dropped,
        and the server works on.
        """
        invoke = functools.partial(self._stock.call, ctxt, method, **kwargs)
        pool = client_threads.WAIT if self._waits else client_threads.SEND
        with self._measured(method, "call"), self._pending(method) as pending:
            reply = await _run(pool, invoke, pending)
        return await self._read(ctxt, reply)

    async def cast(self, ctxt: Any, method: str, **kwargs: Any) -> None:
        """Call a method and wait for no result, only until the broker has it.

        With ``prepare(fanout=True)`` all servers of the topic get it.

        :raises RPCVersionCapError: the version cap refuses the target's version.
        :raises MessageDeliveryFailure: the broker cannot be reached within
            ``retry`` attempts.
        """
        invoke = functools.partial(self._stock.cast, ctxt, method, **kwargs)
        expired = functools.partial(self._expired, method)
        unlimited = replies.PendingCall(None, None, expired)
        with self._measured(method, "cast"), unlimited as pending:
            await _run(client_threads.SEND, invoke, pending)

    def _measured(
        self, method: str, kind: str
    ) -> contextlib.AbstractContextManager[None]:
        if self._waits:
            return contextlib.nullcontext()  # the stock client does it
        return client_metrics.measure(self._transport, self.target, method, kind)

    def _pending(self, method: str) -> replies.PendingCall:
        timeout = self._stock.timeout
        if timeout is None:
            timeout = self._stock.conf.rpc_response_timeout
        # the driver looks after it where it waits itself
        silence = None if self._waits else self._stock.call_monitor_timeout
        expired = functools.partial(self._expired, method)
        return replies.PendingCall(timeout, silence, expired)

    def _expired(self, method: str) -> BaseException:
        error: BaseException = self._messaging.MessagingTimeout(
            f"Timed out waiting for a reply to {method!r} on topic "
            f"{self.target.topic!r}"
        )
        return error

    async def _read(self, ctxt: Any, reply: Any) -> Any:
        if self._waits:
            return reply
        read = self._serializer.deserialize_entity
        if type(self._serializer) is self._messaging.NoOpSerializer:
            return read(ctxt, reply)
        # it may wait, for a database or for another call
        return await hub.find().spawn_sync(read, ctxt, reply)


async def _run(
    pool: str, invoke: Callable[[], Any], pending: replies.PendingCall
) -> Any:
    """Send in a thread of a pool, and wait for what it comes to."""
    send = functools.partial(_send, pending.mailbox, invoke)
    sending = client_threads.submit(pool, send)
    sending.add_done_callback(functools.partial(_sent, pending))
    # It is not cancelled with its caller: another thread in the place of one that
    # waits for the broker would wait for the same broker.
    return await pending.wait()


def _send(mailbox: replies.Mailbox, invoke: Callable[[], Any]) -> Any:
    """In a context of its own."""
    if mailbox.closed:
        return None  # the caller has gone while this waited for its turn
    client_drivers.mailbox.set(mailbox)
    return invoke()


def _sent(pending: replies.PendingCall, sending: asyncio.Future[Any]) -> None:
    if sending.cancelled():
        return
    if (error := sending.exception()) is not None:
        pending.end(None, error)
    elif sending.result() is replies.SENT:
        pending.sent()
    else:
        pending.end(sending.result())


class _Outward:
    """A serializer that leaves it to the loop's side to read replies."""

    def __init__(self, original: Any) -> None:
        self._original = original

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)

    def deserialize_entity(self, ctxt: Any, entity: Any) -> Any:
        """What has been sent is no entity."""
        return entity
