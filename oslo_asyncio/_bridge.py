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

"""From sync code to the loop and back: what ``hub.run_async`` stands on."""

import asyncio
from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Coroutine
import contextvars
import os
import threading
from typing import Any
from typing import Protocol

from oslo_asyncio import _call
from oslo_asyncio import _pool
from oslo_asyncio import _unpatched
from oslo_asyncio import exceptions


class LoopHome:
    """The loop that runs the services of this process, and where it runs.

    :ivar loop: the loop.
    :ivar thread: the identity of its native thread.
    :ivar greenlet: its green thread, in a process that eventlet has patched.
    """

    __slots__ = ("greenlet", "loop", "thread")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, thread: int, greenlet: object
    ) -> None:
        self.loop = loop
        self.thread = thread
        self.greenlet = greenlet

    def on_native_thread(self) -> bool:
        """Whether the caller is in the native thread that runs the loop."""
        return _unpatched.threading.get_ident() == self.thread

    def on_loop(self) -> bool:
        """Whether the caller is code that the loop itself runs."""
        return (
            self.on_native_thread() and _unpatched.current_greenlet() is self.greenlet
        )


class Bridge:
    """One coroutine that runs for a thread that waits."""

    def __init__(
        self, home: LoopHome, name: str, func: Callable[[], Awaitable[Any]]
    ) -> None:
        self.home = home
        self._name = name
        self._func = func
        self._result: Any = None
        self._error: BaseException | None = None
        # A green thread waits on a green lock, a native one on a native lock:
        # either would freeze, or never wake, the other.
        green = home.on_native_thread()
        self._lock: Any = (threading if green else _unpatched.threading).Lock()
        # whoever takes the ticket ends the wait: the loop, or its last breath
        self._ticket = [None]

    def wait(self) -> Any:
        context = contextvars.copy_context()
        context.run(_call.caller.set, _pool.current_call())
        self._lock.acquire()
        _waiting.add(self)
        try:
            self.home.loop.call_soon_threadsafe(self._start, context)
            if not runs(self.home):
                self.abort()  # it stopped while we were on the way
            self._lock.acquire()
        except RuntimeError:
            raise exceptions.LoopNotRunning("run_async") from None
        finally:
            _waiting.discard(self)
        if self._error is not None:
            try:
                raise self._error
            finally:
                self._error = None  # its traceback refers to this frame
        return self._result

    def abort(self) -> None:
        """Fail the wait: the loop has stopped and will run nothing any more."""
        self._end(None, exceptions.LoopStopped(self._name))

    def _start(self, context: contextvars.Context) -> None:
        try:
            coroutine = context.run(self._func)
        except BaseException as error:  # such as arguments that do not fit
            self._end(None, error)
            return
        if not isinstance(coroutine, Coroutine):
            self._end(None, exceptions.CoroutineExpected(self._name, coroutine))
            return
        task = self.home.loop.create_task(coroutine, name=self._name, context=context)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        if task.cancelled():
            self.abort()
        elif (error := task.exception()) is not None:
            self._end(None, error)
        else:
            self._end(task.result(), None)

    def _end(self, result: Any, error: BaseException | None) -> None:
        try:
            self._ticket.pop()
        except IndexError:
            return
        self._result, self._error = result, error
        self._lock.release()


class Dependent(Protocol):
    """What would wait for ever when its loop has stopped."""

    home: LoopHome

    def abort(self) -> None: ...


_home: LoopHome | None = None
_aside: LoopHome | None = None
_waiting: set[Dependent] = set()


def here(loop: asyncio.AbstractEventLoop) -> LoopHome:
    """``loop`` as it runs where the caller is."""
    return LoopHome(
        loop, _unpatched.threading.get_ident(), _unpatched.current_greenlet()
    )


def home() -> LoopHome | None:
    """The loop that runs the services of this process, if one runs now."""
    return _home


def enter(loop: asyncio.AbstractEventLoop) -> LoopHome | None:
    """Make ``loop`` the one that :func:`run_async` calls.

    For loops and launchers, in the thread that is about to run the loop.

    :returns: what to hand to :func:`leave`.  To enter the same loop again
        changes nothing: a worker runs its loop several times, and callers
        wait across the pauses.
    """
    global _home
    previous = _home
    if previous is None or previous.loop is not loop:
        _home = here(loop)
    return previous


def leave(previous: LoopHome | None) -> None:
    """The loop has stopped: fail those who still wait for it."""
    global _home
    gone, _home = _home, previous
    if gone is previous:
        return
    for dependent in list(_waiting):
        if dependent.home is gone:
            dependent.abort()


def depend(dependent: Dependent) -> None:
    """``abort()`` it when its loop stops."""
    _waiting.add(dependent)
    if not runs(dependent.home):
        dependent.abort()


def release(dependent: Dependent) -> None:
    """It depends on its loop no more."""
    _waiting.discard(dependent)


def runs(home: LoopHome) -> bool:
    """Whether the loop of ``home`` still takes calls."""
    return home is _home or home is _aside


def aside() -> LoopHome | None:
    """The loop that stands in while no service runs in this process."""
    return _aside


def settle(loop: asyncio.AbstractEventLoop) -> LoopHome:
    """``loop``, which is about to run here, is the one that stands in."""
    global _aside
    _aside = here(loop)
    return _aside


def is_aside(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether ``loop`` only stands in, and is no service's."""
    return _aside is not None and _aside.loop is loop


def _after_fork() -> None:
    global _aside
    _aside = None  # its thread is the parent's


os.register_at_fork(after_in_child=_after_fork)
