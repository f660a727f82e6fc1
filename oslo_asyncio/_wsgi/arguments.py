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

"""What a server is made with: checked, and turned into a socket."""

import dataclasses
import logging
import socket
from typing import Any

from oslo_asyncio import _listen
from oslo_asyncio import exceptions

LOG = logging.getLogger(__name__)

_INTERFACES = ("auto", "wsgi", "asgi")
_FAMILIES = (None, 0, socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)


@dataclasses.dataclass(slots=True)
class Where:
    """Where a server listens.

    :raises InvalidInput: nobody can listen there.
    """

    host: str | None
    port: int
    backlog: int
    family: int | None
    path: str | None
    mode: int | None

    def __post_init__(self) -> None:
        if self.backlog < 1:
            raise exceptions.InvalidInput(
                "backlog", self.backlog, "it has to be at least 1"
            )
        if self.family not in _FAMILIES:
            raise exceptions.InvalidInput(
                "socket_family", self.family, "use AF_INET, AF_INET6 or AF_UNIX"
            )
        if self.family == socket.AF_UNIX and not self.path:
            raise exceptions.InvalidInput(
                "socket_file", self.path, "a UNIX socket needs the path of a file"
            )

    def listen(self) -> socket.socket:
        """A TCP socket that listens."""
        family = self.family or socket.AF_UNSPEC
        return _listen.listen(self.host, self.port, family=family, backlog=self.backlog)

    def listen_unix(self) -> socket.socket:
        """A UNIX socket that listens."""
        return _listen.listen_unix(str(self.path), mode=self.mode, backlog=self.backlog)


def keep_alive(sock: socket.socket, idle: int) -> socket.socket:
    """Have the kernel find out which clients have gone; connections inherit it.

    :param idle: seconds of silence before it asks.
    """
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, idle)
    return sock


def check_interface(interface: str) -> None:
    """Refuse an unknown kind of application."""
    if interface not in _INTERFACES:
        raise exceptions.InvalidInput(
            "interface", interface, f"use one of {', '.join(_INTERFACES)}"
        )


def check_pool_size(pool_size: int | None) -> None:
    """Refuse a pool that would never serve anybody; 0 and None are the option."""
    if pool_size is not None and pool_size < 0:
        raise exceptions.InvalidInput("pool_size", pool_size, "it is negative")


def name_unused(server: str, protocol: Any) -> None:
    """Say that a protocol class of eventlet's does not do anything here."""
    if protocol is not None and protocol.__module__ != "eventlet.wsgi":
        LOG.warning(
            "%s: the protocol class %s is not used; it is for eventlet.wsgi",
            server,
            protocol.__qualname__,
        )
