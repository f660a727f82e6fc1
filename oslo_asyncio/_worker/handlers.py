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

"""Handlers that the application adds to the signals of its workers.

In a worker they run beside the loop, or on it, next to what the launcher itself
does about the signal.  In the parent of workers, where no loop runs, they run as
Python's handlers do.
"""

import asyncio
import collections
from collections.abc import Callable
import functools
import inspect
import logging
import os
import signal
from types import FrameType
from typing import Any

from oslo_asyncio import _bridge
from oslo_asyncio import _synctask
from oslo_asyncio import exceptions
from oslo_asyncio import hub as hub_module
from oslo_asyncio._worker import deadline
from oslo_asyncio._worker import lifecycle
from oslo_asyncio._worker import signals

LOG = logging.getLogger(__name__)

Handler = Callable[[int, FrameType | None], Any]

#: What launchers handle themselves.  Outside of a worker it keeps its meaning.
_LAUNCHERS = frozenset(
    {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGTTIN, signal.SIGTTOU}
)

#: The handlers by signal, in the order in which they were added.
added: dict[int, list[Handler]] = collections.defaultdict(list)

_before: dict[int, Any] = {}
_worker: "WorkerSignals | None" = None


def add(signum: int, handler: Handler) -> None:
    """Call ``handler`` as well, before those that were added earlier.

    From any thread; when this returns, the signal is heard.
    """
    known = added[signum]
    if handler in known:  # a reload in place calls start() again
        known.remove(handler)
    known.append(handler)
    worker = _worker
    if worker is not None:
        _in_main_thread(functools.partial(worker.hear, signum))
    elif signum not in _LAUNCHERS:
        _hear_without_worker(signum)


def clear() -> None:
    """Forget all of them; signals mean again what they meant before."""
    forgotten = [*added]
    added.clear()

    def put_back() -> None:
        for signum in forgotten:
            if _worker is not None:
                _worker.ignore(signum)
            if signal.getsignal(signum) is call_here and signals.available():
                signal.signal(signum, _before.pop(signum))

    _in_main_thread(put_back)


def call_here(signum: int, frame: FrameType | None) -> None:
    """Call the handlers of a signal right here, last in first out."""
    for handler in reversed(list(added.get(signum, ()))):
        if inspect.iscoroutinefunction(handler):
            name = _synctask.name_of(handler)
            LOG.warning("No loop runs in this process: %s is not called", name)
            continue
        try:
            handler(signum, frame)
        except Exception:
            LOG.exception("A handler of signal %d failed", signum)


def _hear_without_worker(signum: int) -> None:
    if signal.getsignal(signum) in (call_here, signal.SIG_IGN):
        return
    if signals.available():
        _before[signum] = signal.signal(signum, call_here)
    else:
        LOG.warning(
            "Not in the main thread: handlers of %s are called when a launcher's "
            "wait() runs there",
            signal.Signals(signum).name,
        )


def _forget_worker() -> None:
    """In a child that code of a service has forked: no loop runs there."""
    global _worker
    _worker = None


os.register_at_fork(after_in_child=_forget_worker)


def _in_main_thread(step: Callable[[], None]) -> None:
    home = _bridge.home()
    if _worker is None or home is None or home.on_loop():
        step()
        return

    async def on_loop() -> None:
        step()

    try:
        hub_module.run_async(on_loop)
    except (exceptions.LoopNotRunning, exceptions.LoopStopped):
        pass  # the worker ends, and no signal comes


class WorkerSignals:
    """The signals of one worker for which there are handlers.

    :param hub: where handlers run.
    :param inbox: where signals come in.
    """

    def __init__(self, hub: hub_module.Hub, inbox: signals.SignalInbox) -> None:
        self._hub = hub
        self._inbox = inbox
        self._heard: set[int] = set()
        self._ending = False
        self._running: set[_Delivery] = set()

    def open(self) -> None:
        """Hear what was added before, and what will be."""
        global _worker
        _worker = self
        for signum in [*added]:
            self.hear(signum)

    def close(self) -> None:
        """Hear nothing more."""
        _forget_worker()

    def hear(self, signum: int) -> None:
        """Call the handlers of this signal when it comes."""
        if signum in self._heard:
            return
        self._heard.add(signum)
        if self._inbox.handles(signum):
            self._inbox.add(signum, self._begin)
        else:
            self._inbox.open([signum], self._begin)

    def ignore(self, signum: int) -> None:
        """Do not call them any more."""
        if signum in self._heard:
            self._heard.remove(signum)
            self._inbox.remove(signum, self._begin)

    async def go_first(self, until: deadline.Deadline) -> None:
        """Let the handlers end before the services stop, as far as there is time.

        oslo.service calls a handler of SIGTERM before it stops anything.  One
        that hangs has half of the time, or nothing would be left for stop().
        """
        left = until.left()
        await until.within(self._ended(left and left / 2))

    async def all_ended(self, until: deadline.Deadline) -> bool:
        """Whether all have ended in time; the log names those that have not."""
        await until.within(self._ended(None))
        for delivery in self._running:
            LOG.error(
                "%(step)s has not returned within graceful_shutdown_timeout and is "
                "left behind; it is at\n%(stack)s",
                {"step": delivery.name, "stack": delivery.stack().rstrip()},
            )
        return not self._running

    async def _ended(self, seconds: float | None) -> None:
        if self._running:
            tasks = [delivery.task for delivery in self._running]
            await asyncio.wait(tasks, timeout=seconds)

    def _begin(self, signum: int) -> None:
        # A service manager signals everybody, and then the launcher does: what is
        # done about SIGTERM is done once.
        if self._ending and signum == signal.SIGTERM:
            return
        self._ending = self._ending or signum == signal.SIGTERM
        delivery = _Delivery(self._hub, signum)
        self._running.add(delivery)
        delivery.task.add_done_callback(lambda _task: self._running.remove(delivery))


class _Delivery:
    """One signal, and its handlers one after the other."""

    def __init__(self, hub: hub_module.Hub, signum: int) -> None:
        self.name = f"A handler of {signal.Signals(signum).name}"
        self._hub = hub
        self._sync: hub_module.SyncTask | None = None
        loop = asyncio.get_running_loop()
        self.task = loop.create_task(self._call_all(signum), name=self.name)

    def stack(self) -> str:
        """Where the handler is now."""
        if self._sync is not None and not self._sync.done():
            return self._sync.stack()
        return lifecycle.coroutine_stack(self.task.get_coro())

    async def _call_all(self, signum: int) -> None:
        for handler in reversed(list(added.get(signum, ()))):
            try:
                await self._call(handler, signum)
            except Exception:
                LOG.exception("A handler of signal %d failed", signum)

    async def _call(self, handler: Handler, signum: int) -> None:
        if inspect.iscoroutinefunction(handler):
            await handler(signum, None)
            return
        self._sync = self._hub.spawn_sync(handler, signum, None)
        result = await self._sync
        if inspect.isawaitable(result):
            await result
