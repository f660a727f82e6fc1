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

"""One request and its response, whatever kind of application answers."""

import asyncio
from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Mapping
from email.utils import formatdate
import functools
import http
import logging
import time
import traceback
from typing import Any
from typing import Protocol

from oslo_asyncio import exceptions
from oslo_asyncio._wsgi import settings as settings_module

Message = Mapping[str, Any]
#: An application, WSGI or ASGI: answers one exchange.
Application = Callable[["Exchange"], Awaitable[None]]

_CLOSE = (b"connection", b"close")


class Line(Protocol):
    """The connection that a request came on, as far as its exchange knows it."""

    def is_gone(self) -> bool: ...
    def is_last(self) -> bool: ...
    def is_unanswered(self) -> bool: ...
    def waits(self, waiting: bool) -> None: ...
    def hold(self) -> None: ...
    def flush(self) -> None: ...
    def abort(self) -> None: ...


class Exchange:
    """Hands a request to an application and its response to the client.

    What every response needs is here: the headers that the server adds, a
    body that fits the method and the status, the line in the log, and status
    500 for an application that fails.

    :param line: the connection.
    :param settings: how the server behaves.
    :param scope: the request, as ASGI describes it.
    :param receive: returns the next part of the request's body.
    :param send: sends the next part of the response.
    """

    __slots__ = (
        "_begun",
        "_complete",
        "_head",
        "_length",
        "_line",
        "_receive",
        "_send",
        "_settings",
        "_silent",
        "_status",
        "scope",
    )

    def __init__(
        self,
        line: Line,
        settings: settings_module.Settings,
        scope: Mapping[str, Any],
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        self.scope = scope
        self._line = line
        self._settings = settings
        self._receive = receive
        self._send = send
        self._begun = time.monotonic()
        self._head: Message | None = None
        self._status: int | None = None
        self._length = 0
        self._complete = False
        self._silent = False

    @property
    def name(self) -> str:
        """What the log calls it."""
        return f"{self.scope['method']} {self.scope['path']}"

    async def run(self, application: Application) -> None:
        """Have it answered by ``application``, or refuse it."""
        try:
            refused = self._settings.refusal(self.scope)
            if refused is None:
                await application(self)
                self._check_complete()
            else:
                await self._answer(refused)
        except exceptions.ClientGone as error:
            self._settings.logger.debug("%s", error)
        except asyncio.CancelledError:
            self._line.abort()
            raise
        except BaseException as error:
            # SystemExit as well: a request cannot end the worker
            await self._fail(error)
        finally:
            self._log()

    def check(self) -> None:
        """Have nothing done that nobody would get.

        :raises ClientGone: nobody would.
        """
        if self._line.is_gone():
            raise exceptions.ClientGone(self.name)

    async def receive(self) -> Message:
        """The next part of the request's body, or that the client has gone."""
        self._line.waits(True)
        try:
            return await self._receive()
        finally:
            self._line.waits(False)

    async def send(self, message: Message) -> None:
        """Send the next part of the response.

        :raises ClientGone: nobody would get it.
        """
        self.check()
        if message["type"] == "http.response.start" and self._head is None:
            self._head = self._head_of(message)  # sent with the first part
            return
        self._line.hold()
        try:
            await self._send_part(message)
        finally:
            self._line.flush()

    async def send_all(self, *messages: Message) -> None:
        """Send several parts of the response."""
        for message in messages:
            await self.send(message)

    async def _send_part(self, message: Message) -> None:
        if self._head is not None and self._status is None:
            self._status = self._head["status"]
            await self._send(self._head)
        if message["type"] == "http.response.body":
            message = self._body_of(message)
        await self._send(message)

    def _head_of(self, message: Message) -> Message:
        status = message["status"]
        headers = list(message.get("headers", ()))
        names = {name.lower() for name, _value in headers}
        if b"date" not in names:
            headers.append((b"date", _now(int(time.time()))))
        if b"connection" not in names and self._line.is_last():
            headers.append(_CLOSE)
        self._silent = self.scope["method"] == "HEAD" or status in (204, 304)
        return {**message, "headers": headers}

    def _body_of(self, message: Message) -> Message:
        body = message.get("body", b"")
        self._complete = not message.get("more_body", False)
        if self._silent:
            return {**message, "body": b""}
        self._length += len(body)
        return message

    def _check_complete(self) -> None:
        if self._line.is_gone() or self._complete:
            return
        started = self._head is not None
        raise exceptions.IncompleteResponse(
            "the end of its response" if started else "a response"
        )

    async def _fail(self, error: BaseException) -> None:
        self._settings.logger.error("%s failed", self.name, exc_info=error)
        if self._line.is_unanswered():
            body = traceback.format_exception(error) if self._settings.debug else ()
            self._head = self._status = None  # an application may have begun
            await self._answer(500, "".join(body).encode())
        else:
            self._line.abort()  # so that nobody takes it for the whole response

    async def _answer(self, status: int, body: bytes | None = None) -> None:
        if body is None:
            body = http.HTTPStatus(status).phrase.encode() + b"\n"
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", b"%d" % len(body)),
        ]
        try:
            await self.send_all(
                {"type": "http.response.start", "status": status, "headers": headers},
                {"type": "http.response.body", "body": body},
            )
        except exceptions.ClientGone:
            pass

    def _log(self) -> None:
        scope, settings = self.scope, self._settings
        if self._status is None or not settings.logger.isEnabledFor(logging.INFO):
            return
        query = scope["query_string"]
        target = scope["raw_path"] + (b"?" + query if query else b"")
        settings.logger.info(
            settings.log_format,
            {
                "client_ip": _client_of(scope),
                "date_time": time.strftime("%d/%b/%Y %H:%M:%S"),
                "request_line": f"{scope['method']} {target.decode('latin-1')} "
                f"HTTP/{scope['http_version']}",
                "status_code": self._status,
                "body_length": self._length,
                "wall_seconds": time.monotonic() - self._begun,
            },
        )


def _client_of(scope: Mapping[str, Any]) -> str:
    """The address, after those for which proxies say that they speak."""
    address = str(scope["client"][0]) if scope["client"] else "-"
    for name, value in scope["headers"]:
        if name == b"x-forwarded-for":
            return f"{value.decode('latin-1').replace(' ', '')},{address}"
    return address


@functools.lru_cache(maxsize=2)
def _now(second: int) -> bytes:
    return formatdate(second, usegmt=True).encode()
