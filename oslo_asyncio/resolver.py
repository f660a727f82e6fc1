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

    def _ask(self, asked: "_Asked", method: str, args: tuple[Any, ...]) -> Any:
        """Start a look-up for everybody who waits for ``asked``.

        :param method: ``getaddrinfo`` or ``getnameinfo``.
        :returns: what to cancel when nobody waits any more.
        """
        future: asyncio.Future[Any] = getattr(self, method)(*args)
        future.add_done_callback(asked.copy)
        return future

    def close(self) -> None:  # noqa: B027 (most have nothing to close)
        """The loop is about to close."""


class _Asked:
    """One look-up in flight and everybody who waits for it.

    To who answers it is a future, or as much of one as that needs.
    """

    __slots__ = ("_cancelled", "call", "expires", "key", "owner", "waiters")

    expires: float

    def __init__(self, owner: "Lookups", key: tuple[Any, ...]) -> None:
        self.owner = owner
        self.key = key
        self.waiters: list[asyncio.Future[Any]] = []
        self.call: Any = None
        self._cancelled = False

    def waiter(self) -> asyncio.Future[Any]:
        """A future that the answer reaches, and which nobody needs to look at."""
        waiter = self._waiter()
        waiter.add_done_callback(_look_at)
        return waiter

    async def join(self) -> Any:
        """Wait for the answer; with the last who waits the look-up is given up."""
        waiter = self._waiter()
        try:
            return await waiter
        except asyncio.CancelledError:
            self._leave()
            raise

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return self.owner.loop

    def done(self) -> bool:
        return self.owner.shared.get(self.key) is not self

    def cancelled(self) -> bool:
        return self._cancelled

    def set_result(self, result: Any) -> None:
        for waiter in self._forget():
            waiter.set_result(list(result) if isinstance(result, list) else result)

    def set_exception(self, error: BaseException) -> None:
        for waiter in self._forget():
            waiter.set_exception(error)

    def cancel(self) -> bool:
        if self.done():
            return False
        self._cancelled = True
        for waiter in self._forget():
            waiter.cancel()
        return True

    def copy(self, future: asyncio.Future[Any]) -> None:
        """Take the answer of ``future``, which is done."""
        if self.done():
            return
        if future.cancelled():
            self.cancel()
            return
        error = future.exception()
        if error is not None:
            self.set_exception(error)
        else:
            self.set_result(future.result())

    def expire(self) -> None:
        """The deadline has come."""
        error = exceptions.LookupTimeout(self.key[1], self.owner.timeout)
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_exception(error)
        self._leave()

    def _waiter(self) -> asyncio.Future[Any]:
        waiter = self.owner.loop.create_future()
        self.waiters.append(waiter)
        return waiter

    def _leave(self) -> None:
        if not self.done() and all(waiter.done() for waiter in self.waiters):
            self.call.cancel()
            self.cancel()  # now: a future that is cancelled tells only later

    def _forget(self) -> list[asyncio.Future[Any]]:
        """Let the next one ask anew.

        :returns: who still waits.
        """
        del self.owner.shared[self.key]
        self.call = None  # which knows this one
        return [waiter for waiter in self.waiters if not waiter.done()]


def _look_at(future: asyncio.Future[Any]) -> None:
    """Or asyncio reports an error that nobody has looked at."""
    if not future.cancelled():
        future.exception()


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
        #: those in flight, first that whose deadline comes first
        self.shared: dict[tuple[Any, ...], _Asked] = {}
        self._timer: asyncio.TimerHandle | None = None

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
        key = ("getaddrinfo", *args)
        result: list[Any] = await (self.shared.get(key) or self._ask(key)).join()
        return result

    async def getnameinfo(self, sockaddr: Any, flags: int = 0) -> tuple[str, str]:
        """As ``loop.getnameinfo``, with the same deadline."""
        key = ("getnameinfo", tuple(sockaddr), flags)
        result: tuple[str, str] = await (self.shared.get(key) or self._ask(key)).join()
        return result

    def close(self) -> None:
        """The loop is about to close."""
        if self._timer is not None:
            self._timer.cancel()
        self.resolver.close()

    def _ask(self, key: tuple[Any, ...]) -> _Asked:
        asked = self.shared[key] = _Asked(self, key)
        try:
            asked.call = self.resolver._ask(asked, key[0], key[1:])
        except BaseException:
            del self.shared[key]
            raise
        if self.timeout:
            asked.expires = self.loop.time() + self.timeout
            if self._timer is None:
                self._timer = self.loop.call_at(asked.expires, self._expire)
        return asked

    def _expire(self) -> None:
        """One timer serves all look-ups: they have their deadlines in their order."""
        self._timer = None
        now = self.loop.time()
        for asked in list(self.shared.values()):
            if asked.expires > now:
                self._timer = self.loop.call_at(asked.expires, self._expire)
                return
            asked.expire()


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
