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

"""A server for a WSGI or ASGI application, as a service."""

import logging
import socket
import ssl
import types
from typing import Any
from typing import TYPE_CHECKING

from oslo_config import cfg

from oslo_asyncio import _anywhere
from oslo_asyncio import _listen
from oslo_asyncio import _service
from oslo_asyncio import _wsgi_options
from oslo_asyncio import exceptions
from oslo_asyncio import hub
from oslo_asyncio import sslutils
from oslo_asyncio._wsgi import application
from oslo_asyncio._wsgi import arguments
from oslo_asyncio._wsgi import settings

if TYPE_CHECKING:
    from oslo_asyncio._wsgi import serving

LOG = logging.getLogger(__name__)


class Server(_service.ServiceBase):
    """Serves a WSGI or ASGI application over HTTP/1.1, or HTTPS.

    A WSGI application runs beside the loop: in green threads on the eventlet
    hub, in native ones elsewhere.  An ASGI application runs on the loop.  The
    socket listens from the start, so all workers of
    ``service.launch(conf, server, workers=N)`` share it.  Without a launcher,
    sync code calls ``start()``, ``stop()`` and ``wait()`` itself, and async
    code awaits them.

    The positional arguments are those of oslo.service.

    :param conf: the program's configuration; the options are registered with it.
    :param name: of the server, for the log.
    :param app: a WSGI application, or an ASGI one, see ``interface``.
    :param host: address or name to listen on.
    :param port: 0 lets the kernel choose, see the attribute ``port``.
    :param pool_size: requests that a worker handles at the same time, others
        wait; default: the option ``wsgi_default_pool_size``.
    :param protocol: not used; oslo.service takes a class of eventlet's here.
    :param backlog: connections that may wait to be accepted.
    :param use_ssl: serve HTTPS, see :mod:`oslo_asyncio.sslutils`.
    :param max_url_len: bytes of a URL with its query; a longer one is answered
        with status 414.  Default: 8192.
    :param logger_name: of the logger for requests and failures.
    :param socket_family: ``AF_INET``, ``AF_INET6`` or ``AF_UNIX``.
    :param socket_file: path of the UNIX socket.
    :param socket_mode: permissions of that file, such as ``0o660``.
    :param interface: ``"wsgi"``, ``"asgi"``, or ``"auto"``: an application that
        is a coroutine function, or whose ``__call__`` is one, is ASGI.
    :ivar host: the address that it listens on; the path of a UNIX socket.
    :ivar port: the port that it listens on; 0 for a UNIX socket.
    :ivar socket: the listening socket.

    :raises InvalidInput: an argument makes no sense.
    :raises ListenError: the address is unknown or taken.
    :raises InvalidOption: an option is out of range.
    :raises InvalidTls: ``use_ssl`` is set, and TLS is not configured.
    :raises LibraryMissing: ``pip install 'oslo.asyncio[wsgi]'``

    >>> from urllib.request import urlopen
    >>> from oslo_config import cfg
    >>> from oslo_asyncio import wsgi
    >>> def hello(environ, start_response):
    ...     start_response("200 OK", [("Content-Type", "text/plain")])
    ...     return [b"hello"]
    >>> conf = cfg.ConfigOpts()
    >>> conf([])
    >>> server = wsgi.Server(conf, "hello", hello, host="127.0.0.1")
    >>> server.start()
    >>> urlopen(f"http://127.0.0.1:{server.port}/").read()
    b'hello'
    >>> server.stop()
    >>> server.wait()
    """

    def __init__(
        self,
        conf: cfg.ConfigOpts,
        name: str,
        app: Any,
        host: str | None = "0.0.0.0",
        port: int = 0,
        pool_size: int | None = None,
        protocol: Any = None,
        backlog: int = 128,
        use_ssl: bool = False,
        max_url_len: int | None = None,
        logger_name: str = "oslo_asyncio.wsgi.server",
        socket_family: int | None = None,
        socket_file: str | None = None,
        socket_mode: int | None = None,
        *,
        interface: str = "auto",
    ) -> None:
        self._where = arguments.Where(
            host, port, backlog, socket_family, socket_file, socket_mode
        )
        arguments.check_interface(interface)
        arguments.check_pool_size(pool_size)
        arguments.name_unused(name, protocol)
        _wsgi_options.register_wsgi(conf)
        _wsgi_options.validate_wsgi(conf)
        _import_serving()
        self.conf = conf
        self.name = name
        self.app = app
        self.pool_size = pool_size or conf.wsgi_default_pool_size
        self._pool_size = pool_size
        self._interface = interface
        self._use_ssl = use_ssl
        self._max_url_len = max_url_len
        self._logger = logging.getLogger(logger_name)
        self._server: serving.Serving | None = None
        self._waiting = False
        self._settings()
        self._tls()
        self._listen()

    def start(self) -> Any:
        """Serve; sync callers get back when it does, async ones await it.

        May be called again after :meth:`stop`, and listens again if that has
        closed the socket.

        :raises ApplicationNotStarted: an ASGI application refuses to start.
        :raises ListenError: somebody else has taken the address meanwhile.
        :raises InvalidTls: the certificate is gone, or cannot be used.
        """
        return _anywhere.call(self._start)

    def stop(self) -> Any:
        """Stop serving, without waiting for the requests that run.

        Nobody can connect any more, idle connections are closed at once, and
        the others when their request is answered.  A connection that has not
        sent a request yet has one second for it.  A launcher that restarts the
        service in place keeps the socket, and connections wait.  In a launched
        service where nobody is in :meth:`wait`, it waits for the requests.
        """
        return _anywhere.call(self._stop)

    def wait(self) -> Any:
        """Return when the server has been stopped and all requests have ended."""
        return _anywhere.call(self._wait)

    def reset(self) -> Any:
        """The options have changed: the next start() takes them.

        :raises InvalidOption: an option is out of range.
        """
        _wsgi_options.validate_wsgi(self.conf)
        self.pool_size = self._pool_size or self.conf.wsgi_default_pool_size

    def _set_socket_opts(self, sock: socket.socket) -> socket.socket:
        """Set options of the TCP socket that listens; connections inherit them.

        For subclasses to override.

        :returns: the socket to serve.
        """
        return arguments.keep_alive(sock, self.conf.tcp_keepidle)

    async def _start(self) -> None:
        if self._server is not None and not self._server.stopping:
            return
        hub.find()  # a request would be late to say that there is none
        if self.socket.fileno() == -1:
            self._listen()
        asgi = self._interface == "asgi"
        if self._interface == "auto":
            asgi = application.is_asgi(self.app)
        running = _import_serving().Serving(self._settings(), self.app, asgi)
        await running.start(self.socket, self._tls())
        self._server = running

    async def _stop(self) -> None:
        if self._server is None or self._server.stopping:
            return
        LOG.info("%s stops serving", self.name)
        await self._server.stop()
        if not _listen.is_serving():
            self.socket.close()  # no launcher keeps it for a restart in place
        elif not self._waiting:
            # a signal may come after start() and before wait(), and then a
            # launcher does not call that any more
            await self._server.wait()

    async def _wait(self) -> None:
        if self._server is not None:
            self._waiting = True
            try:
                await self._server.wait()
            finally:
                self._waiting = False
            LOG.debug("%s has answered its last request", self.name)

    def _settings(self) -> settings.Settings:
        return settings.read(
            self.conf, self.name, self._logger, self.pool_size, self._max_url_len
        )

    def _tls(self) -> ssl.SSLContext | None:
        # for each start: certificates expire, and their files are renewed
        return sslutils.context(self.conf) if self._use_ssl else None

    def _listen(self) -> None:
        where = self._where
        if where.family == socket.AF_UNIX:
            self.socket = where.listen_unix()
            self.host, self.port = str(where.path), 0
            LOG.info("%s listens on %s", self.name, self.host)
        else:
            self.socket = self._set_socket_opts(where.listen())
            self.host, self.port = self.socket.getsockname()[:2]
            where.port = self.port  # the same if it listens again
            LOG.info("%s listens on %s port %s", self.name, self.host, self.port)


def _import_serving() -> types.ModuleType:
    """What needs uvicorn, imported when a server is made and not before."""
    try:
        from oslo_asyncio._wsgi import serving
    except ImportError as error:
        raise exceptions.LibraryMissing(
            "oslo_asyncio.wsgi.Server", "wsgi", error
        ) from None
    return serving
