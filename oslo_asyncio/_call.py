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
import contextvars
import dataclasses
import sys
import time
import types
from typing import Any
from typing import Protocol

from oslo_asyncio import _completions
from oslo_asyncio import _synctask

#: The call of a pool's thread on whose behalf this context runs, if any:
#: run_async sets it, so that a call that waits for its own pool is noticed.
caller: contextvars.ContextVar["Call | None"] = contextvars.ContextVar(
    "oslo_asyncio_pool_caller", default=None
)


class Owner(Protocol):
    """What a call knows of its pool."""

    name: str

    def abandon(self, call: "Call") -> None: ...
    def ident_of(self, call: "Call") -> int | None: ...


@dataclasses.dataclass(frozen=True, slots=True)
class Figures:
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
    """One call in a pool."""

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

    def cancel(self, msg: Any | None = None) -> bool:
        if not super().cancel(msg):
            return False
        self.completions.pending.discard(self)
        self.pool.abandon(self)
        return True

    def frame(self) -> types.FrameType | None:
        ident = self.pool.ident_of(self)
        return None if ident is None else sys._current_frames().get(ident)
