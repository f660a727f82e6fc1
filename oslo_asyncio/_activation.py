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

"""Sockets that systemd has passed to this process."""

import os
import socket

from oslo_asyncio import _unpatched
from oslo_asyncio import exceptions

#: file descriptors are passed from this one on
_FIRST = 3


class _Passed:
    """One socket that systemd has passed, with the name that it gave."""

    def __init__(self, fd: int, name: str) -> None:
        self.fd = fd
        self.name = name
        self._sock: socket.socket | None = None

    def fileno(self) -> int:
        """The descriptor of the socket that is open now, or -1."""
        return -1 if self._sock is None else self._sock.fileno()

    def open(self) -> socket.socket:
        """The socket, and a new one when it has been closed."""
        if self._sock is None or self._sock.fileno() == -1:
            # systemd's own descriptor stays, for the service to start again
            native = _unpatched.socket.socket(fileno=os.dup(self.fd))
            # a green socket takes whatever it is given for an IPv4 one
            kind = (native.family, native.type, native.proto)
            self._sock = socket.socket(*kind, fileno=native.detach())
        return self._sock


#: None until somebody asks
_passed: list[_Passed] | None = None

#: A worker is not the process that systemd named, but has its sockets.
_imported_by = os.getpid()


def listen_fds(name: str | None = None) -> list[socket.socket]:
    """The sockets that systemd has passed to this process (socket activation).

    The first call takes ``LISTEN_PID``, ``LISTEN_FDS`` and ``LISTEN_FDNAMES``
    out of the environment, and no subprocess inherits the sockets.  Later
    calls return the same sockets.  One that was closed since comes back open,
    so a service may call this in each ``start()`` and close the sockets in
    each ``stop()``; connections wait in the meantime.  Workers that were forked
    share them with their parent.

    :param name: only sockets with this ``FileDescriptorName=``, which is the
        name of the ``.socket`` unit unless it says otherwise.
    :returns: sockets as ``socket.socket`` makes them (green ones in a patched
        process), in systemd's order.  An empty list without socket activation,
        or when the sockets are for another process.
    :raises InvalidEnvironment: the variables make no sense.

    >>> from oslo_asyncio import service
    >>> from oslo_asyncio import systemd
    >>> for sock in systemd.listen_fds() or [service.listen("127.0.0.1", 0)]:
    ...     print(sock.getsockname()[0])
    ...     sock.close()
    127.0.0.1
    """
    global _passed
    if _passed is None:
        _passed = _take_passed()
    return [each.open() for each in _passed if name in (None, each.name)]


def is_passed(fd: int) -> bool:
    """Whether this is the descriptor of a socket that was handed out here."""
    return fd != -1 and any(each.fileno() == fd for each in _passed or ())


def _take_passed() -> list[_Passed]:
    found: list[_Passed] = []
    if number("LISTEN_PID") in (os.getpid(), _imported_by):
        count = number("LISTEN_FDS") or 0
        fds = range(_FIRST, _FIRST + count)
        for fd in fds:
            _check_socket(fd)
        found.extend(map(_Passed, fds, _names(count)))
    for each in found:
        os.set_inheritable(each.fd, False)
    for name in ("LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDS", "LISTEN_FDNAMES"):
        os.environ.pop(name, None)
    return found


def _check_socket(fd: int) -> None:
    try:
        _unpatched.socket.socket(fileno=fd).detach()
    except OSError as error:
        raise exceptions.InvalidEnvironment(
            "LISTEN_FDS",
            os.environ["LISTEN_FDS"],
            f"file descriptor {fd} is no socket ({error.strerror})",
        ) from None


def _names(count: int) -> list[str]:
    text = os.environ.get("LISTEN_FDNAMES")
    if not text:
        return ["unknown"] * count  # as sd_listen_fds_with_names() says
    names = text.split(":")
    if len(names) != count:
        raise exceptions.InvalidEnvironment(
            "LISTEN_FDNAMES", text, f"it has to be {count} names"
        )
    return names


def number(variable: str) -> int | None:
    """What an environment variable says; None when it says nothing."""
    text = os.environ.get(variable)
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()):
        raise exceptions.InvalidEnvironment(variable, text, "it has to be a number")
    return int(text)
