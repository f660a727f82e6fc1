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


"""What something came to, for sync code that waits and async code that awaits."""

import asyncio
from collections.abc import Callable
from collections.abc import Generator
import threading
import types
from typing import Any

from oslo_asyncio import _anywhere
from oslo_asyncio import _unpatched
from oslo_asyncio import exceptions


class Outcome:
    """A result that is there or will be.

    Sync code calls :meth:`wait`, async code writes ``await``; both get the
    result, or the exception is raised.  Any number of them, from any native
    thread, green thread and loop.

    :param name: what is waited for, as errors should call it.
    """

    __slots__ = (
        "__weakref__",
        "_callbacks",
        "_error",
        "_mutex",
        "_result",
        "_trace",
        "name",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self._mutex = _unpatched.threading.Lock()
        self._callbacks: list[Callable[[], Any]] | None = []
        self._result: Any = None
        self._error: BaseException | None = None
        self._trace: types.TracebackType | None = None

    def done(self) -> bool:
        """Whether there is a result or an exception."""
        return self._callbacks is None

    def wait(self, timeout: float | None = None) -> Any:
        """Wait for the result; in sync code only.

        :param timeout: seconds; None: no limit.
        :raises WaitOnLoop: async code called it: write ``await`` there.
        :raises WaitTimeout: the time is over.
        """
        if not self.done():
            if _anywhere.on_loop():
                raise exceptions.WaitOnLoop(self.name)
            sleeper = _Sleeper()
            self.call_when_done(sleeper.wake)
            if not sleeper.sleep(timeout):
                self._forget(sleeper.wake)
                if not self.done():
                    raise exceptions.WaitTimeout(self.name, timeout)
        return self._get()

    def __await__(self) -> Generator[Any, None, Any]:
        if not self.done():
            future = asyncio.get_running_loop().create_future()
            waiting = _Awaiting(future)
            self.call_when_done(waiting.wake)
            try:
                yield from future
            finally:
                self._forget(waiting.wake)
        return self._get()

    def resolve(self, result: Any, error: BaseException | None = None) -> bool:
        """Say what it came to.  From any thread; the first word counts.

        :returns: whether this was the first.
        """
        with self._mutex:
            callbacks, self._callbacks = self._callbacks, None
            if callbacks is None:
                return False
            self._result, self._error = result, error
            self._trace = None if error is None else error.__traceback__
        for callback in callbacks:
            callback()
        return True

    def call_when_done(self, callback: Callable[[], Any]) -> None:
        """Call ``callback()`` in the thread that resolves this, or now."""
        with self._mutex:
            if self._callbacks is not None:
                self._callbacks.append(callback)
                return
        callback()

    def _forget(self, callback: Callable[[], Any]) -> None:
        with self._mutex:
            if self._callbacks is not None and callback in self._callbacks:
                self._callbacks.remove(callback)

    def _get(self) -> Any:
        if self._error is not None:
            # each who waits adds its frames: not to those of the others
            raise self._error.with_traceback(self._trace)
        return self._result


class _Sleeper:
    """A native or green thread that waits."""

    def __init__(self) -> None:
        self._home = _anywhere.home() if _unpatched.patched() else None
        # a green thread waits on a green lock, a native one on a native lock
        self._green = self._home is not None and self._home.on_native_thread()
        self._lock: Any = (threading if self._green else _unpatched.threading).Lock()
        self._lock.acquire()

    def sleep(self, timeout: float | None) -> bool:
        return bool(self._lock.acquire(timeout=-1 if timeout is None else timeout))

    def wake(self) -> None:
        if self._green and not self._home.on_native_thread():  # type: ignore[union-attr]
            # a green lock must be released where its waiter is
            self._home.loop.call_soon_threadsafe(self._lock.release)  # type: ignore[union-attr]
        else:
            self._lock.release()


class _Awaiting:
    """A coroutine that waits."""

    def __init__(self, future: asyncio.Future[None]) -> None:
        self._future = future
        self._loop = future.get_loop()

    def wake(self) -> None:
        if asyncio._get_running_loop() is self._loop:
            self._end()
            return
        try:
            self._loop.call_soon_threadsafe(self._end)
        except RuntimeError:
            pass  # the loop is closed, and nobody waits

    def _end(self) -> None:
        if not self._future.done():
            self._future.set_result(None)
