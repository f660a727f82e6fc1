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

"""Listening sockets."""

from collections.abc import Iterator
import contextlib
import errno
import os
import socket
from typing import Any
import weakref

from oslo_asyncio import _activation
from oslo_asyncio import _unpatched
from oslo_asyncio import exceptions

_shared: weakref.WeakSet[Any] = weakref.WeakSet()
_backlogs: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()
_serving = False

#: the kernel cuts it to net.core.somaxconn, and so does systemd's default
_MOST = 2**31 - 1


def listen(
    host: str | None,
    port: int,
    *,
    family: int = socket.AF_UNSPEC,
    backlog: int = 4096,
) -> socket.socket:
    """Make a listening TCP socket.

    :param host: a name or an address; None or ``""``: all addresses.
    :param port: 0 lets the kernel choose, see ``sock.getsockname()``.
    :param family: ``socket.AF_INET`` or ``AF_INET6``, if it matters.
    :param backlog: connections that may wait to be accepted; the kernel cuts
        it to ``net.core.somaxconn``.
    :returns: a socket for ``asyncio.start_server(sock=...)``, or for accept()
        in sync code.  Without SO_REUSEPORT: a queue of its own for each
        process would be lost with the process.

    One that is made before the launcher runs, as in a service's ``__init__``,
    is shared by all workers.  It belongs to the launcher: a server that is
    closed leaves it open, so that a reload can serve it again, and it is closed
    when the whole service stops.

    :raises ListenError: the address is unknown or taken.

    >>> from oslo_asyncio import service
    >>> with service.listen("127.0.0.1", 0) as sock:
    ...     sock.getsockname()[0]
    '127.0.0.1'
    """
    address = f"{host or '*'}:{port}"
    if not 0 <= port <= 65535:  # getaddrinfo would take it modulo 65536
        wrong = OSError(errno.EINVAL, "a port is a number from 0 to 65535")
        raise exceptions.ListenError(address, wrong)
    try:
        found = _unpatched.socket.getaddrinfo(
            host or None, port, family, socket.SOCK_STREAM, 0, socket.AI_PASSIVE
        )
    except OSError as error:
        raise exceptions.ListenError(address, error) from None
    kind, _type, proto, _name, where = found[0]
    sock = socket.socket(kind, socket.SOCK_STREAM, proto)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(where)
        sock.listen(backlog)
    except OSError as error:
        sock.close()
        raise exceptions.ListenError(address, error) from None
    return _remember(sock, backlog)


def listen_unix(
    path: str, *, mode: int | None = None, backlog: int = 4096
) -> socket.socket:
    """Make a listening UNIX socket.

    :param path: where; a socket file that nobody listens on is replaced.
    :param mode: permissions of the file, such as ``0o660``; default: umask.
    :param backlog: connections that may wait to be accepted.
    :raises ListenError: somebody listens there, or it is no socket.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if _is_stale(path):
            os.unlink(path)
        sock.bind(path)
        if mode is not None:
            os.chmod(path, mode)
        sock.listen(backlog)
    except OSError as error:
        sock.close()
        raise exceptions.ListenError(path, error) from None
    return _remember(sock, backlog)


@contextlib.contextmanager
def serving() -> Iterator[None]:
    """While services run, what they open is their own."""
    global _serving
    before, _serving = _serving, True
    try:
        yield
    finally:
        _serving = before


def is_serving() -> bool:
    """Whether a launcher runs services here, and looks after shared sockets."""
    return _serving


def is_shared(sock: Any) -> bool:
    """Whether a socket was made before the services ran."""
    return sock in _shared


def keep_backlog(sock: Any) -> None:
    """Undo what servers do: they call listen() again, with a backlog of 100.

    A reload under load fills that in no time, and a connection that finds it
    full takes a second longer.
    """
    try:
        backlog = _backlogs.get(sock)
    except TypeError:
        return  # None, or something else that has no weak references
    if backlog is None and _activation.is_passed(sock.fileno()):
        backlog = _MOST
    if backlog is not None:
        sock.listen(backlog)


def close_shared() -> None:
    """Close this process's copies of them."""
    for sock in list(_shared):
        sock.close()


def _remember(sock: socket.socket, backlog: int) -> socket.socket:
    # the native one inside a green one: that is what a loop serves, and to
    # close it takes no eventlet hub
    native = getattr(sock, "fd", sock)
    _backlogs[native] = backlog
    if not _serving:
        _shared.add(native)
    return sock


def _is_stale(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
    return False
