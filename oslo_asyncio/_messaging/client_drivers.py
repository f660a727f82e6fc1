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

"""A driver of oslo.messaging that sends a call and does not wait for its reply.

oslo.messaging's drivers send a call and wait for its reply in one function, on a
queue, and so hold a thread for as long as the call takes.  Who reads replies is
another thread, one for all calls, and it looks for the queue by its name or gets
it with the message.  Here that function runs with parts put in its place that
lead it to a mailbox instead of the queue, and tell it at once that it need not
wait.  Nothing of the driver is replaced or changed; stock clients of the same
transport are not concerned.

All that is known of oslo.messaging's private parts is in this file and in
``client_rehearsal``: before a driver is used its class rehearses a call, and one
that does otherwise than expected is not used in this way.
"""

import contextvars
import copy
import functools
import logging
import sys
import types
from typing import Any

from oslo_asyncio._messaging import client_rehearsal
from oslo_asyncio._messaging import replies

LOG = logging.getLogger(__name__)

#: The mailbox for the call that the current thread sends, if any.
mailbox: contextvars.ContextVar[replies.Mailbox | None] = contextvars.ContextVar(
    "oslo_asyncio_rpc_mailbox", default=None
)


def without_waiting(transport: Any) -> Any:
    """The same transport, for calls that return :data:`replies.SENT`, or None.

    :param transport: of oslo.messaging; its driver is shared.
    """
    driver = getattr(transport, "_driver", None)
    cls: Any = type(driver)
    part = _part_for(cls)
    if part is None:
        return None
    made = copy.copy(transport)
    made._driver = _Driver(driver, part)
    return made


class _Delegate:
    """Has what it has, and everything else from ``original``."""

    def __init__(self, original: Any) -> None:
        self._original = original

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)


class _Driver(_Delegate):
    """A driver in which calls that have a mailbox do not wait."""

    def __init__(self, original: Any, part: "type[_Part]") -> None:
        super().__init__(original)
        self._part = part

    def send(self, *args: Any, wait_for_reply: Any = None, **options: Any) -> Any:
        box = mailbox.get()
        if wait_for_reply and box is not None:
            driver: Any = self._part(self._original, type(self._original), box)
        else:
            driver = self._original
        return driver.send(*args, wait_for_reply=wait_for_reply, **options)


class _Part(_Delegate):
    """A driver while it sends one call.

    :param cls: the driver's class, whose functions are run.
    """

    def __init__(self, original: Any, cls: Any, box: replies.Mailbox) -> None:
        super().__init__(original)
        self._cls = cls
        self._box = box

    def send(self, *args: Any, **options: Any) -> Any:
        return self._cls.send(self, *args, **options)

    def _send(self, *args: Any, **options: Any) -> Any:
        return self._cls._send(self, *args, **options)


class _AmqpPart(_Part):
    """Of ``AMQPDriverBase``: its thread finds the mailbox where queues would be."""

    @property
    def _waiter(self) -> "_AmqpWaiter":
        return _AmqpWaiter(self._original._waiter, self._box)


class _AmqpWaiter:
    """In the place of ``ReplyWaiter``, for one call."""

    def __init__(self, original: Any, box: replies.Mailbox) -> None:
        self._original = original
        self._box = box

    def listen(self, msg_id: str) -> None:
        original = self._original
        self._box.open(original._process_reply, original.waiters._queues, msg_id)

    def wait(self, *args: Any, **kwargs: Any) -> Any:
        return replies.SENT

    def unlisten(self, msg_id: str) -> None:
        """Whoever waits for the call removes its mailbox."""


class _FakePart(_Part):
    """Of ``FakeDriver``: the mailbox goes with the message."""

    @property
    def _exchange_manager(self) -> "_FakeExchanges":
        return _FakeExchanges(self._original._exchange_manager, self._box)


class _FakeExchanges:
    """In the place of ``FakeExchangeManager``, for one call."""

    def __init__(self, original: Any, box: replies.Mailbox) -> None:
        self._original = original
        self._box = box

    def get_exchange(self, name: str | None) -> Any:
        exchange = self._original.get_exchange(name)
        return types.SimpleNamespace(
            deliver_message=functools.partial(self._deliver, exchange)
        )

    def _deliver(self, exchange: Any, *args: Any, reply_q: Any, **options: Any) -> None:
        self._box.open(_read_fake)
        exchange.deliver_message(*args, reply_q=self._box, **options)
        reply_q.put((replies.SENT, None))


def _read_fake(message: Any) -> tuple[Any, bool]:
    reply, failure = message
    return failure or reply, True


@functools.cache
def _part_for(cls: Any) -> type[_Part] | None:
    """How drivers of this class send without waiting, if they can."""
    for module, base, part, rehearse in _KNOWN:
        known = getattr(sys.modules.get(module), base, None)
        if known is None or not issubclass(cls, known):
            continue
        try:
            rehearse(part, cls)
        except Exception as error:
            LOG.debug("Rehearsing a call with %s: %r", cls.__name__, error)
        else:
            return part
    LOG.warning(
        "The driver %s of this oslo.messaging is not known to oslo.asyncio: each "
        "call of an AsyncRPCClient holds a thread until its reply",
        cls.__name__,
    )
    return None


_KNOWN = (
    (
        "oslo_messaging._drivers.amqpdriver",
        "AMQPDriverBase",
        _AmqpPart,
        client_rehearsal.amqp,
    ),
    (
        "oslo_messaging._drivers.impl_fake",
        "FakeDriver",
        _FakePart,
        client_rehearsal.fake,
    ),
)
