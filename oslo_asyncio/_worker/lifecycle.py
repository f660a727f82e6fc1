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

"""One service inside a worker: its four methods, sync or async, in order."""

import asyncio
import enum
import inspect
import logging
import os
import traceback
import types
from typing import Any
from typing import Protocol

from oslo_asyncio import _forked
from oslo_asyncio import hub as hub_module

LOG = logging.getLogger(__name__)

#: Seconds for a start() that was given up, after stop() has returned.
_LAST = 1.0


class Startable(Protocol):
    """What a worker calls of a service; each may be ``def`` or ``async def``."""

    def _oslo_asyncio_enter(self) -> None: ...
    def _oslo_asyncio_blocks(self, method: str) -> bool: ...
    def start(self) -> Any: ...
    def stop(self) -> Any: ...
    def wait(self) -> Any: ...
    def reset(self) -> Any: ...


class State(enum.Enum):
    """Where a service is in its life."""

    NEW = "new"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"


class ServiceExit(Exception):
    """A service has called ``sys.exit``.

    A task that raises SystemExit raises it through the loop as well, and the
    same exit would be met twice.
    """

    def __init__(self, error: SystemExit) -> None:
        super().__init__(error)
        self.error = error


class Step:
    """One call of one method, which may still be running.

    This is the only place that asks whether a method is sync or async.
    """

    def __init__(self, hub: hub_module.Hub, service: Startable, method: str) -> None:
        self.name = f"{type(service).__qualname__}.{method}()"
        self._hub = hub
        self._pid = os.getpid()
        self._method = getattr(service, method)
        self._blocks = service._oslo_asyncio_blocks(method)
        self._sync: hub_module.SyncTask | None = None
        self.task = asyncio.get_running_loop().create_task(self._run(), name=self.name)

    async def _run(self) -> None:
        try:
            await self._call()
        except SystemExit as error:
            if _forked.is_copy_of(self._pid):
                _forked.leave(error)
            raise ServiceExit(error) from None

    async def _call(self) -> None:
        if inspect.iscoroutinefunction(self._method):
            await self._method()
            return
        if not self._blocks:
            result = self._method()
            if inspect.isawaitable(result):
                await result
            return
        # Sync code cannot be cancelled, and it must not overlap with the step
        # that comes next: a cancellation waits for its end.
        self._sync = sync = self._hub.spawn_sync(self._method)
        cancelled = False
        while not sync.done():
            try:
                await asyncio.wait([sync])
            except asyncio.CancelledError:
                cancelled = True
        result = sync.result()
        if inspect.isawaitable(result):  # a def that hands on a coroutine
            result = await result
        if cancelled:
            raise asyncio.CancelledError

    async def end(self) -> None:
        """Give the call a last second, end it if that is possible, and forget it."""
        await asyncio.wait([self.task], timeout=_LAST)
        if self.task.done():
            return
        LOG.warning(
            "%(step)s has not returned although stop() has, and is left behind; it is "
            "at\n%(stack)s",
            {"step": self.name, "stack": self.stack().rstrip()},
        )
        if self._sync is not None:
            self._sync.kill()

    def stack(self) -> str:
        """Where the call is now, one line per frame as in a traceback."""
        if self._sync is not None and not self._sync.done():
            return self._sync.stack()
        return coroutine_stack(self.task.get_coro())


class Lifecycle:
    """Start, stop, reset and wait of one service; no two of them overlap.

    Except for wait(), which begins right after start() and runs beside the
    others: some services do their work in it, others return at once.
    """

    def __init__(self, hub: hub_module.Hub, service: Startable) -> None:
        self.name = type(service).__qualname__
        self.state = State.NEW
        self.waiting: Step | None = None
        self._step: Step | None = None
        self._endless: Step | None = None
        self._hub = hub
        self._service = service
        self._turn = asyncio.Lock()

    async def start(self) -> None:
        """start(), and then wait() beside the loop."""
        async with self._turn:
            self.state = State.STARTING
            try:
                self._service._oslo_asyncio_enter()
                await self._call("start")
            except Exception:
                self.state = State.STOPPED  # it failed by itself, not by us
                raise
            self.state = State.RUNNING
            self.waiting = Step(self._hub, self._service, "wait")

    async def stop(self) -> None:
        """stop(), if it was started, even if its start was cut short."""
        if self._endless is not None:
            await self._stop()
            await self._endless.end()
            return
        async with self._turn:
            await self._stop()

    async def _stop(self) -> None:
        if self.state in (State.NEW, State.STOPPED):
            return
        self.state = State.STOPPING
        try:
            await self._call("stop")
        finally:
            self.state = State.STOPPED

    def give_up_start(self) -> None:
        """Let stop() be called beside a start() that does not return.

        Some do all of their work in it, and only stop() ends it.
        """
        if self.state == State.STARTING:
            self._endless = self._step

    async def reset(self) -> None:
        """reset(): the configuration has changed."""
        async with self._turn:
            await self._call("reset")

    async def joined(self) -> None:
        """Return when wait() has, whatever came of it."""
        if self.waiting is not None:
            await asyncio.wait([self.waiting.task])

    def unfinished(self) -> list[Step]:
        """The calls that have not returned yet."""
        steps = (self._step, self.waiting)
        return [step for step in steps if step is not None and not step.task.done()]

    async def _call(self, method: str) -> None:
        step = self._step = Step(self._hub, self._service, method)
        try:
            await step.task
        except asyncio.CancelledError:
            # sync code goes on until it returns, and the turn is held till then
            if not step.task.done():
                step.task.cancel()
                await asyncio.wait([step.task])
            raise


def coroutine_stack(coroutine: Any) -> str:
    """The whole chain of awaits of a coroutine, innermost last.

    ``Task.get_stack`` knows the outermost frame of a waiting task only.
    """
    frames: list[tuple[types.FrameType, int]] = []
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None)
        if frame is None:
            break
        frames.append((frame, frame.f_lineno))
        coroutine = coroutine.cr_await
    summary = traceback.StackSummary.extract(iter(frames))
    return "".join(summary.format()) or "  (not running)\n"
