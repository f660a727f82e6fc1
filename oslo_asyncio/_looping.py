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


"""The loop body of all looping calls."""

import asyncio
from collections.abc import Awaitable
from collections.abc import Callable
import contextvars
import inspect
import logging
import sys
from typing import Any
from typing import Protocol

from oslo_asyncio import _anywhere
from oslo_asyncio import _bridge
from oslo_asyncio import _clock
from oslo_asyncio import _outcome
from oslo_asyncio import _park
from oslo_asyncio import _synctask
from oslo_asyncio import exceptions
from oslo_asyncio import hub as hub_module

LOG = logging.getLogger(__name__)

#: From the last result and the seconds it took to the seconds until the next.
IdleFor = Callable[[Any, float], float]


class Stoppable(Protocol):
    """A looping call or a thread, as the code inside sees it."""

    def stopping(self) -> bool: ...


#: on whose behalf this code runs, if on anybody's
current: contextvars.ContextVar[Stoppable | None] = contextvars.ContextVar(
    "oslo_asyncio_current", default=None
)


class LoopingCallDone(Exception):
    """Raised by the function of a looping call to end it.

    :param retvalue: what those who wait for the looping call get.
    """

    def __init__(self, retvalue: Any = True) -> None:
        super().__init__(retvalue)
        self.retvalue = retvalue


class LoopingCallBase:
    """Calls a function again and again; subclasses say when.

    :param f: what to call: sync (it runs beside the loop) or async (on it).
    :param args: its positional arguments.
    :param kw: its keyword arguments.
    :ivar done: what :meth:`start` returned last.

    Between two calls it is a timer of the loop and nothing else.  The calls of an
    async function are steps of one task, as those of a thread's loop would be.
    Everything with an underscore happens on the loop, except for ``_start``.
    """

    _KIND = "Unknown looping call"
    _RUN_ONLY_ONE_MESSAGE = "A looping call can only run one function at a time"

    def __init__(
        self, f: Callable[..., Any] | None = None, *args: Any, **kw: Any
    ) -> None:
        self.f = f
        self.args = args
        self.kw = kw
        self.done: _outcome.Outcome | None = None
        self._running = True
        self._stop_on_exception = True
        self._async = False
        # All are set here: the instances of a class share one table of names, which
        # CPython does not extend once it has made a few of them.
        self._due = self._wake_at = self._begun = self._took = 0.0
        self._timer: _clock.Timer | None = None
        self._park: _park.Park | None = None
        self._context: Any = None
        self.home: Any = None
        self._hub: Any = None

    def stop(self) -> None:
        """End it: at once if it is idle, else when the current call has ended.

        From any thread, any number of times.  A call in progress goes on.
        """
        if not self._running:
            return
        self._running = False
        if self.done is not None and not self.done.done():
            try:
                _anywhere.post(self.home, self._interrupt)
            except RuntimeError:
                self.abort()  # its loop is closed

    def wait(self) -> Any:
        """Wait until it has ended; in sync code.

        :returns: the value of :class:`LoopingCallDone`, or True after stop().
        :raises LoopingCallNotStarted: nobody has called start().
        :raises WaitOnLoop: async code called it: await what start() returned.
        """
        if self.done is None:
            raise exceptions.LoopingCallNotStarted(_synctask.name_of(self.f))
        return self.done.wait()

    def stopping(self) -> bool:
        """Whether somebody has called stop()."""
        return not self._running

    def abort(self) -> None:
        """Its loop has stopped, and nothing will be called any more."""
        _bridge.release(self)
        if self.done is not None:
            self._running = False
            name = _synctask.name_of(self.f)
            self.done.resolve(None, exceptions.LoopStopped(name))

    def _idle_for(self, result: Any, seconds: float, /) -> float:
        """Seconds until the next call, after one that took so many seconds."""
        raise NotImplementedError

    def _start(
        self,
        idle_for: IdleFor | None,
        initial_delay: float | None = None,
        stop_on_exception: bool = True,
    ) -> _outcome.Outcome:
        if self.done is not None and not self.done.done():
            raise RuntimeError(self._RUN_ONLY_ONE_MESSAGE)
        self.home = _anywhere.home()  # or nothing has begun
        # one string for all of the same function: ten thousand would be a megabyte
        name = sys.intern(f"the looping call of {_synctask.name_of(self.f)}")
        self.done = _outcome.Outcome(name)
        self._running = True
        if idle_for is not None:
            self._idle_for = idle_for  # type: ignore[method-assign]
        self._stop_on_exception = stop_on_exception
        self._async = inspect.iscoroutinefunction(self.f)
        self._context = contextvars.copy_context()
        self._context.run(current.set, self)
        self._wake_at = self._due = _clock.now()
        _clock.get().begin()
        if _bridge.runs(self.home):
            _bridge.depend(self)
        delay = float(initial_delay or 0)
        _anywhere.post(self.home, lambda: self._begin(delay))
        return self.done

    def _begin(self, delay: float) -> None:
        self._hub = hub_module.find()
        if delay:
            self._rest(delay, _clock.now())
        else:
            self._turn_soon()
        _clock.get().end()

    # -- on the loop ----------------------------------------------------------

    def _sleep(self, timeout: float) -> None:
        """Arm the timer of the next call, ``timeout`` seconds from now.

        Tests put a mock in its place: what arms no timer has slept enough.
        """
        self._timer = _clock.get().call_at(
            self.home.loop, self._wake_at, self._turn, self._context
        )

    def _elapsed(self, seconds: float) -> float:
        """What the function took, from when it was due; tests put a mock here."""
        return seconds

    def _rest(self, seconds: float, since: float) -> None:
        self._wake_at = since + seconds
        self._sleep(seconds)
        if self._timer is None:
            self._turn_soon()

    def _turn_soon(self) -> None:
        self._wake_at = _clock.now()
        _clock.get().begin()
        self.home.loop.call_soon(self._turn_now, context=self._context)

    def _turn_now(self) -> None:
        self._turn()
        _clock.get().end()

    def _turn(self) -> None:
        self._timer = None
        if not self._running:
            self._finish(True)
            return
        self._due = self._wake_at
        clock = _clock.get()
        self._begun = clock.now()
        clock.begin()
        if self._park is not None:
            self._park.leave()
        elif self._async:
            self._begin_task(self.home.loop)
        else:
            self._watch(self._hub.spawn_sync(self.f, *self.args, **self.kw))

    def _begin_task(self, loop: asyncio.AbstractEventLoop) -> None:
        self._park = park = _park.Park(loop)
        name = sys.intern(_synctask.name_of(self.f))
        task: Any = loop.create_task(self._serve(park), name=name)
        task.add_done_callback(self._ended, context=self._context)
        # as asyncio.gather() does: a loop may be closed while nothing is called
        task._log_destroy_pending = False

    async def _serve(self, park: _park.Park) -> None:
        func, args, kw = self.f, self.args, self.kw
        while self._park is park:
            try:
                result = await func(*args, **kw)  # type: ignore[misc]
            except Exception as error:
                self._failed(error)
            except (SystemExit, KeyboardInterrupt) as error:
                self._failed(error)
                raise
            else:
                self._succeeded(result)
                del result  # nobody else keeps it until the next call
            finally:
                _clock.get().end()
            if self._park is park:
                await park

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            self.abort()
        else:
            task.exception()  # it has been logged

    def _watch(self, future: asyncio.Future[Any]) -> None:
        if future.done():
            self._returned(future)
            return
        future.add_done_callback(self._returned, context=self._context)

    def _returned(self, future: asyncio.Future[Any]) -> None:
        if future.cancelled():
            self.abort()
        elif (error := future.exception()) is not None:
            self._failed(error)
        elif inspect.isawaitable(result := future.result()):
            self._watch(asyncio.ensure_future(_await(result)))  # of a plain def
            return
        else:
            self._succeeded(result)
        _clock.get().end()

    def _failed(self, error: BaseException) -> None:
        if isinstance(error, LoopingCallDone):
            self._finish(error.retvalue)
            return
        LOG.error(
            "%(kind)s %(name)r failed",
            {"kind": self._KIND, "name": _synctask.name_of(self.f)},
            exc_info=error,
        )
        if self._stop_on_exception or not isinstance(error, Exception):
            self._finish(None, error)
        else:
            self._succeeded(0)

    def _succeeded(self, result: Any) -> None:
        if not self._running:
            self._finish(True)
            return
        now = _clock.get().now()  # once, or the schedule would drift by what is between
        self._took = now - self._begun
        try:
            idle = self._idle_for(result, self._elapsed(now - self._due))
        except Exception as error:
            self._stop_on_exception = True
            self._failed(error)
        else:
            self._rest(idle, now)

    def _interrupt(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._finish(True)

    def _finish(self, result: Any, error: BaseException | None = None) -> None:
        self._running = False
        _bridge.release(self)
        if self._park is not None:
            self._park.leave_soon()
            self._park = None
        assert self.done is not None
        self.done.resolve(result, error)


async def _await(result: Awaitable[Any]) -> Any:
    return await result
