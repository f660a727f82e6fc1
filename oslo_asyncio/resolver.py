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

"""Name look-ups that never block the loop, and never wait for other work.

The standard library looks names up in the pool that also runs every other
blocking call: a slow database makes "DNS time-outs", and a dead name server
stops the database calls (CPython gh112169).  Here look-ups have a pool of
their own, identical ones share one answer, and each has a deadline.

``loop.getaddrinfo`` and ``loop.getnameinfo`` of every hub come here, so
``asyncio.open_connection("name", 80)`` and every asyncio library do.
"""

import abc
import asyncio
from collections.abc import Hashable
import socket
from typing import Any

from oslo_asyncio import _plugins
from oslo_asyncio import _unpatched
from oslo_asyncio import exceptions

NAMESPACE = "oslo_asyncio.resolvers"


class Resolver(abc.ABC):
    """Looks names up for one loop.

    A package adds one with an entry point in the group
    ``oslo_asyncio.resolvers``.  Both methods are called on the loop's thread
    and return at once; who cancels the future has given the look-up up.

    :param loop: the loop that the futures belong to.

    >>> import asyncio, socket
    >>> from oslo_asyncio import resolver
    >>> class Fixed(resolver.Resolver):
    ...     def getaddrinfo(self, host, port, family=0, type=0, proto=0, flags=0):
    ...         future = self.loop.create_future()
    ...         future.set_result([(socket.AF_INET, type, 6, "", ("127.0.0.1", port))])
    ...         return future
    ...     def getnameinfo(self, sockaddr, flags=0):
    ...         future = self.loop.create_future()
    ...         future.set_result(("localhost", str(sockaddr[1])))
    ...         return future
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop

    @abc.abstractmethod
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

    @abc.abstractmethod
    def getnameinfo(self, sockaddr: Any, flags: int = 0) -> asyncio.Future[Any]:
        """As ``socket.getnameinfo``, as a future of the loop."""

    def close(self) -> None:  # noqa: B027 (most have nothing to close)
        """The loop is about to close."""


class _Shared:
    """One look-up in flight and everybody who waits for it."""

    def __init__(self, owner: "Lookups", key: Hashable, future: asyncio.Future[Any]):
        self.owner = owner
        self.key = key
        self.future = future
        self.waiters: list[asyncio.Future[Any]] = []
        self.timer = owner.expire_later(self)
        future.add_done_callback(self.finish)

    def finish(self, future: asyncio.Future[Any]) -> None:
        if self.forget() and future.cancelled():
            return
        error = None if future.cancelled() else future.exception()
        for waiter in self.waiters:
            if waiter.done():
                continue
            if future.cancelled():
                waiter.cancel()
            elif error is not None:
                waiter.set_exception(error)
            else:
                result = future.result()
                waiter.set_result(list(result) if isinstance(result, list) else result)

    def forget(self) -> bool:
        """Let the next one ask anew; True when that is so already."""
        if self.timer is not None:
            self.timer.cancel()
        if self.owner.shared.get(self.key) is not self:
            return True
        del self.owner.shared[self.key]
        return False

    def give_up(self) -> None:
        """A waiter has gone; with the last one the look-up is abandoned."""
        if all(waiter.done() for waiter in self.waiters):
            self.forget()
            self.future.cancel()

    def expire(self) -> None:
        for waiter in self.waiters:
            if not waiter.done():
                host = self.key[1]  # type: ignore[index]
                waiter.set_exception(
                    exceptions.LookupTimeout(host, self.owner.timeout)
                )
        self.give_up()


class Lookups:
    """All look-ups of one loop.

    :param loop: the loop.
    :param made_by: the :class:`Resolver` subclass to use, see :func:`find`.
    :param timeout: seconds that a look-up may take; 0: no limit.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, made_by: type[Resolver], timeout: float
    ) -> None:
        self.loop = loop
        self.timeout = timeout
        self.resolver = made_by(loop)
        self.shared: dict[Hashable, _Shared] = {}

    async def getaddrinfo(
        self,
        host: bytes | str | None,
        port: bytes | str | int | None,
        family: int = 0,
        type: int = 0,
        proto: int = 0,
        flags: int = 0,
    ) -> list[Any]:
        """As ``loop.getaddrinfo``.

        :raises LookupTimeout: after ``resolver_timeout``; it is a
            ``socket.gaierror`` with ``EAI_AGAIN``.
        """
        args = (host, port, family, type, proto, flags)
        found = _without_lookup(*args)
        if found is not None:
            return found
        shared = self.shared.get(("addr", *args))
        if shared is None:
            future = self.resolver.getaddrinfo(*args)
            shared = self._share(("addr", *args), future)
        result: list[Any] = await self._join(shared)
        return result

    async def getnameinfo(self, sockaddr: Any, flags: int = 0) -> tuple[str, str]:
        """As ``loop.getnameinfo``, with the same deadline."""
        key = ("name", tuple(sockaddr), flags)
        shared = self.shared.get(key)
        if shared is None:
            shared = self._share(key, self.resolver.getnameinfo(sockaddr, flags))
        result: tuple[str, str] = await self._join(shared)
        return result

    def expire_later(self, shared: _Shared) -> asyncio.TimerHandle | None:
        """Arm the deadline of a look-up."""
        if not self.timeout:
            return None
        return self.loop.call_later(self.timeout, shared.expire)

    def close(self) -> None:
        """The loop is about to close."""
        self.resolver.close()

    def _share(self, key: Hashable, future: asyncio.Future[Any]) -> _Shared:
        shared = self.shared[key] = _Shared(self, key, future)
        return shared

    async def _join(self, shared: _Shared) -> Any:
        waiter = self.loop.create_future()
        shared.waiters.append(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            shared.give_up()
            raise


def installed() -> list[str]:
    """The names of the installed resolvers, without loading any of them."""
    return _plugins.installed(NAMESPACE)


def find(name: str) -> type[Resolver]:
    """The resolver class of this name.

    :raises ResolverNotFound: it is not installed, or its library is missing.
    """

    def missing() -> Exception:
        return exceptions.ResolverNotFound(name, installed())

    def broken(error: BaseException) -> Exception:
        return exceptions.ResolverNotFound(name, installed(), str(error))

    found: type[Resolver] = _plugins.load(NAMESPACE, name, missing, broken)
    return found


def _without_lookup(
    host: Any, port: Any, family: int, type: int, proto: int, flags: int
) -> list[Any] | None:
    """The answer, if it takes no look-up: an address, or no host at all.

    Such a question never queues behind names.  None: ask the resolver.
    """
    if isinstance(port, (str, bytes)) and not port.isdigit():
        return None  # the name of a service is looked up as well
    if isinstance(host, bytes):
        host = host.decode("latin-1")
    if host is not None and not (":" in host or host[-1:].isdigit()):
        return None
    try:
        return _unpatched.socket.getaddrinfo(
            host, port, family, type, proto, flags | socket.AI_NUMERICHOST
        )
    except socket.gaierror as error:
        if error.errno == socket.EAI_NONAME:
            return None  # a name that ends in a digit
        raise
