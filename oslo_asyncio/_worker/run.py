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

"""A worker: one process, one loop, its services.

The loop runs from the first start() to the last wait(): services come up,
``run_forever``, a signal calls ``loop.stop``, services go down.
"""

import asyncio
from collections.abc import Callable
from collections.abc import Coroutine
from collections.abc import Iterable
import enum
import logging
import os
import signal
from typing import Any

from oslo_config import cfg

from oslo_asyncio import _bridge
from oslo_asyncio import _forked
from oslo_asyncio import _listen
from oslo_asyncio import _terminal
from oslo_asyncio import hub as hub_module
from oslo_asyncio._worker import blocked
from oslo_asyncio._worker import deadline
from oslo_asyncio._worker import fuse
from oslo_asyncio._worker import group
from oslo_asyncio._worker import handlers
from oslo_asyncio._worker import heartbeat
from oslo_asyncio._worker import hooks
from oslo_asyncio._worker import leave
from oslo_asyncio._worker import lifecycle
from oslo_asyncio._worker import signals
from oslo_asyncio._worker import superior
from oslo_asyncio._worker import teardown

LOG = logging.getLogger(__name__)

#: Seconds that a stop may take once somebody is in a hurry (SIGINT, or a
#: second SIGTERM): enough for stop() to close what it has opened.
_HURRY = 1.0


class Phase(enum.IntEnum):
    """How far a worker has come; it only goes up."""

    STARTING = 1
    RUNNING = 2
    STOPPING = 3
    HURRYING = 4


class Worker:
    """Runs services until somebody stops it.

    :param hub: where async and sync code run.
    :param conf: the program's configuration.
    :param services: what to run, started in this order.
    :param restart_method: what SIGHUP means: ``"reload"`` reads the files and
        restarts the services, ``"mutate"`` changes mutable options and calls
        reset().
    :param above: who is told, and may give orders.
    :param unmask: called when the signal handlers stand.
    """

    def __init__(
        self,
        hub: hub_module.Hub,
        conf: cfg.ConfigOpts,
        services: Iterable[lifecycle.Startable],
        restart_method: str = "reload",
        above: superior.Superior | None = None,
        unmask: Callable[[], None] = lambda: None,
    ) -> None:
        self.hub = hub
        self.conf = conf
        self.status = 0
        self._pid = os.getpid()
        self.group = group.Group(hub, self._service_failed)
        self._restart_method = restart_method
        self._above: superior.Superior = above or superior.Nobody()
        self._unmask = unmask
        self._services = list(services)
        self._phase = Phase.STARTING
        self._stop_asked = False
        self._reload_asked = False
        self._change: asyncio.Task[None] | None = None
        self._deadline: deadline.Deadline | None = None
        self._fuse: fuse.Fuse | None = None
        self._inbox: signals.SignalInbox | None = None
        self._added: handlers.WorkerSignals | None = None
        self._heart: heartbeat.Heartbeat | None = None
        self._alarmed = False
        self._alarm_after: float | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self) -> int:
        """Run the services; returns the exit status.

        0 after a clean stop; 1 when a service failed, or had to be left behind
        (see ``group.overdue``); what a service gave to ``sys.exit``.
        """
        self._loop = loop = self.hub.new_event_loop()
        asyncio.set_event_loop(loop)
        previous = _bridge.enter(loop)
        try:
            with _listen.serving():
                self._run(loop)
        finally:
            _bridge.leave(previous)
            asyncio.set_event_loop(None)
            if not self._above.supervised:  # see _run()
                loop.close()
            self._loop = None
        return self.status

    def stop(self) -> None:
        """Stop gracefully.  From any thread, at any time, any number of times."""
        self._stop_asked = True
        self._soon(self._begin_stop)

    def reload(self) -> None:
        """Read the configuration again, as SIGHUP does.  From any thread."""
        self._soon(self._begin_reload)

    def time_left(self) -> float | None:
        """Seconds that the stop may still take; None: no limit."""
        return self._deadline.left() if self._deadline else self._grace()

    def _soon(self, callback: Callable[[], None]) -> None:
        loop = self._loop
        if loop is not None:
            try:
                loop.call_soon_threadsafe(callback)
            except RuntimeError:
                pass  # closed since

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._stop_asked:
            return
        self._inbox = inbox = self._open_inbox(loop)
        self._above.open(loop, self._orders())
        self._unmask()
        watcher = self._watch(loop)
        try:
            self._change = loop.create_task(self._boot(), name="start services")
            self._run_forever(loop)
            self._complete(loop, self._shut_down())
        finally:
            if watcher is not None:
                watcher.close()
            self._complete(loop, teardown.tear_down(loop, self.time_left()))
            if self._heart is not None:
                self._heart.stop()
            self._above.close()
            # A supervised worker ends with its loop.  Its handlers stand until
            # then: a service manager signals everybody and the supervisor does
            # as well, and the later one must not spoil the exit status.
            if inbox is not None and not self._above.supervised:
                inbox.close()
            if self._added is not None:
                self._added.close()
            if self._fuse is not None:
                self._fuse.close()

    def _run_forever(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            loop.run_forever()
        except SystemExit as error:
            if _forked.is_copy_of(self._pid):
                _forked.leave(error)
            self._fail(group.exit_status(error))
        except KeyboardInterrupt:
            self._fail(130)  # raised by code; the signal has a handler

    def _complete(
        self, loop: asyncio.AbstractEventLoop, steps: Coroutine[Any, Any, None]
    ) -> None:
        """Run until ``steps`` are done, whoever stops the loop meanwhile."""
        task = loop.create_task(steps)
        task.add_done_callback(lambda _task: loop.stop())
        while not task.done():
            self._run_forever(loop)
        task.result()

    async def _boot(self) -> None:
        if self.conf.log_options and LOG.isEnabledFor(logging.DEBUG):
            self.conf.log_opt_values(LOG, logging.DEBUG)
        if not hooks.run():
            self._service_failed(1)
            return
        await self.group.boot(self._services)
        self._phase = max(self._phase, Phase.RUNNING)
        if self._phase == Phase.RUNNING:
            self._above.ready()
            self._start_heart()
        self._changed()

    def _start_heart(self) -> None:
        own = self.conf.oslo_asyncio
        timeout, measure = own.worker_heartbeat_timeout, own.worker_max_rss > 0
        measure = measure and self._above.supervised
        if timeout or measure:
            loop = asyncio.get_running_loop()
            self._heart = heartbeat.Heartbeat(loop, self._above.beat, timeout, measure)
            self._heart.start()

    def _service_failed(self, status: int) -> None:
        self._fail(status)
        self._begin_stop()

    def _fail(self, status: int) -> None:
        self.status = self.status or status

    # -- signals ----------------------------------------------------------

    def _open_inbox(
        self, loop: asyncio.AbstractEventLoop
    ) -> signals.SignalInbox | None:
        if not signals.available():
            LOG.warning(
                "Not in the main thread: this launcher handles no signals; stop it "
                "with its stop() method"
            )
            return None
        self._fuse = fuse.Fuse()
        self._alarm_after = self._grace()
        inbox = signals.SignalInbox(loop, self._alarm)
        inbox.open((signal.SIGTERM, signal.SIGINT, signal.SIGHUP), self._on_signal)
        if self._above.supervised:
            # "pkill -TTIN name" is meant for the launcher, and would stop us
            inbox.open((signal.SIGTTIN, signal.SIGTTOU), self._on_signal)
        self._added = handlers.WorkerSignals(self.hub, inbox)
        self._added.open()
        return inbox

    def _alarm(self, signum: int) -> None:
        # In the signal handler: the loop may be blocked and never get to it, or
        # learn first that a start() has returned and begin the next one.
        if self._fuse is None or not self._ends(signum):
            return
        self.group.ending = True
        hurry = signum == signal.SIGINT or self._alarmed
        self._alarmed = True
        if hurry and not self._above.supervised:
            self._fuse.light(_HURRY + deadline.MARGIN)
        elif self._alarm_after is not None:
            self._fuse.light(self._alarm_after + deadline.MARGIN)

    def _ends(self, signum: int) -> bool:
        if signum == signal.SIGHUP:
            # of a terminal that has gone, a supervisor hears as well
            return not (_terminal.is_daemon() or self._above.supervised)
        if signum == signal.SIGINT:
            return not self._above.supervised
        return signum == signal.SIGTERM

    def _on_signal(self, signum: int) -> None:
        name = signal.Signals(signum).name
        if not self._ends(signum):
            if signum == signal.SIGHUP and _terminal.is_daemon():
                self._begin_reload()
        elif self._above.supervised:
            # A second one is no hurry: a service manager signals everybody, and
            # then the launcher does.
            if self._phase < Phase.STOPPING:
                LOG.info("Received %s, stopping", name)
            self._begin_stop()
        elif self._phase >= Phase.HURRYING:
            LOG.error("Received %s again, leaving at once", name)
            self.group.name_overdue()
            leave.now(self.status or 1)
        elif signum == signal.SIGINT or self._phase >= Phase.STOPPING:
            LOG.info("Received %s, stopping at once", name)
            self._hurry()
        else:
            LOG.info("Received %s, stopping", name)
            self._begin_stop()

    # -- orders -----------------------------------------------------------

    def _orders(self) -> superior.Orders:
        return superior.Orders(self._hurry, self._begin_reload, self._orphaned)

    def _hurry(self) -> None:
        self._begin_stop()
        if self._phase < Phase.HURRYING:
            self._phase = Phase.HURRYING
            self._set_deadline(_HURRY)

    def _orphaned(self) -> None:
        LOG.warning("The launcher of this worker has gone, stopping")
        self._begin_stop()

    # -- reload -----------------------------------------------------------

    def _begin_reload(self) -> None:
        # At most one waits: however many signals come while one is at work or
        # the services still start, the files are read once more afterwards.
        self._reload_asked = True
        change = self._change
        busy = change is not None and not change.done()
        if self._phase != Phase.RUNNING:
            return
        if busy and change is not asyncio.current_task():
            return
        self._reload_asked = False
        loop = asyncio.get_running_loop()
        self._change = loop.create_task(self._reload(), name="reload")

    async def _reload(self) -> None:
        self._above.reloading()
        await self.group.reload(self.conf, self._restart_method, self._grace())
        self._alarm_after = self._grace()
        if self._phase == Phase.RUNNING:
            self._above.reloaded()
        self._changed()

    def _changed(self) -> None:
        """The services have started, or have been reloaded."""
        if self._inbox is not None:
            self._inbox.check()
        if self._reload_asked:
            self._begin_reload()

    # -- down -------------------------------------------------------------

    def _begin_stop(self) -> None:
        if self._phase < Phase.STOPPING:
            self._phase = Phase.STOPPING
            self.group.ending = True
            grace = self._grace()
            self._above.leaving(grace and grace + deadline.MARGIN)
            self._set_deadline(grace)
            asyncio.get_running_loop().stop()

    def _grace(self) -> float | None:
        return float(self.conf.graceful_shutdown_timeout) or None

    def _set_deadline(self, seconds: float | None) -> None:
        if self._deadline is None:
            self._deadline = deadline.Deadline(self._fuse)
        self._deadline.set(seconds)

    async def _shut_down(self) -> None:
        self._begin_stop()  # unless a signal did: the service called loop.stop()
        assert self._deadline is not None
        within = self._deadline.within
        await within(self._end_change())
        quiesce = getattr(asyncio.get_running_loop(), "quiesce", None)
        if quiesce is not None:
            await within(quiesce())
        if self._added is not None:
            await self._added.go_first(self._deadline)
        await within(self.group.stop())
        await within(self.group.joined())
        if not await hooks.run_stopping(self.hub, self._deadline):
            self.group.overdue = True
        self.group.name_overdue()
        if self._added is not None and not await self._added.all_ended(self._deadline):
            self.group.overdue = True
        if self.group.overdue:
            self._fail(1)

    async def _end_change(self) -> None:
        """A start or reload under way: async steps are cancelled, sync ones end.

        Half of the time is theirs: a start() that only stop() can end has to be
        stopped in the other half.
        """
        change = self._change
        if change is not None and not change.done():
            change.cancel()
            left = self.time_left()
            await asyncio.wait([change], timeout=left and left / 2)
            self.group.give_up_starts()

    def _watch(self, loop: asyncio.AbstractEventLoop) -> blocked.Watcher | None:
        seconds = self.conf.oslo_asyncio.slow_callback_duration
        if not seconds:
            return None
        green = hub_module.Characteristic.GREEN_STDLIB in self.hub.characteristics
        return blocked.Watcher(loop, seconds, green)
