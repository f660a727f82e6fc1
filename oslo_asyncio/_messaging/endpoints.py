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

"""The endpoint of a call, and whether it is async, without calling it."""

from collections.abc import Callable
from collections.abc import Iterable
import copy
import dataclasses
import functools
import importlib
import inspect
from typing import Any
from typing import ParamSpec
from typing import TypeVar

from oslo_asyncio import exceptions

P = ParamSpec("P")
T = TypeVar("T")

#: the function that oslo.messaging's own decorator makes
_STOCK = "expected_exceptions.<locals>.outer.<locals>.inner"


@dataclasses.dataclass(frozen=True, slots=True)
class Endpoint:
    """What a message asks for.

    :ivar func: the bound method.
    :ivar ctxt: the request context as it was sent.
    :ivar args: the arguments as they were sent.
    """

    func: Callable[..., Any]
    ctxt: Any
    args: dict[str, Any]

    def is_async(self) -> bool:
        return is_async(self.func)


class Finder:
    """Finds endpoints by the rules of an ``oslo_messaging.RPCDispatcher``.

    Namespaces, versions and the access policy are its business: it dispatches
    as always, and here that leads to an answer and not to a call.

    :param dispatcher: which is not changed.
    """

    def __init__(self, dispatcher: Any) -> None:
        self._dispatcher = copy.copy(dispatcher)
        self._dispatcher._do_dispatch = _found

    def find(self, message: Any) -> Endpoint:
        """The endpoint for ``message``.

        :raises NoSuchMethod: (oslo.messaging)
        :raises UnsupportedVersion: (oslo.messaging)
        """
        found: Endpoint = self._dispatcher.dispatch(_Unmonitored(message))
        return found


class _Unmonitored:
    """A message for whose call no watchdog is started."""

    client_timeout = None

    def __init__(self, message: Any) -> None:
        self.ctxt = message.ctxt
        self.message = message.message


def _found(endpoint: Any, method: str, ctxt: Any, args: dict[str, Any]) -> Endpoint:
    return Endpoint(getattr(endpoint, method), ctxt, args)


def is_async(func: Any) -> bool:
    """Whether calling ``func`` gives a coroutine."""
    return inspect.iscoroutinefunction(func) or inspect.iscoroutinefunction(
        getattr(func, "__call__", None)  # noqa: B004 (an object with async __call__)
    )


def expected_exceptions(
    *expected: type[BaseException],
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Declare what an endpoint's method raises in its ordinary work.

    What is declared reaches the caller with its type, and the server does not
    log it as an error.  In place of ``oslo_messaging.expected_exceptions``,
    which knows sync methods only; here the method may be async or sync.

    :param expected: classes of exceptions.

    >>> from oslo_asyncio import messaging
    >>> class Compute:
    ...     @messaging.expected_exceptions(KeyError)
    ...     async def boot(self, ctxt, name):
    ...         return {"vm": 1}[name]
    """

    def outer(func: Callable[P, T]) -> Callable[P, T]:
        if not is_async(func):

            @functools.wraps(func)
            def inner(*args: P.args, **kwargs: P.kwargs) -> T:
                try:
                    return func(*args, **kwargs)
                except expected:
                    raise _expected() from None

            return inner

        @functools.wraps(func)
        async def async_inner(*args: P.args, **kwargs: P.kwargs) -> Any:
            try:
                return await func(*args, **kwargs)  # type: ignore[misc]
            except expected:
                raise _expected() from None

        return async_inner  # type: ignore[return-value]

    return outer


def _expected() -> Exception:
    # it takes the exception that is being handled when it is made
    found: Exception = importlib.import_module("oslo_messaging").ExpectedException()
    return found


def check(endpoints: Iterable[Any]) -> None:
    """Refuse endpoints whose expected exceptions would not be expected.

    :raises ExpectedExceptionsOfSync: an async method has the decorator of
        oslo.messaging, which returns before the method has begun.
    """
    for endpoint in endpoints:
        for name, member in inspect.getmembers_static(type(endpoint)):
            if getattr(member, "__qualname__", None) != _STOCK:
                continue
            inner = inspect.getclosurevars(member).nonlocals.get("func")
            if is_async(inner):
                raise exceptions.ExpectedExceptionsOfSync(
                    f"{type(endpoint).__qualname__}.{name}"
                )
