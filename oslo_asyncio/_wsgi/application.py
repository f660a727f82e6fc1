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

"""Applications of both kinds: WSGI ones beside the loop, ASGI ones on it."""

import asyncio
from collections.abc import Callable
from collections.abc import Iterable
import functools
import inspect
import io
from typing import Any

from oslo_asyncio import _anywhere
from oslo_asyncio import _bridge
from oslo_asyncio import hub
from oslo_asyncio._wsgi import body as body_module
from oslo_asyncio._wsgi import environ as environ_module
from oslo_asyncio._wsgi import exchange as exchange_module

Messages = tuple[exchange_module.Message, ...]


def is_asgi(app: Any) -> bool:
    """Whether ``app`` is a coroutine function, or an object with an async call."""
    while isinstance(app, functools.partial):
        app = app.func
    return inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(
        getattr(app, "__call__", None)  # noqa: B004 (asked for its kind, not for being)
    )


class Asgi:
    """Has an ASGI application answer, on the loop.

    :param app: the application.
    :param slots: as many as requests may run at the same time.
    """

    def __init__(self, app: Any, slots: asyncio.Semaphore) -> None:
        self._app = app
        self._slots = slots

    async def __call__(self, exchange: exchange_module.Exchange) -> None:
        async with self._slots:
            exchange.check()
            await self._app(exchange.scope, exchange.receive, exchange.send)


class Wsgi:
    """Has a WSGI application answer, beside the loop.

    :param app: the application.
    :param slots: as many as requests may run at the same time.
    """

    def __init__(self, app: Any, slots: asyncio.Semaphore) -> None:
        self._app = app
        self._slots = slots

    async def __call__(self, exchange: exchange_module.Exchange) -> None:
        home = _anywhere.home()
        body: io.BufferedIOBase
        if body_module.is_small(exchange.scope["headers"]):
            body = io.BytesIO(await body_module.receive(exchange))
        else:
            body = body_module.stream(exchange, home)
        reply = _Reply(exchange, home)
        environ = environ_module.make(exchange.scope, body)
        async with self._slots:
            exchange.check()  # it may have waited for long
            rest = await hub.run_sync(reply.run, self._app, environ)
        await exchange.send_all(*rest)


class _Reply:
    """The sync side of one request: calls the application, sends what it says."""

    def __init__(
        self, exchange: exchange_module.Exchange, home: _bridge.LoopHome
    ) -> None:
        self._exchange = exchange
        self._home = home
        self._head: exchange_module.Message | None = None
        self._head_sent = False

    def run(self, app: Any, environ: dict[str, Any]) -> Messages:
        """Call the application.

        :returns: what is left to be sent.  A response that is a list goes that
            way as a whole: the loop is asked once and not twice.
        """
        result = app(environ, self.start_response)
        try:
            if isinstance(result, list | tuple):
                return self._whole(b"".join(map(_encoded, result)))
            for part in result:
                self.write(part)
            return (*self._take_head(), _part(b"", False))
        finally:
            close = getattr(result, "close", None)
            if close is not None:
                close()

    def start_response(
        self,
        status: str,
        headers: Iterable[tuple[str, str]],
        exc_info: Any = None,
    ) -> Callable[[bytes], None]:
        """As PEP 3333 has it."""
        if exc_info:
            try:
                if self._head_sent:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None
        elif self._head is not None:
            raise AssertionError("start_response() was called twice")
        self._head = {
            "type": "http.response.start",
            "status": int(status.split(" ", 1)[0]),
            "headers": [(_header(name), _header(value)) for name, value in headers],
        }
        return self.write

    def write(self, data: bytes) -> None:
        """Send a part of the body, and wait until the connection takes it."""
        if data:
            self._send(*self._take_head(), _part(_encoded(data), True))

    def _whole(self, data: bytes) -> Messages:
        messages = self._take_head()
        for head in messages:
            names = {name.lower() for name, _value in head["headers"]}
            if b"content-length" not in names and head["status"] not in (204, 304):
                head["headers"].append((b"content-length", b"%d" % len(data)))
        return (*messages, _part(data, False))

    def _take_head(self) -> Messages:
        if self._head is None:
            raise AssertionError("the application has not called start_response()")
        if self._head_sent:
            return ()
        self._head_sent = True
        return (self._head,)

    def _send(self, *messages: exchange_module.Message) -> None:
        send = functools.partial(self._exchange.send_all, *messages)
        _bridge.Bridge(self._home, "start_response.write", send).wait()


def _part(data: bytes, more: bool) -> exchange_module.Message:
    return {"type": "http.response.body", "body": data, "more_body": more}


def _encoded(data: Any) -> bytes:
    # eventlet.wsgi took text, and some applications send it
    return data.encode("latin-1") if isinstance(data, str) else bytes(data)


def _header(text: Any) -> bytes:
    return text if isinstance(text, bytes) else str(text).strip().encode("latin-1")
