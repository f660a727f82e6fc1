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

"""A pool of native threads: elastic, measured, and never in the way of exit."""

import asyncio
import collections
from collections.abc import Callable
import logging
import os
import time
from typing import Any
from typing import TypeVar
import weakref

from oslo_asyncio import _call
from oslo_asyncio import _completions
from oslo_asyncio import _unpatched

LOG = logging.getLogger(__name__)

T = TypeVar("T")

# Threads whose caller has gone are replaced, or 64 look-ups of a dead name
# server would end all others; but not without a limit, or a service that
# retries for an hour would own ten thousand threads.
_MOST_REPLACED = 256

_pools: "weakref.WeakSet[Pool]" = weakref.WeakSet()


class Pool:
    """Native threads that run blocking calls for the loops of this process.

    Threads start when a call finds none idle, up to ``max_threads``, and leave
    after ``idle_timeout`` without work.  They are daemon threads: whatever
    they hang in, they cannot keep the process from ending.  A call whose
    caller has gone (cancelled, or timed out) keeps its thread, for nobody can
    take it back; another thread is started in its place, it is counted as
    abandoned, and it is named in the log at shutdown.

    :param name: for thread names, logs and options.
    :param max_threads: how many calls run at the same time; None: any number.
    :param idle_timeout: seconds.

    No thread of a pool blocks signals, although that would send every signal
    to the main thread: programs started from the pool inherit the mask, and
    would ignore SIGTERM.
    """

    def __init__(
        self, name: str, max_threads: int | None, idle_timeout: float = 10.0
    ) -> None:
        self.name = name
        self.max_threads = max_threads
        self.idle_timeout = idle_timeout
        self._reset()
        _pools.add(self)

    def _reset(self) -> None:
        self._queue: collections.deque[_call.Work] = collections.deque()
        self._idle: list[Any] = []  # one lock per idle thread, last in first out
        self._running: dict[int, _call.Work] = {}
        self._abandoned: set[_call.Call | _call.Awaited] = set()
        self._waking = False
        self._size = 0
        self._started = 0
        self._reported: set[tuple[str, str]] = set()
        self._lock = _unpatched.threading.Lock()

    def submit(
        self,
        loop: asyncio.AbstractEventLoop,
        func: Callable[..., Any],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> _call.Call:
        """Queue a call; on the loop's own thread only.

        The caller's context variables are copied (the standard library's
        run_in_executor does not, and request ids are lost in its threads).

        :raises RuntimeError: the loop's executors have been shut down.
        """
        completions = _open_completions(loop)
        call = _call.Call(self, func, args, kwargs or {}, completions, loop)
        self._queue_for(completions, call)
        return call

    async def run(
        self,
        func: Callable[..., T],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> T:
        """Queue a call, and await its result.

        :raises RuntimeError: the loop's executors have been shut down.
        """
        loop = asyncio.get_running_loop()
        completions = _open_completions(loop)
        future = loop.create_future()
        call = _call.Awaited(self, func, args, kwargs or {}, completions, future)
        self._queue_for(completions, call)
        try:
            result: T = await future
        finally:
            if future.cancelled():
                call.gone()
        return result

    def answer(
        self, future: Any, func: Callable[..., Any], args: tuple[Any, ...]
    ) -> _call.Awaited:
        """Queue a call whose result goes to ``future``; on the loop's own thread.

        :param future: of asyncio's class, or as much of one as a call needs, and then
            with a method ``waiter`` that makes one.
        :raises RuntimeError: the loop's executors have been shut down.
        """
        completions = _open_completions(future.get_loop())
        call = _call.Awaited(self, func, args, {}, completions, future)
        self._queue_for(completions, call)
        return call

    def _queue_for(
        self, completions: _completions.Completions, call: _call.Call | _call.Awaited
    ) -> None:
        completions.pending[call.future] = call
        try:
            if not self.put(call):
                self._report_nested(call)
        except RuntimeError:
            del completions.pending[call.future]
            raise

    def put(self, work: _call.Work) -> bool:
        """Queue what no loop waits for; from any thread.

        :returns: False: all threads are busy, and it waits for one.
        :raises RuntimeError: there is no thread, and the system starts none.
        """
        self._queue.append(work)
        try:
            return self._waking or self._wake()
        except RuntimeError:
            self._queue.remove(work)
            raise

    def dismiss(self) -> None:
        """Let each thread leave when it has nothing to do.

        The pool can still be used; its threads rest no more between two calls.
        """
        self.idle_timeout = 0.0
        while self._idle:
            try:
                self._idle.pop().release()
            except IndexError:
                return  # the last one has just left

    def figures(self) -> _call.Figures:
        """What the pool is doing now.  Costs a walk over its calls."""
        running, queued = list(self._running.values()), list(self._queue)
        waiting = [call for call in queued if not call.done()]
        born = min((call.submitted for call in running + waiting), default=None)
        return _call.Figures(
            name=self.name,
            threads=self._size,
            queued=len(waiting),
            running=sum(not call.cancelled() for call in running),
            abandoned=len(self._abandoned),
            oldest=0.0 if born is None else time.monotonic() - born,
        )

    def abandoned(self) -> list[_call.Call | _call.Awaited]:
        """The calls that run on although nobody waits for them."""
        with self._lock:
            return list(self._abandoned)

    def abandon(self, call: _call.Call | _call.Awaited) -> None:
        """Nobody waits for ``call`` any more; another thread takes its place."""
        with self._lock:
            if call not in list(self._running.values()):
                return
            self._abandoned.add(call)
        if self._queue:
            self._wake()

    def ident_of(self, call: _call.Call | _call.Awaited) -> int | None:
        """The native thread that runs ``call``, if one does."""
        for ident, running in list(self._running.items()):
            if running is call:
                return ident
        return None

    def _wake(self) -> bool:
        """Get one more thread to work; False when all are busy.

        One at a time: the thread that comes to work wakes the next if there is
        still something queued.  So a burst of short calls is worked off by a
        thread or two, and not by 64 that fight for the interpreter, and the
        loop starts no more than one thread by itself.
        """
        if not self._idle:
            return not self._full() and self._grow()
        try:
            lock = self._idle.pop()
        except IndexError:
            return self._grow()  # another thread was faster
        self._waking = True
        lock.release()
        return True

    def _full(self) -> bool:
        if self.max_threads is None:
            return False
        replaced = min(len(self._abandoned), _MOST_REPLACED)
        return self._size >= self.max_threads + replaced

    def _grow(self) -> bool:
        with self._lock:
            if self._full():
                return False
            self._size += 1
            self._started += 1
            name = f"{self.name}-{self._started}"
        self._waking = True
        thread = _unpatched.threading.Thread(target=self._work, name=name, daemon=True)
        try:
            thread.start()
        except RuntimeError:
            # the system has no thread left; those that exist take the call
            self._waking = False
            with self._lock:
                self._size -= 1
                if not self._size:
                    raise
        return True

    def _report_nested(self, call: _call.Call | _call.Awaited) -> None:
        outer = _call.caller.get()
        if outer is None or outer.pool is not self:
            return
        names = (outer.name, call.name)
        if names not in self._reported:
            self._reported.add(names)
            LOG.warning(
                "pool %(pool)r is full, and %(outer)s, which runs in it, waits for "
                "%(inner)s in the same pool: this can deadlock; give one of them a "
                "pool of its own (oslo_asyncio.executor.add_pool)",
                {"pool": self.name, "outer": names[0], "inner": names[1]},
            )

    # From here on: in the pool's threads.  Nothing is logged there, for the
    # locks of logging are green in a process that eventlet has patched.

    def _work(self) -> None:
        lock = _unpatched.threading.Lock()
        lock.acquire()
        ident = _unpatched.threading.get_ident()
        queue, running = self._queue, self._running
        take: Callable[[], Any] = queue.popleft  # either kind: nobody asks which
        call: Any
        completions: Any
        error: BaseException | None
        # First say that nobody is on the way, then look: whoever has queued a
        # call before has counted on this thread.
        self._waking = coming = False
        while True:
            try:
                call = take()
            except IndexError:
                if not self._rest(lock, coming):
                    return
                self._waking = coming = False
                continue
            if coming:
                self._waking = coming = False
            if queue and not self._waking:
                self._wake()
            future, completions = call.future, call.completions
            result = error = None
            running[ident] = call
            if not call.cancelled():
                try:
                    result = call.context.run(call.func, *call.args, **call.kwargs)
                except BaseException as raised:
                    error = raised
            del running[ident]
            leaves = call.cancelled() and self._surplus(call)
            call = None  # or an idle thread would keep it and its result alive
            if not leaves and not self._waking:
                # Who gets the result may ask for the next call before this thread
                # rests: it will look, so nobody needs to wake another one for it.
                self._waking = coming = True
            completions.post(future, result, error)
            future = completions = result = error = None
            if leaves:
                return

    def _rest(self, lock: Any, coming: bool) -> bool:
        """Wait for work; False when there was none and the thread leaves."""
        idle = self._idle
        idle.append(lock)
        if coming:
            self._waking = False
        if self._queue:
            try:
                idle.remove(lock)
                return True
            except ValueError:
                pass  # a submit has popped it: the release is ours
        if lock.acquire(timeout=self.idle_timeout):
            return True
        try:
            idle.remove(lock)
        except ValueError:
            lock.acquire()
            return True
        self._leave()
        return False

    def _surplus(self, call: _call.Work) -> bool:
        """After an abandoned call: is its thread one too many by now?"""
        with self._lock:
            self._abandoned.discard(call)
            if self.max_threads is None:
                return False
            if self._size <= self.max_threads + len(self._abandoned):
                return False
            self._size -= 1
        return True

    def _leave(self) -> None:
        with self._lock:
            self._size -= 1
        # A submit may have counted on this thread: first leave, then look.
        if self._queue:
            self._wake()


def _open_completions(loop: asyncio.AbstractEventLoop) -> _completions.Completions:
    completions = _completions.of(loop)
    if completions.closed:
        raise RuntimeError("Executor shutdown has been called")
    return completions


def current_call() -> _call.Work | None:
    """The call that the current native thread runs for a pool, if any."""
    ident = _unpatched.threading.get_ident()
    for pool in list(_pools):
        call = pool._running.get(ident)
        if call is not None:
            return call
    return None


def _after_fork() -> None:
    # the threads are the parent's, and so are the callers
    for pool in list(_pools):
        pool._reset()


os.register_at_fork(after_in_child=_after_fork)
