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

"""One run of a server, from start() to the end of its last connection."""

import asyncio
import socket
import ssl
from typing import Any
from typing import cast

import uvicorn
from uvicorn.lifespan import off
from uvicorn.lifespan import on
import uvicorn.server

from oslo_asyncio import exceptions
from oslo_asyncio._wsgi import application as application_module
from oslo_asyncio._wsgi import connection
from oslo_asyncio._wsgi import exchange
from oslo_asyncio._wsgi import settings as settings_module

#: Seconds that a TLS client has for its handshake, at most
_HANDSHAKE = 60.0


class Serving:
    """Accepts connections on one socket until it is told to stop.

    uvicorn's own server is not used: it takes SIGTERM and SIGINT, which belong
    to the launcher here, and asks ten times a second whether it is to stop.

    :param settings: how it behaves.
    :param app: the application.
    :param asgi: whether it is an ASGI application, or a WSGI one.
    :ivar stopping: whether it has been told to stop.
    """

    def __init__(
        self, settings: settings_module.Settings, app: Any, asgi: bool
    ) -> None:
        self.settings = settings
        self.stopping = False
        self.config = _config(settings, app, asgi)
        self.state = uvicorn.server.ServerState()
        self._lifespan: on.LifespanOn | off.LifespanOff
        self._lifespan = (on.LifespanOn if asgi else off.LifespanOff)(self.config)
        self.lifespan_state: dict[str, Any] = self._lifespan.state
        slots = asyncio.Semaphore(settings.pool_size)
        kind = application_module.Asgi if asgi else application_module.Wsgi
        self.application: exchange.Application = kind(app, slots)
        self._server: asyncio.Server | None = None
        self._loop = asyncio.get_running_loop()
        self._open = 0
        self._drained = self._loop.create_future()
        self._ended = self._loop.create_future()
        self._ending: asyncio.Task[None] | None = None

    @property
    def dead(self) -> bool:
        """Whether the last connection has ended, and the application has."""
        return self._ended.done()

    async def start(self, sock: socket.socket, tls: ssl.SSLContext | None) -> None:
        """Accept connections on ``sock``.

        :raises ApplicationNotStarted: an ASGI application does not want to.
        """
        await self._lifespan.startup()
        if self._lifespan.should_exit:
            self._ended.set_result(None)
            raise exceptions.ApplicationNotStarted(self.settings.name)
        options: dict[str, Any] = {"sock": sock, "ssl": tls}
        if tls is not None:
            limit = min(self.settings.timeout or _HANDSHAKE, _HANDSHAKE)
            options["ssl_handshake_timeout"] = limit
        serve: Any = self._loop.create_server
        if sock.family == socket.AF_UNIX:
            serve = self._loop.create_unix_server
        self._server = await serve(self._connect, **options)

    async def stop(self) -> None:
        """Accept nothing more, close what is idle, and let requests end."""
        if self.stopping or self._server is None:
            return
        await self._stop_accepting(self._server)
        self.stopping = True
        for each in list(self.state.connections):
            cast(connection.Connection, each).drain()
        self._ending = self._loop.create_task(self._end())
        self._check_drained()

    async def wait(self) -> None:
        """Return when all that was begun before :meth:`stop` has ended."""
        # not the future itself, which would be cancelled with its waiter
        await asyncio.wait([self._ended])

    def opened(self) -> None:
        """A connection was made."""
        self._open += 1

    def closed(self) -> None:
        """A connection was lost; its request may still run."""
        self._open -= 1
        self._check_drained()

    def _connect(self) -> connection.Connection:
        return connection.Connection(self, self._loop)

    async def _stop_accepting(self, server: asyncio.Server) -> None:
        # A loop of the standard library accepts in one turn and attaches in the
        # next, and loses a connection whose server is closed in between.  And
        # what a client has sent is a request, even if nobody has read it yet.
        for sock in server.sockets:
            if sock.fileno() != -1:  # the launcher's own stop closes it first
                self._loop.remove_reader(sock.fileno())
        await _turns()
        server.close()

    def _check_drained(self) -> None:
        if self.stopping and not self._open and not self._drained.done():
            self._drained.set_result(None)

    async def _end(self) -> None:
        await self._drained
        while self.state.tasks:  # clients have gone, and their requests go on
            await asyncio.wait(self.state.tasks)
        await self._lifespan.shutdown()
        self._ended.set_result(None)


async def _turns() -> None:
    # a callback of this turn runs before what the next one finds readable
    await asyncio.sleep(0)
    await asyncio.sleep(0)


def _config(settings: settings_module.Settings, app: Any, asgi: bool) -> uvicorn.Config:
    config = uvicorn.Config(
        app=app,
        http=connection.Connection,
        ws="none",
        lifespan="auto" if asgi else "off",
        interface="asgi3",
        log_config=None,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=60,
        h11_max_incomplete_event_size=settings.head_length,
    )
    config.load()
    return config
