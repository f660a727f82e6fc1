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

"""A connection: uvicorn's, with limits for the client and an end for a drain.

uvicorn speaks HTTP here.  What it leaves open, and what eventlet.wsgi had, is
added: a client that hangs, is cut off in the middle or sends too much has an
end, and gets the status that says why.
"""

import asyncio
import http
import sys
from typing import Any
from typing import cast
from typing import Protocol

import h11
import uvicorn
from uvicorn.protocols.http import h11_impl
import uvicorn.server

from oslo_asyncio._wsgi import exchange
from oslo_asyncio._wsgi import settings as settings_module
from oslo_asyncio._wsgi import transport as transport_module

#: Seconds that a client has to read a response which refuses what it still sends.
_LINGER = 2.0

#: Seconds that a connection has, when the server stops, to send the request
#: that it was opened for, and that TLS has to say goodbye.
_PATIENCE = 1.0


class Owner(Protocol):
    """The run of a server that a connection belongs to."""

    settings: settings_module.Settings
    application: exchange.Application
    config: uvicorn.Config
    state: uvicorn.server.ServerState
    lifespan_state: dict[str, Any]
    stopping: bool

    def opened(self) -> None: ...
    def closed(self) -> None: ...


class Connection(h11_impl.H11Protocol):
    """One connection.  An :class:`exchange.Line` for its requests."""

    def __init__(self, owner: Owner, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(owner.config, owner.state, owner.lifespan_state, loop)
        self.app = self._answer
        self.access_log = False
        self.logger = owner.settings.logger
        self._owner = owner
        self._waiting = False
        self._lingering = False
        self._heard = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._end: asyncio.TimerHandle | None = None

    # -- the transport's calls --------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._held = transport_module.Transport(transport, self._close)
        super().connection_made(cast(asyncio.Transport, self._held))
        self._owner.opened()
        self._heard = self.loop.time()
        self._watch()
        if self._owner.stopping:
            self.drain()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        for timer in (self._timer, self._end):
            if timer is not None:
                timer.cancel()
        self._owner.closed()

    def data_received(self, data: bytes) -> None:
        self._heard = self.loop.time()
        if self._lingering:
            return
        if self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]:
            data = self._with_host(data)
        super().data_received(data)

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """The client sends nothing more; its request may be on its way."""
        if self.is_idle() or self.cycle.more_body or self.scheme == "https":
            return None
        self.cycle.keep_alive = False
        return True

    def pause_writing(self) -> None:
        self._heard = self.loop.time()
        super().pause_writing()

    # -- for a request ----------------------------------------------------

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        settings = self._owner.settings
        if self._owner.stopping or not settings.keep_alive:
            self.cycle.keep_alive = False
        mine = exchange.Exchange(self, settings, scope, receive, send)
        try:
            await mine.run(self._owner.application)
        finally:
            self._heard = self.loop.time()

    def is_gone(self) -> bool:
        """Whether nobody would get what is sent."""
        return self._lingering or self.transport.is_closing()

    def is_last(self) -> bool:
        """Whether the connection ends with this response.

        It does if the client has announced a body and was not told to send it:
        nobody knows whether it does.
        """
        return not self.cycle.keep_alive or self.conn.they_are_waiting_for_100_continue

    def is_unanswered(self) -> bool:
        """Whether a response can still be begun."""
        if self.is_gone() or self.conn.our_state is not h11.SEND_RESPONSE:
            return False
        self.cycle.response_started = False  # h11 may have refused its head
        return True

    def waits(self, waiting: bool) -> None:
        """An application waits for the client, or does so no more."""
        self._waiting = waiting
        self._heard = self.loop.time()

    def hold(self) -> None:
        """Send nothing until :meth:`flush`."""
        self._held.hold()

    def flush(self) -> None:
        """Send what was held back."""
        self._held.flush()

    def abort(self) -> None:
        """Close it in a way that the client notices."""
        self.transport.abort()

    # -- for the server ---------------------------------------------------

    def is_idle(self) -> bool:
        """Whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def drain(self) -> None:
        """Close the connection now if it is idle, or after the response."""
        if self.is_gone():
            return
        if not self.is_idle():
            self.cycle.keep_alive = False
            return
        expected = self.cycle is None or bool(self.conn.trailing_data[0])
        if not expected:
            self.transport.close()
        self._end = self.loop.call_later(_PATIENCE, self._end_idle)

    def _end_idle(self) -> None:
        if self.is_gone():
            self.transport.abort()  # TLS waits for a client that does not answer
        elif self.is_idle():
            self.transport.close()
            self._end = self.loop.call_later(_PATIENCE, self.transport.abort)

    # -- clients that hang ------------------------------------------------

    def _watch(self) -> None:
        timeout = self._owner.settings.timeout
        if timeout is not None:
            self._timer = self.loop.call_at(self._heard + timeout, self._check)

    def _check(self) -> None:
        timeout, now = self._owner.settings.timeout or 0.0, self.loop.time()
        if not (self.is_idle() or self._waiting or self.flow.write_paused):
            self._heard = now  # the application takes its time
        elif now - self._heard >= timeout:
            self.transport.abort()
            return
        self._watch()

    def timeout_keep_alive_handler(self) -> None:
        """uvicorn's own timer; ours is for every kind of waiting."""

    # -- clients that send rubbish ----------------------------------------

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be parsed, with the status that says why."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.abort()
            return
        status = self._status_of(sys.exception())
        phrase = http.HTTPStatus(status).phrase.encode()
        body = phrase + b"\n"
        headers = [
            ("content-type", "text/plain; charset=utf-8"),
            ("content-length", str(len(body))),
            ("connection", "close"),
        ]
        for event in (
            h11.Response(status_code=status, headers=headers, reason=phrase),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self._linger(self._held.real)

    def _status_of(self, error: BaseException | None) -> int:
        hint = int(getattr(error, "error_status_hint", 400))
        if hint == 431 and b"\n" not in self.conn.trailing_data[0]:
            return 414
        return hint

    def _close(self, transport: asyncio.Transport) -> None:
        if self.conn.their_state is h11.SEND_BODY:
            self._linger(transport)
        else:
            transport.close()

    def _linger(self, transport: asyncio.Transport) -> None:
        """Close, and let the client read first.

        A socket that is closed while its client still sends is reset, and the
        client loses the response.
        """
        if self.is_gone():
            return
        self._lingering = True
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if transport.can_write_eof():
            transport.write_eof()
            self.flow.resume_reading()
            self._end = self.loop.call_later(_LINGER, transport.abort)
        else:
            transport.close()

    def _with_host(self, data: bytes) -> bytes:
        """Add the Host header that HTTP/1.1 demands, and some monitors leave out.

        eventlet.wsgi serves them, and h11 does not.  They send their request in
        one piece.
        """
        head, end, _body = data.partition(b"\r\n\r\n")
        line = head.partition(b"\r\n")[0]
        if not end or not line.endswith(b" HTTP/1.1") or b"\nhost:" in head.lower():
            return data
        name = self.server[0] if self.server else "localhost"
        host = f"[{name}]" if ":" in name else name
        return line + b"\r\nHost: " + host.encode() + data[len(line) :]

    def _should_upgrade(self) -> bool:
        return False  # HTTP/1.1 does, whatever the client would like better
