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


"""What a service runs beside its own methods: threads, tasks and timers.

>>> from oslo_asyncio import threadgroup
>>> group = threadgroup.ThreadGroup()
>>> thread = group.add_thread(sum, [1, 2, 3])
>>> thread.wait()
6
>>> group.stop()
"""

from collections.abc import Callable
import functools
import threading
from typing import Any
import warnings

from oslo_asyncio import _anywhere
from oslo_asyncio import _ending
from oslo_asyncio import _member
from oslo_asyncio import exceptions
from oslo_asyncio import loopingcall

Thread = _member.Thread
Thread.__module__ = __name__
stopping = _member.stopping
stopping.__module__ = __name__


class ThreadGroup:
    """Threads and timers that are stopped together.

    A sync callback runs in a thread of its own, native or green as the hub has
    it, an async one as a task of the loop.  ``threads`` and ``timers`` list
    what has not ended.

    :param thread_pool_size: how many threads may run at the same time.
    :param max_threads: the same, by its other name in oslo.service.
    """

    def __init__(
        self, thread_pool_size: int = 1000, max_threads: int | None = None
    ) -> None:
        size = thread_pool_size if max_threads is None else max_threads
        if size < 1:
            raise exceptions.InvalidGroupSize(size)
        self.thread_pool_size = size
        self.threads: list[_member.Thread] = []
        self.timers: list[loopingcall.LoopingCallBase] = []
        self._queued: list[_member.Thread] = []
        self._lock = threading.RLock()
        self._held: list[Callable[[], Any]] | None = None
        self._again: list[Callable[[], Any]] = []
        self._made = False

    @property
    def max_threads(self) -> int:
        """How many threads may run at the same time (deprecated name)."""
        warnings.warn(
            "ThreadGroup.max_threads is deprecated, use thread_pool_size",
            DeprecationWarning,
            stacklevel=2,
        )
        return self.thread_pool_size

    # -- threads --------------------------------------------------------------

    def add_thread(
        self, callback: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> _member.Thread:
        """Run ``callback(*args, **kwargs)``.

        In a full group it begins when another one ends; sync callers are
        blocked until then, which slows down who adds too many.

        :param callback: sync or async.  What it raises is logged, and raised
            by the thread's ``wait()``.
        :returns: the thread; sync code calls ``wait()`` on it, async code
            awaits it.
        """
        thread = _member.Thread(self, callback, args, kwargs)
        with self._lock:
            self.threads.append(thread)
            full = self._running() > self.thread_pool_size
            if full:
                self._queued.append(thread)
        if not full:
            again = functools.partial(self.add_thread, callback, *args, **kwargs)
            self._begin(thread.begin, again)
        elif not _anywhere.on_loop() and _member.current() not in self.threads:
            thread.begun.wait()
        return thread

    def thread_done(self, thread: _member.Thread) -> None:
        """A thread has ended; the group calls this itself."""
        with self._lock:
            if thread in self.threads:
                self.threads.remove(thread)
            if thread in self._queued:
                self._queued.remove(thread)
            free = self.thread_pool_size - self._running()
            fresh, self._queued = self._queued[:free], self._queued[max(free, 0) :]
        for each in fresh:
            each.begin()

    def _running(self) -> int:
        return len(self.threads) - len(self._queued)

    # -- timers ---------------------------------------------------------------

    def add_timer(
        self,
        interval: float,
        callback: Callable[..., Any],
        initial_delay: float | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> loopingcall.FixedIntervalLoopingCall:
        """Call ``callback`` at fixed intervals.

        Arguments for the callback are better given to :meth:`add_timer_args`,
        which does not mix them with its own.

        :param interval: seconds.
        :param callback: sync or async.
        :param initial_delay: seconds before the first call.
        :returns: the looping call, which has begun.
        """
        _discourage("add_timer", args, kwargs)
        return self.add_timer_args(interval, callback, args, kwargs, initial_delay)

    def add_timer_args(
        self,
        interval: float,
        callback: Callable[..., Any],
        args: Any = None,
        kwargs: Any = None,
        initial_delay: float | None = None,
        stop_on_exception: bool = True,
    ) -> loopingcall.FixedIntervalLoopingCall:
        """Call ``callback(*args, **kwargs)`` at fixed intervals.

        :param interval: seconds.
        :param callback: sync or async.
        :param args: positional arguments of the callback.
        :param kwargs: keyword arguments of the callback.
        :param initial_delay: seconds before the first call.
        :param stop_on_exception: whether an exception ends the timer.
        :returns: the looping call, which has begun.
        """
        timer = loopingcall.FixedIntervalLoopingCall(
            callback, *(args or ()), **(kwargs or {})
        )
        arguments = (interval, initial_delay, stop_on_exception)
        self._add(timer, functools.partial(timer.start, *arguments))
        return timer

    def add_dynamic_timer(
        self,
        callback: Callable[..., Any],
        initial_delay: float | None = None,
        periodic_interval_max: float | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> loopingcall.DynamicLoopingCall:
        """Call ``callback``, which returns the seconds until its next call.

        Arguments for the callback are better given to
        :meth:`add_dynamic_timer_args`.

        :param callback: sync or async.
        :param initial_delay: seconds before the first call.
        :param periodic_interval_max: the most seconds between two calls.
        :returns: the looping call, which has begun.
        """
        _discourage("add_dynamic_timer", args, kwargs)
        return self.add_dynamic_timer_args(
            callback, args, kwargs, initial_delay, periodic_interval_max
        )

    def add_dynamic_timer_args(
        self,
        callback: Callable[..., Any],
        args: Any = None,
        kwargs: Any = None,
        initial_delay: float | None = None,
        periodic_interval_max: float | None = None,
        stop_on_exception: bool = True,
    ) -> loopingcall.DynamicLoopingCall:
        """Call ``callback(*args, **kwargs)``; it returns the seconds to the next.

        :param callback: sync or async.
        :param args: positional arguments of the callback.
        :param kwargs: keyword arguments of the callback.
        :param initial_delay: seconds before the first call.
        :param periodic_interval_max: the most seconds between two calls.
        :param stop_on_exception: whether an exception ends the timer.
        :returns: the looping call, which has begun.
        """
        timer = loopingcall.DynamicLoopingCall(
            callback, *(args or ()), **(kwargs or {})
        )
        arguments = (initial_delay, periodic_interval_max, stop_on_exception)
        self._add(timer, functools.partial(timer.start, *arguments))
        return timer

    def timer_done(self, timer: loopingcall.LoopingCallBase) -> None:
        """Forget a timer, which goes on if nobody has stopped it.

        :param timer: what an ``add_`` method has returned.
        """
        with self._lock:
            if timer in self.timers:
                self.timers.remove(timer)

    def _add(
        self, timer: loopingcall.LoopingCallBase, start: Callable[[], Any]
    ) -> None:
        def begin() -> None:
            if timer in self.timers:  # nobody has stopped it meanwhile
                start()

        def again() -> None:
            self._add(timer, start)

        with self._lock:
            self.timers.append(timer)
        self._begin(begin, again)

    # -- the end --------------------------------------------------------------

    def stop_timers(self, wait: bool = False) -> Any:
        """Stop all timers, and forget them.

        :param wait: whether to wait for calls in progress; then, in async
            code, await what this returns.
        """
        with self._lock:
            timers, self.timers = self.timers, []
        for timer in timers:
            timer.stop()
        return _ending.join(_ending.outcomes(timers)) if wait else _anywhere.nothing()

    def stop(self, graceful: bool = False) -> Any:
        """Stop all timers and threads, except for the one that calls this.

        :param graceful: whether to wait for threads and calls in progress, in
            which :func:`stopping` is true; in async code, await what this
            returns.  Otherwise green threads and tasks are ended where they
            wait.  A native thread that has not ended by itself a second later
            is named in the log with its stack, and forgotten.
        """
        timers = self.timers[:]
        self.stop_timers()
        threads = self._others()
        goes_on = [each for each in threads if not _ending.stop(each, graceful)]
        if graceful:
            return _ending.join(_ending.outcomes(timers) + threads)
        self._forget_later(goes_on)
        return _anywhere.nothing()

    def _forget_later(self, threads: list[Any]) -> None:
        mine = [each for each in threads if isinstance(each, _member.Thread)]
        with self._lock:
            self.threads = [
                each for each in self.threads if each in mine or each not in threads
            ]
        if mine:
            _ending.Patience(self, mine).begin()

    def wait(self) -> Any:
        """Wait until all timers and threads have ended.

        What they raise has been logged, and is not raised here.  In async
        code, await what this returns.
        """
        return _ending.join(_ending.outcomes(self.timers[:]) + self._others())

    waitall = wait

    def cancel(
        self, *throw_args: Any, timeout: float | None = None, wait_time: float = 1
    ) -> Any:
        """Take back the threads that have not begun (deprecated).

        :param throw_args: accepted as oslo.service does, and not used.
        :param timeout: seconds for which to wait for those that have begun;
            then they are stopped.  In async code, await what this returns.
        :param wait_time: accepted as oslo.service does: nothing here polls.
        """
        for thread in self._others():
            if isinstance(thread, _member.Thread):
                thread.cancel()
        if timeout is None:
            return _anywhere.nothing()
        return _anywhere.call(self._cancel, timeout)

    async def _cancel(self, timeout: float) -> None:
        await _ending.all_of(self._others(), timeout)
        self.stop()

    def _others(self) -> list[Any]:
        own = (_member.current(), threading.current_thread())
        with self._lock:
            return [thread for thread in self.threads if thread not in own]

    # -- with the service -----------------------------------------------------

    def hold(self) -> None:
        """Let what is added from now on begin with :meth:`release`."""
        self._held = []

    def made(self) -> None:
        """The service that owns this group has been constructed.

        What was held so far stays held until :meth:`release`, or until somebody
        goes on without a launcher, as unit tests do, and adds something.
        """
        if not self._held:
            self._held = None
        self._made = True

    def release(self) -> None:
        """Begin what was held; at each further call, begin it once more.

        A service's group is released each time that the service starts.
        """
        if self._held is None:
            for again in self._again:
                again()
            return
        held, self._held = self._held, None
        for begin in held:
            begin()

    def _begin(self, begin: Callable[[], Any], again: Callable[[], Any]) -> None:
        if self._held is not None and not self._made:
            self._held.append(begin)
            self._again.append(again)
            return
        if self._held is not None:
            self.release()
        begin()


def _discourage(method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    if args or kwargs:
        warnings.warn(
            f"{method}() with arguments for the callback is deprecated, use "
            f"{method}_args()",
            DeprecationWarning,
            stacklevel=3,
        )
