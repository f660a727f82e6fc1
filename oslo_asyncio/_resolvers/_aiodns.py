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

"""c-ares: look-ups without a thread each."""

import asyncio
import socket
from typing import Any

import aiodns
import pycares

from oslo_asyncio import resolver

# ares.h; pycares exports the flags of getnameinfo only
_ADDRINFO_FLAGS = {
    socket.AI_CANONNAME: 1 << 0,
    socket.AI_NUMERICHOST: 1 << 1,
    socket.AI_PASSIVE: 1 << 2,
    socket.AI_V4MAPPED: 1 << 4,
    socket.AI_ALL: 1 << 5,
    socket.AI_ADDRCONFIG: 1 << 6,
}
_NAMEINFO_FLAGS = {
    socket.NI_NOFQDN: pycares.ARES_NI_NOFQDN,
    socket.NI_NUMERICHOST: pycares.ARES_NI_NUMERICHOST,
    socket.NI_NAMEREQD: pycares.ARES_NI_NAMEREQD,
    socket.NI_NUMERICSERV: pycares.ARES_NI_NUMERICSERV,
    socket.NI_DGRAM: pycares.ARES_NI_DGRAM,
}
_PROTOCOLS = {
    socket.SOCK_STREAM: socket.IPPROTO_TCP,
    socket.SOCK_DGRAM: socket.IPPROTO_UDP,
}
_ERRORS = {
    pycares.errno.ARES_ENOTFOUND: socket.EAI_NONAME,
    pycares.errno.ARES_ENODATA: socket.EAI_NODATA,
    pycares.errno.ARES_ETIMEOUT: socket.EAI_AGAIN,
    pycares.errno.ARES_ECONNREFUSED: socket.EAI_AGAIN,
    pycares.errno.ARES_ESERVFAIL: socket.EAI_AGAIN,
}


class AiodnsResolver(resolver.Resolver):
    """Look-ups by c-ares through aiodns.

    It reads the hosts file and resolv.conf and nothing else of what the host
    is set up with: no nsswitch, no mDNS, no LDAP.  In return a look-up needs
    no thread.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._resolver = aiodns.DNSResolver(loop=loop)

    def getaddrinfo(
        self,
        host: bytes | str | None,
        port: bytes | str | int | None,
        family: int = 0,
        type: int = 0,
        proto: int = 0,
        flags: int = 0,
    ) -> asyncio.Future[Any]:
        """As ``socket.getaddrinfo``, as a future of the loop."""
        return asyncio.ensure_future(
            self._getaddrinfo(host, port, family, type, proto, flags), loop=self.loop
        )

    def getnameinfo(self, sockaddr: Any, flags: int = 0) -> asyncio.Future[Any]:
        """As ``socket.getnameinfo``, as a future of the loop."""
        return asyncio.ensure_future(
            self._getnameinfo(sockaddr, flags), loop=self.loop
        )

    def close(self) -> None:
        """Give up what is in flight."""
        self._resolver.cancel()

    async def _getaddrinfo(
        self, host: Any, port: Any, family: int, type: int, proto: int, flags: int
    ) -> list[Any]:
        name = host.decode("idna") if isinstance(host, bytes) else host
        try:
            answer = await self._resolver.getaddrinfo(
                name,
                family=socket.AddressFamily(family),
                port=_port_number(port),
                proto=proto,
                type=type,
                flags=_translate(flags, _ADDRINFO_FLAGS),
            )
        except aiodns.error.DNSError as error:
            raise _as_gaierror(error) from None
        canonical = answer.cnames[0].name if answer.cnames else name
        wanted = canonical if flags & socket.AI_CANONNAME else ""
        # as the system's resolver does: no type asked for means one of each
        kinds = [socket.SocketKind(type)] if type else list(_PROTOCOLS)
        return [
            (
                socket.AddressFamily(node.family),
                kind,
                proto or _PROTOCOLS.get(kind, 0),
                _text(wanted),
                (_text(node.addr[0]), *node.addr[1:]),
            )
            for node in answer.nodes
            for kind in kinds
        ]

    async def _getnameinfo(self, sockaddr: Any, flags: int) -> tuple[str, str]:
        wanted = _translate(flags, _NAMEINFO_FLAGS)
        wanted |= pycares.ARES_NI_LOOKUPHOST | pycares.ARES_NI_LOOKUPSERVICE
        try:
            answer = await self._resolver.getnameinfo(sockaddr, wanted)
        except aiodns.error.DNSError as error:
            raise _as_gaierror(error) from None
        return _text(answer.node), _text(answer.service) or str(sockaddr[1])


def _translate(flags: int, names: dict[Any, int]) -> int:
    return sum(theirs for ours, theirs in names.items() if flags & ours)


def _port_number(port: Any) -> int:
    if port is None:
        return 0
    if isinstance(port, bytes):
        port = port.decode("ascii")
    if isinstance(port, int) or port.isdigit():
        return int(port)
    try:
        return socket.getservbyname(port)
    except OSError:
        raise socket.gaierror(
            socket.EAI_SERVICE, f"no service is called {port!r}"
        ) from None


def _text(value: Any) -> str:
    return value.decode("ascii") if isinstance(value, bytes) else value or ""


def _as_gaierror(error: Exception) -> socket.gaierror:
    number, sentence = (*error.args, "", "")[:2]
    return socket.gaierror(_ERRORS.get(number, socket.EAI_FAIL), str(sentence))
