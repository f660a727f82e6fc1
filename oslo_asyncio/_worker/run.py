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
import sys
from typing import Any

from oslo_config import cfg

from oslo_asyncio import _bridge
from oslo_asyncio import hub as hub_module
from oslo_asyncio._worker import blocked
from oslo_asyncio._worker import config
from oslo_asyncio._worker import deadline
from oslo_asyncio._worker import leave
from oslo_asyncio._worker import lifecycle
from oslo_asyncio._worker import signals
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
    :param handle_signals: whether to stop by SIGTERM and SIGINT and reload by
        SIGHUP, which takes the main thread.
    """

    def __init__(
        self,
        hub: hub_module.Hub,
        conf: cfg.ConfigOpts,
        services: Iterable[lifecycle.Startable],
        restart_method: str = "reload",
        handle_signals: bool = True,
    ) -> None:
        self.hub = hub
        self.conf = conf
        self.status = 0
        self.overdue = False
        self._restart_method = restart_method
        self._handle_signals = handle_signals
        self._services = list(services)
        self._lives: list[lifecycle.Lifecycle] = []
        self._phase = Phase.STARTING
        self._stop_asked = False
        self._reload_asked = False
        self._change: asyncio.Task[None] | None = None
        self._deadline: deadline.Deadline | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self) -> int:
        """Run the services; returns the exit status.

        0 after a clean stop; 1 when a service failed, or had to be left behind
        (see :attr:`overdue`); what a service gave to ``sys.exit``.
        """
        self._loop = loop = self.hub.new_event_loop()
        asyncio.set_event_loop(loop)
        previous = _bridge.enter(loop)
        try:
            self._run(loop)
        finally:
            _bridge.leave(previous)
            asyncio.set_event_loop(None)
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

    def _soon(self, callback: Callable[[], None]) -> None:
        loop = self._loop
        if loop is not None:
            try:
                loop.call_soon_threadsafe(callback)
            except RuntimeError:
                pass  # closed since

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        inbox = self._open_inbox(loop)
        watcher = None
        try:
            if self._stop_asked:
                return
            self._change = loop.create_task(self._boot(), name="start services")
            loop.call_soon(self._log_options)
            watcher = self._watch(loop)
            self._run_forever(loop)
            self._complete(loop, self._shut_down())
        finally:
            if watcher is not None:
                watcher.close()
            left = _HURRY if self._phase >= Phase.HURRYING else self._grace()
            self._complete(loop, teardown.tear_down(loop, left))
            if inbox is not None:
                inbox.close()
            if self._deadline is not None:
                self._deadline.close()

    def _run_forever(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            loop.run_forever()
        except SystemExit as error:
            self._exit(error)
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

    # -- up ---------------------------------------------------------------

    async def _boot(self) -> None:
        for service in self._services:
            self._lives.append(lifecycle.Lifecycle(self.hub, service))
        for life in self._lives:
            if not await self._start(life):
                return
        self._phase = max(self._phase, Phase.RUNNING)
        if self._reload_asked:
            self._begin_reload()

    async def _start(self, life: lifecycle.Lifecycle) -> bool:
        LOG.debug("Starting service %s", life.name)
        try:
            await life.start()
        except SystemExit as error:
            self._exit(error)
        except Exception:
            LOG.exception("Service %s did not start", life.name)
            self._fail(1)
        else:
            LOG.info("Service %s started on the %s hub", life.name, self.hub.name)
            assert life.waiting is not None
            life.waiting.task.add_done_callback(self._wait_ended)
            # a start() that swallows its cancellation is stopped all the same
            return self._phase < Phase.STOPPING
        self._begin_stop()
        return False

    def _wait_ended(self, task: asyncio.Task[None]) -> None:
        # wait() may return at once, and that must not end the worker
        error = None if task.cancelled() else task.exception()
        if isinstance(error, SystemExit):
            self._exit(error)
        elif error is not None:
            LOG.error("%s failed", task.get_name(), exc_info=error)
            self._fail(1)
        else:
            return
        self._begin_stop()

    def _exit(self, error: SystemExit) -> None:
        """A service called sys.exit()."""
        if error.code is None or isinstance(error.code, int):
            self._fail(error.code or 0)
        else:
            LOG.error("%s", error.code)
            self._fail(1)

    def _fail(self, status: int) -> None:
        self.status = self.status or status

    # -- signals ----------------------------------------------------------

    def _open_inbox(
        self, loop: asyncio.AbstractEventLoop
    ) -> signals.SignalInbox | None:
        if not self._handle_signals:
            return None
        if not signals.available():
            LOG.warning(
                "Not in the main thread: this launcher handles no signals; stop it "
                "with its stop() method"
            )
            return None
        inbox = signals.SignalInbox(loop)
        inbox.open((signal.SIGTERM, signal.SIGINT, signal.SIGHUP), self._on_signal)
        return inbox

    def _on_signal(self, signum: int) -> None:
        name = signal.Signals(signum).name
        if signum == signal.SIGHUP and is_daemon():
            self._begin_reload()
        elif self._phase >= Phase.HURRYING:
            LOG.error("Received %s again, leaving at once", name)
            self._leave_now()
        elif signum == signal.SIGINT or self._phase >= Phase.STOPPING:
            LOG.info("Received %s, stopping at once", name)
            self._hurry()
        else:
            LOG.info("Received %s, stopping", name)
            self._begin_stop()

    def _leave_now(self) -> None:
        self._name_overdue()
        leave.now(self.status or 1)

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
        LOG.info("Reading the configuration again (%s)", self._restart_method)
        if config.read_again(self.conf, self._restart_method):
            if self._restart_method == "mutate":
                await self._reset()
            else:
                await self._restart()
        if self._reload_asked:
            self._begin_reload()

    async def _reset(self) -> None:
        for life in self._lives:
            try:
                await life.reset()
            except Exception:
                LOG.exception("Service %s: reset() failed", life.name)
        LOG.info("Configuration changed in place")

    async def _restart(self) -> None:
        for life in self._lives:
            await self._stop(life)
            await asyncio.wait([_task(life.joined())], timeout=self._grace())
            self._name_overdue_of(life)
            try:
                await life.reset()
            except Exception:
                LOG.exception("Service %s: reset() failed", life.name)
            if not await self._start(life):
                return
        LOG.info("Services restarted with the new configuration")

    # -- down -------------------------------------------------------------

    def _begin_stop(self) -> None:
        if self._phase < Phase.STOPPING:
            self._phase = Phase.STOPPING
            self._set_deadline(self._grace())
            asyncio.get_running_loop().stop()

    def _hurry(self) -> None:
        self._begin_stop()
        self._phase = Phase.HURRYING
        self._set_deadline(_HURRY)

    def _grace(self) -> float | None:
        return float(self.conf.graceful_shutdown_timeout) or None

    def _set_deadline(self, seconds: float | None) -> None:
        if self._deadline is None:
            fused = self._handle_signals and signals.available()
            self._deadline = deadline.Deadline(fused)
        self._deadline.set(seconds)

    async def _shut_down(self) -> None:
        self._begin_stop()  # unless a signal did: the service called loop.stop()
        assert self._deadline is not None
        within = self._deadline.within
        await within(self._end_change())
        quiesce = getattr(asyncio.get_running_loop(), "quiesce", None)
        if quiesce is not None:
            await within(quiesce())
        # All at once: a stop() that never returns must not keep the next one
        # from being called.
        await within(*(self._stop(life) for life in self._lives))
        await within(*(life.joined() for life in self._lives))
        self._name_overdue()

    async def _end_change(self) -> None:
        """A start or reload under way: async steps are cancelled, sync ones end."""
        change = self._change
        if change is not None and not change.done():
            change.cancel()
            await asyncio.wait([change])

    async def _stop(self, life: lifecycle.Lifecycle) -> None:
        try:
            await life.stop()
        except SystemExit as error:
            self._exit(error)
        except Exception:
            LOG.exception("Service %s: stop() failed", life.name)
            self._fail(1)

    def _name_overdue(self) -> None:
        for life in self._lives:
            self._name_overdue_of(life)

    def _name_overdue_of(self, life: lifecycle.Lifecycle) -> None:
        for step in life.unfinished():
            self.overdue = True
            self._fail(1)
            LOG.error(
                "%(step)s has not returned within graceful_shutdown_timeout and is "
                "left behind; it is at\n%(stack)s",
                {"step": step.name, "stack": step.stack().rstrip()},
            )

    # -- odds -------------------------------------------------------------

    def _log_options(self) -> None:
        if self.conf.log_options and LOG.isEnabledFor(logging.DEBUG):
            self.conf.log_opt_values(LOG, logging.DEBUG)

    def _watch(self, loop: asyncio.AbstractEventLoop) -> blocked.Watcher | None:
        seconds = self.conf.oslo_asyncio.slow_callback_duration
        if not seconds:
            return None
        green = hub_module.Characteristic.GREEN_STDLIB in self.hub.characteristics
        return blocked.Watcher(loop, seconds, green)


def is_daemon() -> bool:
    """Whether SIGHUP means "reload" and not "your terminal has gone".

    It does unless the process is in the foreground of a terminal.
    """
    try:
        return os.getpgrp() != os.tcgetpgrp(sys.stdout.fileno())
    except (OSError, ValueError, AttributeError):
        return True  # no terminal, or no stdout at all


def _task(step: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    return asyncio.get_running_loop().create_task(step)
