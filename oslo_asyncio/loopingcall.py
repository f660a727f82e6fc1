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


"""Functions that are called again and again: one loop body, four schedules.

The function may be ``def`` (it runs beside the loop) or ``async def`` (it runs
on the loop).  Between two calls a looping call is an entry in the loop's heap
of timers: no thread, native or green, sleeps for it.  The calls of an
``async def`` are steps of one task: a context variable that one of them sets, the
next one sees.

>>> from oslo_asyncio import loopingcall
>>> left = [3, 2, 1]
>>> def poll():
...     if not left:
...         raise loopingcall.LoopingCallDone("ready")
...     left.pop()
>>> loopingcall.FixedIntervalLoopingCall(poll).start(interval=0.01).wait()
'ready'
"""

from collections.abc import Callable
import functools
import inspect
import logging
import random
from typing import Any

from oslo_asyncio import _clock
from oslo_asyncio import _looping
from oslo_asyncio import _outcome
from oslo_asyncio import _synctask

LOG = logging.getLogger(__name__)

LoopingCallDone = _looping.LoopingCallDone
LoopingCallDone.__module__ = __name__
LoopingCallBase = _looping.LoopingCallBase
LoopingCallBase.__module__ = __name__
Outcome = _outcome.Outcome


class LoopingCallTimeOut(Exception):
    """A looping call went on for longer than its ``timeout``."""


class FixedIntervalLoopingCall(LoopingCallBase):
    """Calls a function at fixed intervals.

    The interval counts from the moment that the call was due, so that the
    schedule does not drift.  A call that takes longer than the interval is
    followed by the next one at once, and the schedule begins anew there.

    :param f: what to call: sync or async.
    :param args: its positional arguments.
    :param kw: its keyword arguments.
    """

    _KIND = "Fixed interval looping call"
    _RUN_ONLY_ONE_MESSAGE = (
        "A fixed interval looping call can only run one function at a time"
    )

    def start(
        self,
        interval: float,
        initial_delay: float | None = None,
        stop_on_exception: bool = True,
    ) -> _outcome.Outcome:
        """Begin.

        :param interval: seconds from one call to the next.
        :param initial_delay: seconds before the first call.
        :param stop_on_exception: whether an exception of the function ends the
            looping call; otherwise it is logged.
        :returns: sync code calls ``wait()`` on it, async code awaits it: the
            value of :class:`LoopingCallDone`, True after :meth:`stop`, or the
            exception of the function.
        :raises RuntimeError: it runs already.
        """
        self._interval = float(interval)
        return self._start(None, initial_delay, stop_on_exception)

    _outlasted = False

    def _idle_for(self, result: Any, elapsed: float, /) -> float:
        late = self._took - self._interval
        if late >= 0.01 and not self._outlasted:  # not again with each call
            LOG.warning(
                "Function %(name)r run outlasted interval by %(late)s sec",
                {"name": _synctask.name_of(self.f), "late": f"{late:.2f}"},
            )
        if self._outlasted is not (late > 0):
            self._outlasted = late > 0
        rest = self._interval - elapsed
        return rest if rest > 0.0 else 0.0


class FixedIntervalWithTimeoutLoopingCall(FixedIntervalLoopingCall):
    """As :class:`FixedIntervalLoopingCall`, and it ends by itself."""

    _KIND = "Fixed interval looping call with timeout checking."
    _RUN_ONLY_ONE_MESSAGE = (
        "A fixed interval looping call with timeout checking can only run one "
        "function at a time"
    )

    def start(
        self,
        interval: float,
        initial_delay: float | None = None,
        stop_on_exception: bool = True,
        timeout: float = 0,
    ) -> _outcome.Outcome:
        """Begin.

        :param interval: seconds from one call to the next.
        :param initial_delay: seconds before the first call.
        :param stop_on_exception: whether an exception of the function ends the
            looping call.
        :param timeout: seconds after which, at the end of a call, it ends with
            :class:`LoopingCallTimeOut`; 0: never.
        :returns: as for :class:`FixedIntervalLoopingCall`.
        :raises RuntimeError: it runs already.
        """
        self._interval = float(interval)
        begun = _clock.now()

        def idle(result: Any, elapsed: float) -> float:
            rest = FixedIntervalLoopingCall._idle_for(self, result, elapsed)
            taken = _clock.now() - begun
            if 0 < timeout < taken:
                raise _timed_out(taken)
            return rest

        return self._start(idle, initial_delay, stop_on_exception)


class DynamicLoopingCall(LoopingCallBase):
    """Calls a function that returns the seconds until it is called again.

    :param f: what to call: sync or async; returns seconds, or None for
        ``periodic_interval_max``.
    """

    _KIND = "Dynamic interval looping call"
    _RUN_ONLY_ONE_MESSAGE = (
        "A dynamic interval looping call can only run one function at a time"
    )
    _TASK_MISSING_SLEEP_VALUE_MESSAGE = (
        "A dynamic interval looping call should supply either an interval or "
        "periodic_interval_max"
    )

    def start(
        self,
        initial_delay: float | None = None,
        periodic_interval_max: float | None = None,
        stop_on_exception: bool = True,
    ) -> _outcome.Outcome:
        """Begin.

        :param initial_delay: seconds before the first call.
        :param periodic_interval_max: the most seconds from the end of one call
            to the next.
        :param stop_on_exception: whether an exception of the function ends the
            looping call; otherwise it is logged, and called again at once.
        :returns: as for :class:`FixedIntervalLoopingCall`.
        :raises RuntimeError: it runs already.
        """

        def idle(suggested: float | None, _elapsed: float) -> float:
            known = [s for s in (suggested, periodic_interval_max) if s is not None]
            if not known:
                raise RuntimeError(self._TASK_MISSING_SLEEP_VALUE_MESSAGE)
            return min(known)

        return self._start(idle, initial_delay, stop_on_exception)


class BackOffLoopingCall(LoopingCallBase):
    """Calls a function until it succeeds, at growing intervals while it fails.

    :param f: what to call: sync or async; returns whether it succeeded.
    """

    _RNG = random.SystemRandom()
    _KIND = "Dynamic backoff interval looping call"
    _RUN_ONLY_ONE_MESSAGE = (
        "A dynamic backoff interval looping call can only run one function at a time"
    )

    def start(
        self,
        initial_delay: float | None = None,
        starting_interval: float = 1,
        timeout: float = 300,
        max_interval: float = 300,
        jitter: float = 0.75,
        min_interval: float = 0.001,
    ) -> _outcome.Outcome:
        """Begin.

        :param initial_delay: seconds before the first call.
        :param starting_interval: seconds; the first interval, and the one after
            a success.
        :param timeout: seconds of waiting, in all since the last success, after
            which it ends with :class:`LoopingCallTimeOut`; 0: never.
        :param max_interval: the most seconds between two calls.
        :param jitter: each interval is multiplied by a number that is drawn
            around this one (normal distribution, sigma 0.1); the intervals grow
            by twice this number.
        :param min_interval: the least seconds between two calls that fail.
        :returns: as for :class:`FixedIntervalLoopingCall`.
        :raises RuntimeError: it runs already.
        """
        mean, failing = float(starting_interval), 0.0

        def idle(success: Any, _elapsed: float) -> float:
            nonlocal mean, failing
            drawn = abs(self._RNG.gauss(jitter, 0.1))
            if success:
                mean, failing = float(starting_interval), 0.0
                return mean * drawn
            rest = min(max(mean * 2 * drawn, min_interval), max_interval)
            mean = max(mean * 2 * jitter, min_interval)
            if 0 < timeout < failing + rest:
                raise _timed_out(failing + rest)
            failing += rest
            return rest

        return self._start(idle, initial_delay, True)


class RetryDecorator:
    """Calls a function again when it raises one of some exceptions.

    Each call of the decorated function counts for itself, whoever calls it at
    the same time.  A decorated ``async def`` function stays one.

    :param max_retry_count: how often it is called again; -1: without a limit.
    :param inc_sleep_time: seconds by which the pause grows with each time.
    :param max_sleep_time: the longest pause, in seconds.
    :param exceptions: those after which it is called again.

    >>> from oslo_asyncio import loopingcall
    >>> answers = [OSError("not yet"), OSError("not yet"), "ready"]
    >>> @loopingcall.RetryDecorator(5, inc_sleep_time=0.01, exceptions=(OSError,))
    ... def ask():
    ...     answer = answers.pop(0)
    ...     if isinstance(answer, Exception):
    ...         raise answer
    ...     return answer
    >>> ask()
    'ready'
    """

    def __init__(
        self,
        max_retry_count: int = -1,
        inc_sleep_time: float = 10,
        max_sleep_time: float = 60,
        exceptions: type[BaseException] | tuple[type[BaseException], ...] = (),
    ) -> None:
        self._max_retry_count = max_retry_count
        self._inc_sleep_time = inc_sleep_time
        self._max_sleep_time = max_sleep_time
        self._exceptions = exceptions

    def __call__(self, f: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(f)
        def retried(*args: Any, **kwargs: Any) -> Any:
            return self._begin(f, args, kwargs).wait()

        @functools.wraps(f)
        async def retried_async(*args: Any, **kwargs: Any) -> Any:
            return await self._begin(f, args, kwargs)

        return retried_async if inspect.iscoroutinefunction(f) else retried

    def _begin(
        self, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> _outcome.Outcome:
        retries = _Retries(self, _synctask.name_of(f))
        attempt = _attempt_async if inspect.iscoroutinefunction(f) else _attempt
        looping = DynamicLoopingCall(attempt(f, retries), *args, **kwargs)
        return looping.start(periodic_interval_max=self._max_sleep_time)

    def _allows(self, retries: int) -> bool:
        return self._max_retry_count == -1 or retries < self._max_retry_count


class _Retries:
    """What one call of a decorated function has come to."""

    def __init__(self, rule: RetryDecorator, name: str) -> None:
        self.exceptions = rule._exceptions
        self._rule = rule
        self._name = name
        self._count = 0
        self._pause = 0.0

    def pause(self) -> float:
        """Seconds until the next attempt; raises what was raised if none is left."""
        if not self._rule._allows(self._count):
            LOG.debug("%s failed after %d retries", self._name, self._count)
            raise
        self._count += 1
        self._pause += self._rule._inc_sleep_time
        LOG.debug("Retry %d of %s in %g s", self._count, self._name, self._pause)
        return self._pause


def _attempt(f: Callable[..., Any], retries: _Retries) -> Callable[..., float]:
    @functools.wraps(f)  # its name is in logs and stacks
    def attempt(*args: Any, **kwargs: Any) -> float:
        try:
            result = f(*args, **kwargs)
        except retries.exceptions:
            return retries.pause()
        raise LoopingCallDone(result)

    return attempt


def _attempt_async(f: Callable[..., Any], retries: _Retries) -> Callable[..., Any]:
    @functools.wraps(f)
    async def attempt(*args: Any, **kwargs: Any) -> float:
        try:
            result = await f(*args, **kwargs)
        except retries.exceptions:
            return retries.pause()
        raise LoopingCallDone(result)

    return attempt


def _timed_out(seconds: float) -> LoopingCallTimeOut:
    return LoopingCallTimeOut(f"Looping call timed out after {seconds:.02f} seconds")


