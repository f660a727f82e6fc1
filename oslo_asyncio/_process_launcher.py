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

"""A launcher that runs its services in worker processes."""

import logging
from typing import Any
from typing import NoReturn

from oslo_config import cfg

from oslo_asyncio import _identity
from oslo_asyncio import _listen
from oslo_asyncio import _service
from oslo_asyncio import _service_launcher
from oslo_asyncio import exceptions
from oslo_asyncio import hub as hub_module
from oslo_asyncio import systemd
from oslo_asyncio._supervisor import events
from oslo_asyncio._supervisor import run as supervisor
from oslo_asyncio._worker import channel as channel_module
from oslo_asyncio._worker import config
from oslo_asyncio._worker import heartbeat
from oslo_asyncio._worker import leave
from oslo_asyncio._worker import run as worker_module
from oslo_asyncio._worker import signals


class ProcessLauncher:
    """Runs each service in a number of worker processes.

    The parent forks the workers in :meth:`wait` and looks after them: it
    replaces one that dies or hangs, reloads them one at a time on SIGHUP, adds
    one on SIGTTIN and takes one away on SIGTTOU, and stops them on SIGTERM.

    :param conf: the program's configuration, already parsed.
    :param wait_interval: accepted as oslo.service does, and not used: nothing
        here waits for an interval.
    :param restart_method: what SIGHUP means.  ``"reload"``: read the files
        again and replace the workers one at a time.  ``"mutate"``: change the
        mutable options in each worker, and call its service's reset().
    :param no_fork: run everything in this process, as :class:`ServiceLauncher`.
    :raises InvalidRestartMethod: it is neither.
    :raises ConfigurationError: the hub that is configured cannot be used, or
        an option is out of range.

    >>> from oslo_config import cfg
    >>> from oslo_asyncio import service
    >>> class Brief(service.Service):
    ...     pass
    >>> conf = cfg.ConfigOpts()
    >>> conf([])
    >>> launcher = service.ProcessLauncher(conf)
    >>> launcher.launch_service(Brief(), workers=4)
    >>> launcher.stop()
    >>> launcher.wait()
    0
    """

    def __init__(
        self,
        conf: cfg.ConfigOpts,
        wait_interval: float | None = None,
        restart_method: str = "reload",
        no_fork: bool = False,
    ) -> None:
        _service.check_restart_method(restart_method)
        self.conf = conf
        self.restart_method = restart_method
        self.no_fork = no_fork
        self.hub = hub_module.load(conf)
        self._services: list[tuple[_service.ServiceBase, int]] = []
        self._one: _service_launcher.ServiceLauncher | None = None
        if no_fork:
            self._one = _service_launcher.ServiceLauncher(conf, restart_method)
        self._parent: supervisor.Parent | None = None
        self._take_back = config.snapshot(conf)
        self._stop_asked = False
        self._begun = False
        self._status: int | None = None

    def launch_service(
        self, service: _service.ServiceBase, workers: int | None = 1
    ) -> None:
        """Add a service; its workers are forked in :meth:`wait`.

        :param service: an instance of a subclass of :class:`ServiceBase`.
        :param workers: how many processes run it; None means 1.
        :raises NotAService: it is something else.
        :raises InvalidWorkers: no whole number above zero.
        :raises LaunchedTooLate: :meth:`wait` has begun.
        """
        _service.check_service(service)
        count = _service.check_workers(workers)
        if self._begun:
            raise exceptions.LaunchedTooLate(service)
        if self._one is not None:
            self._one.launch_service(service)
        self._services.append((service, count))

    def wait(self) -> int:
        """Run the services until SIGTERM, SIGINT or :meth:`stop`.

        Forks in the calling thread, which should be the main thread: elsewhere
        no signal is handled, and the log says so.

        :returns: the exit status: 0 after a clean stop; 1 when a worker had to
            be ended by force or failed to stop, or when a service did not stay
            up.  A second call returns the same status at once.
        """
        self._begun = True
        if self._status is None:
            self._status = self._run() if self._one is None else self._one.wait()
        return self._status

    def stop(self) -> None:
        """Stop the services; :meth:`wait` returns when all workers have gone.

        From any thread, before or after wait(), any number of times.
        """
        if self._one is not None:
            self._one.stop()
        self._stop_asked = True
        parent = self._parent
        if parent is not None:
            parent.ask(events.Ask.STOP)

    def restart(self) -> None:
        """Read the configuration again, as SIGHUP does.  From any thread."""
        if self._one is not None:
            self._one.restart()
        parent = self._parent
        if parent is not None:
            parent.ask(events.Ask.RELOAD)

    # -- the parent -------------------------------------------------------

    def _run(self) -> int:
        if self._stop_asked or not self._services:
            return 0
        self._notifier = systemd.Notifier.from_environment()
        services = [(type(each).__name__, count) for each, count in self._services]
        duties = supervisor.Duties(
            self._work, self._read, self._restore, _listen.close_shared
        )
        parent = supervisor.Parent(services, self._settings(), duties, self._notifier)
        self._parent = parent
        if self._stop_asked:  # since it was looked at
            parent.ask(events.Ask.STOP)
        self._title("launcher")
        try:
            status = parent.run()
        finally:
            self._parent = None
            self._notifier.restore()
        leave.flush()
        if signals.available() and self.conf.graceful_shutdown_timeout:
            leave.guard(status, self.conf.graceful_shutdown_timeout)
        return status

    def _settings(self) -> events.Settings:
        own = self.conf.oslo_asyncio
        return events.Settings(
            grace=float(self.conf.graceful_shutdown_timeout),
            start=own.worker_start_timeout,
            heartbeat=own.worker_heartbeat_timeout,
            lifetime=own.worker_max_lifetime,
            rss=own.worker_max_rss << 20,
            order=own.reload_order,
            watchdog=self._notifier.watchdog or 0.0,
            mutate=self.restart_method == "mutate",
        )

    def _read(self) -> events.Settings | None:
        self._take_back = config.snapshot(self.conf)
        if not config.read_again(self.conf, self.restart_method):
            return None
        return self._settings()

    def _restore(self) -> None:
        self._take_back()

    def _title(self, what: str) -> None:
        # not conf.prog first: some programs say the name of their project there
        prog = getattr(self.conf, "prog", None) or "oslo-asyncio"
        _identity.set_title(f"{_identity.program(prog)}: {what}")

    # -- a worker ---------------------------------------------------------

    def _work(
        self, number: int, worker: int, sock: Any, unmask: supervisor.Unmask
    ) -> NoReturn:
        service = self._services[number][0]
        name = type(service).__name__
        self._parent = None
        _identity.become(worker, name)
        self._title(f"worker {worker} of {name}")
        heartbeat.dump_on_abort()
        made = worker_module.Worker(
            self.hub,
            self.conf,
            [service],
            self.restart_method,
            channel_module.Channel(sock),
            unmask,
        )
        status = made.run()
        if not made.group.overdue:  # what is stuck may hold a lock of a handler
            leave.finish_executors(status, made.time_left())
            logging.shutdown()
        leave.now(status)
