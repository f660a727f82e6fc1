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

"""The uvloop hub: libuv's loop, sync code in native threads."""

import asyncio
import select
import socket
from typing import Any

import uvloop

from oslo_asyncio import _listen
from oslo_asyncio import hub
from oslo_asyncio._hubs import _loop

#: turns, and so connections, that a stop still accepts
_MOST_QUEUED = 8192


class UvLoop(_loop.LoopMixin, uvloop.Loop):  # type: ignore[misc]
    """A uvloop whose host names are looked up by our resolver.

    uvloop hands names to libuv, whose look-ups share four threads with its
    file operations and ask no overridden getaddrinfo.  So a name is replaced
    by its addresses before uvloop sees it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._servers: list[Any] = []
        self._shared: list[Any] = []

    async def create_connection(
        self, protocol_factory: Any, host: Any = None, port: Any = None, **kwargs: Any
    ) -> Any:
        """As the standard loop; the addresses of a name are tried in order."""
        if host is None or kwargs.get("sock") is not None:
            return await super().create_connection(
                protocol_factory, host, port, **kwargs
            )
        if kwargs.get("ssl") and kwargs.get("server_hostname") is None:
            kwargs["server_hostname"] = host
        hints = {k: kwargs.pop(k) for k in ("family", "proto", "flags") if k in kwargs}
        found = await self.getaddrinfo(host, port, type=socket.SOCK_STREAM, **hints)
        _interleave(found, kwargs.pop("interleave", None))
        kwargs.pop("happy_eyeballs_delay", None)
        kwargs.pop("all_errors", None)
        errors: list[OSError] = []
        for family, _type, proto, _name, address in found:
            try:
                return await super().create_connection(
                    protocol_factory,
                    *address[:2],
                    family=family,
                    proto=proto,
                    **kwargs,
                )
            except OSError as error:
                errors.append(error)
        raise _join(errors)

    async def create_datagram_endpoint(
        self,
        protocol_factory: Any,
        local_addr: Any = None,
        remote_addr: Any = None,
        **kwargs: Any,
    ) -> Any:
        """As the standard loop."""
        if kwargs.get("family") != socket.AF_UNIX:
            local_addr = await self._address(local_addr, kwargs)
            remote_addr = await self._address(remote_addr, kwargs)
        return await super().create_datagram_endpoint(
            protocol_factory, local_addr, remote_addr, **kwargs
        )

    async def create_server(
        self, protocol_factory: Any, host: Any = None, port: Any = None, **kwargs: Any
    ) -> Any:
        """As the standard loop; on every address of a name."""
        if host and isinstance(host, str):
            hints = {k: kwargs[k] for k in ("family", "flags") if k in kwargs}
            found = await self.getaddrinfo(host, port, type=socket.SOCK_STREAM, **hints)
            host = list(dict.fromkeys(entry[4][0] for entry in found))
        served = self._keep_shared(kwargs)
        return self._remember(
            await super().create_server(protocol_factory, host, port, **kwargs), served
        )

    async def create_unix_server(self, *args: Any, **kwargs: Any) -> Any:
        """As the standard loop."""
        served = self._keep_shared(kwargs)
        return self._remember(
            await super().create_unix_server(*args, **kwargs), served
        )

    async def quiesce(self) -> None:
        """Accept what is queued and close the listening sockets.

        libuv accepts one connection per listener and turn, and attaches it in
        the same turn.
        """
        serving = [server for server in self._servers if server.is_serving()]
        waiting = select.poll()
        for server in serving:
            for sock in server.sockets:
                waiting.register(sock.fileno(), select.POLLIN)
        for _turn in range(_MOST_QUEUED):
            if not any(events & select.POLLIN for _fd, events in waiting.poll(0)):
                break
            await asyncio.sleep(0)
        for server in serving:
            server.close()
        for sock in self._shared:
            sock.close()

    def _keep_shared(self, kwargs: dict[str, Any]) -> Any:
        # libuv closes what it serves
        sock = kwargs.get("sock")
        if sock is not None and _listen.is_shared(sock):
            kwargs["sock"] = sock.dup()
            if sock not in self._shared:
                self._shared.append(sock)
        return sock

    def _remember(self, server: Any, served: Any) -> Any:
        _listen.keep_backlog(served)
        self._servers = [old for old in self._servers if old.is_serving()]
        self._servers.append(server)
        return server

    async def _address(self, address: Any, kwargs: dict[str, Any]) -> Any:
        if not address or not isinstance(address, tuple):
            return address
        hints = {k: kwargs[k] for k in ("family", "proto", "flags") if k in kwargs}
        found = await self.getaddrinfo(*address[:2], type=socket.SOCK_DGRAM, **hints)
        return found[0][4][:2]


def _interleave(found: list[Any], first: int | None) -> None:
    """Take turns between the address families (RFC 8305), in place."""
    if not first:
        return
    families = list(dict.fromkeys(entry[0] for entry in found))
    rows = [[entry for entry in found if entry[0] == family] for family in families]
    found[:] = rows[0][: first - 1]
    rows[0] = rows[0][first - 1 :]
    for position in range(max(map(len, rows))):
        found.extend(row[position] for row in rows if position < len(row))


def _join(errors: list[OSError]) -> OSError:
    if len(errors) == 1 or len({str(error) for error in errors}) == 1:
        return errors[0]
    if not errors:
        return OSError("getaddrinfo() returned empty list")
    return OSError(f"Multiple exceptions: {', '.join(map(str, errors))}")


class UvloopHub(hub.Hub):
    """As the asyncio hub, on libuv: faster sockets, one more dependency."""

    name = "uvloop"

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        """A new loop, in the process and thread that will run it."""
        return UvLoop()
