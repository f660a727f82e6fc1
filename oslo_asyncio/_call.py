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

"""One call in a pool, and what a pool says of its calls."""

import asyncio
from collections.abc import Callable
from collections.abc import Mapping
import contextvars
import sys
import time
import types
from typing import Any
from typing import Protocol

from oslo_asyncio import _completions
from oslo_asyncio import _record
from oslo_asyncio import _synctask

#: The call of a pool's thread on whose behalf this context runs, if any:
#: run_async sets it, so that a call that waits for its own pool is noticed.
caller: contextvars.ContextVar["Work | None"] = contextvars.ContextVar(
    "oslo_asyncio_pool_caller", default=None
)


class Named(Protocol):
    """Whose threads run calls."""

    name: str


class Owner(Named, Protocol):
    """What a call knows of its pool."""

    def abandon(self, call: "Call | Awaited") -> None: ...
    def ident_of(self, call: "Call | Awaited") -> int | None: ...


class Figures(_record.Record):
    """What a pool is doing at one moment.

    :ivar name: the pool.
    :ivar threads: native threads that exist, idle ones included.
    :ivar queued: calls that wait for a thread.
    :ivar running: calls that have a thread and a caller.
    :ivar abandoned: calls that still have a thread and no caller any more.
    :ivar oldest: seconds since the oldest of all these calls was submitted.
    """

    name: str
    threads: int
    queued: int
    running: int
    abandoned: int
    oldest: float


class Call(_synctask.SyncTask):
    """One call in a pool, as a future."""

    def __init__(
        self,
        pool: Owner,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        completions: _completions.Completions,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(loop=loop)
        self.pool = pool
        self.func = func
        self.args = args
        self.kwargs = kwargs
        self.context = contextvars.copy_context()
        self.completions = completions
        self.submitted = time.monotonic()

    @property
    def name(self) -> str:  # type: ignore[override]
        return _synctask.name_of(self.func)

    @property
    def future(self) -> asyncio.Future[Any]:
        return self

    def ended(self) -> asyncio.Future[Any]:
        return self

    def cancel(self, msg: Any | None = None) -> bool:
        if not super().cancel(msg):
            return False
        self.completions.pending.pop(self, None)
        self.pool.abandon(self)
        return True

    def frame(self) -> types.FrameType | None:
        return frame_of(self)


def frame_of(call: "Call | Awaited") -> types.FrameType | None:
    """The innermost frame of a call, or None if it does not run."""
    ident = call.pool.ident_of(call)
    return None if ident is None else sys._current_frames().get(ident)


class Awaited:
    """One call in a pool that a coroutine awaits and nobody else holds.

    A task waits in C for a future of asyncio's own class, and in Python for one of a
    class derived from it: with a hundred calls in flight this one is twice as quick.

    :ivar future: what takes the result, see :meth:`~oslo_asyncio._pool.Pool.answer`;
        who cancels it calls :meth:`gone` as well.
    """

    __slots__ = (
        "args",
        "completions",
        "context",
        "func",
        "future",
        "kwargs",
        "pool",
        "submitted",
    )

    def __init__(
        self,
        pool: Owner,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        completions: _completions.Completions,
        future: Any,
    ) -> None:
        self.future = future
        self.pool = pool
        self.func = func
        self.args = args
        self.kwargs = kwargs
        self.context = contextvars.copy_context()
        self.completions = completions
        self.submitted = time.monotonic()

    @property
    def name(self) -> str:
        return _synctask.name_of(self.func)

    def done(self) -> bool:
        done: bool = self.future.done()
        return done

    def cancelled(self) -> bool:
        cancelled: bool = self.future.cancelled()
        return cancelled

    def ended(self) -> asyncio.Future[Any]:
        """What is done when this call is; for those who wait for the pool."""
        if isinstance(self.future, asyncio.Future):
            return self.future
        waiter: asyncio.Future[Any] = self.future.waiter()
        return waiter

    def cancel(self) -> None:
        if self.future.cancel():
            self.gone()

    def gone(self) -> None:
        """Nobody waits any more."""
        self.completions.pending.pop(self.future, None)
        self.pool.abandon(self)

    def get_loop(self) -> asyncio.AbstractEventLoop:
        loop: asyncio.AbstractEventLoop = self.future.get_loop()
        return loop

    def frame(self) -> types.FrameType | None:
        return frame_of(self)

    def stack(self) -> str:
        return _synctask.stack_of(self.frame())


class _Nowhere:
    """What takes the result of an errand."""

    def post(self, future: object, result: object, error: object) -> None: ...


class Errand:
    """A call that no loop waits for, and which nobody can cancel.

    :param pool: whose thread will run it.
    :param about: the function that it is about, for its name.
    :param func: called without arguments; it returns nothing and raises nothing.
    """

    __slots__ = ("about", "context", "func", "pool", "submitted")

    future = None
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = types.MappingProxyType({})
    completions = _Nowhere()

    def __init__(
        self, pool: Named, about: Callable[..., Any], func: Callable[[], None]
    ) -> None:
        self.pool = pool
        self.about = about
        self.func = func
        self.context = contextvars.copy_context()
        self.submitted = time.monotonic()

    @property
    def name(self) -> str:
        return _synctask.name_of(self.about)

    def done(self) -> bool:
        return False

    def cancelled(self) -> bool:
        return False


Work = Call | Awaited | Errand
