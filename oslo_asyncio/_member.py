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


"""One thread or task of a thread group."""

import asyncio
from collections.abc import Callable
from collections.abc import Generator
import contextvars
import inspect
import logging
from typing import Any
from typing import Protocol

from oslo_asyncio import _anywhere
from oslo_asyncio import _looping
from oslo_asyncio import _outcome
from oslo_asyncio import _strand
from oslo_asyncio import _synctask
from oslo_asyncio import hub as hub_module

LOG = logging.getLogger(__name__)


class Group(Protocol):
    """Who is told that a thread has ended."""

    def thread_done(self, thread: "Thread") -> None: ...


class Thread:
    """What :meth:`ThreadGroup.add_thread` returns.

    :ivar group: the group that it belongs to.
    :ivar thread: what runs it: a :class:`oslo_asyncio.hub.Strand`, a task, or
        None before it begins.
    """

    def __init__(
        self,
        group: Group,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        self.group = group
        self.name = _synctask.name_of(func)
        self.thread: _strand.Strand | asyncio.Task[Any] | None = None
        #: resolved when it runs, or will never run
        self.begun = _outcome.Outcome(f"the start of {self.name}")
        #: resolved when it has ended, or nobody shall wait for it any more
        self.gone = _outcome.Outcome(f"the thread of {self.name}")
        self._outcome = _outcome.Outcome(f"the thread of {self.name}")
        self._call = (func, args, kwargs)
        self._stopping = False
        self._context = contextvars.copy_context()
        self._context.run(_looping.current.set, self)
        # whoever takes the ticket decides: it runs, or it is taken back
        self._ticket = [None]

    @property
    def ident(self) -> int:
        """A number that no other living thread of this process has."""
        mine = self._strand()
        return id(self) if mine is None else mine.ident

    def stop(self) -> bool:
        """End it: a green thread or a task where it waits, now.

        A native thread cannot be ended: it goes on, is named in the log with
        its stack, and the code inside can ask
        :func:`oslo_asyncio.threadgroup.stopping`.

        :returns: whether it will end, or has ended.
        """
        if self.kill():
            return True
        self.complain()
        return False

    def kill(self) -> bool:
        """As stop(), without a word in the log."""
        self._stopping = True
        if self.cancel() or self._outcome.done():
            return True
        if isinstance(self.thread, asyncio.Task):
            self._post(self.thread.cancel)
            return True
        return self.thread is not None and self.thread.kill()

    def complain(self) -> None:
        """Say in the log that it goes on, and where."""
        mine = self._strand()
        stack = "" if mine is None else mine.stack()
        LOG.warning(
            "Thread %(name)s was asked to stop and cannot be ended on the %(hub)s "
            "hub, it goes on; it is at\n%(stack)s",
            {
                "name": self.name,
                "hub": hub_module.find().name,
                "stack": stack.rstrip(),
            },
        )

    def wait(self) -> Any:
        """Wait until it has ended; async code awaits the thread itself.

        :returns: what the callback returned; None if it was stopped.
        :raises Exception: what the callback raised.
        :raises WaitOnLoop: async code called it.
        """
        return self._outcome.wait()

    def __await__(self) -> Generator[Any, None, Any]:
        return self._outcome.__await__()

    def link(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Call ``func(thread, *args, **kwargs)`` when it has ended, or now.

        :param func: sync or async.  What it raises is logged.
        """
        context = contextvars.copy_context()
        self._outcome.call_when_done(
            lambda: context.run(_linked, func, self, args, kwargs)
        )

    def cancel(self, *throw_args: Any) -> bool:
        """Take it back if it has not begun.

        :param throw_args: accepted as oslo.service does, and not used.
        :returns: whether it was taken back.
        """
        if not self._take():
            return False
        self._end(None, None)
        self.begun.resolve(None)
        return True

    def done(self) -> bool:
        """Whether it has ended."""
        return self._outcome.done()

    def stopping(self) -> bool:
        """Whether somebody has called stop()."""
        return self._stopping

    def ask_to_stop(self) -> None:
        """Let the code inside know, and do nothing else."""
        self._stopping = True

    def begin(self) -> None:
        """Run it; the group calls this itself."""
        if inspect.iscoroutinefunction(self._call[0]):
            self._home = _anywhere.home()
            self._post(self._begin_task)
        else:
            self.thread = hub_module.find().spawn_thread(self._run, self.name)
        self.begun.resolve(None)

    def _strand(self) -> _strand.Strand | None:
        return self.thread if isinstance(self.thread, _strand.Strand) else None

    def _post(self, callback: Callable[[], Any]) -> None:
        try:
            _anywhere.post(self._home, callback)
        except RuntimeError:
            self._end(None, None)  # its loop has gone, and it with it

    def _take(self) -> bool:
        try:
            self._ticket.pop()
        except IndexError:
            return False
        return True

    # -- async: on the loop -----------------------------------------------------

    def _begin_task(self) -> None:
        if not self._take():
            return
        func, args, kwargs = self._call
        loop = self._home.loop
        coroutine = self._context.run(func, *args, **kwargs)
        self.thread = loop.create_task(
            coroutine, name=self.name, context=self._context
        )
        self.thread.add_done_callback(self._task_done)
        if self._stopping:
            self.thread.cancel()

    def _task_done(self, task: asyncio.Task[Any]) -> None:
        if task.cancelled():
            self._end(None, None)
        elif (error := task.exception()) is not None:
            self._end(None, error)
        else:
            self._end(task.result(), None)

    # -- sync: in the thread ----------------------------------------------------

    def _run(self) -> None:
        if not self._take():
            return
        func, args, kwargs = self._call
        try:
            result = self._context.run(func, *args, **kwargs)
        except BaseException as error:  # the end of a green thread is one
            ended = self._stopping and not isinstance(error, Exception)
            self._end(None, None if ended else error)
        else:
            self._end(result, None)

    def _end(self, result: Any, error: BaseException | None) -> None:
        if isinstance(error, Exception):
            LOG.error("Thread %s failed", self.name, exc_info=error)
        self.group.thread_done(self)
        self.gone.resolve(None)
        self._outcome.resolve(result, error)


def current() -> Any:
    """The thread or looping call on whose behalf this code runs, or None."""
    return _looping.current.get()


def stopping() -> bool:
    """Whether the thread or timer that this code runs for is to end.

    A loop in a native thread asks it between two steps, for nobody can end it
    from outside:

    >>> from oslo_asyncio import threadgroup
    >>> def work():
    ...     while not threadgroup.stopping():
    ...         pass
    """
    mine = _looping.current.get()
    return mine is not None and mine.stopping()


def _linked(
    func: Callable[..., Any],
    thread: Thread,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> None:
    name = _synctask.name_of(func)
    if _anywhere.on_loop() or inspect.iscoroutinefunction(func):
        place = _anywhere.home()
        _anywhere.post(place, lambda: _link_on_loop(name, func, thread, args, kwargs))
        return
    try:
        func(thread, *args, **kwargs)
    except Exception:
        names = _names(name, thread)
        LOG.exception("%(func)s, linked to thread %(name)s, failed", names)


def _link_on_loop(
    name: str,
    func: Callable[..., Any],
    thread: Thread,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> None:
    if inspect.iscoroutinefunction(func):
        loop = asyncio.get_running_loop()
        ran: asyncio.Future[Any] = loop.create_task(func(thread, *args, **kwargs))
    else:
        ran = hub_module.find().spawn_sync(func, thread, *args, **kwargs)

    def log(future: asyncio.Future[Any]) -> None:
        error = None if future.cancelled() else future.exception()
        if error is not None:
            LOG.error(
                "%(func)s, linked to thread %(name)s, failed",
                _names(name, thread),
                exc_info=error,
            )
        _links.discard(future)

    _links.add(ran)
    ran.add_done_callback(log)


def _names(func: str, thread: Thread) -> dict[str, str]:
    return {"func": func, "name": thread.name}


#: the loop itself keeps tasks only weakly
_links: set[asyncio.Future[Any]] = set()
