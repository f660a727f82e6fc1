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

"""A launcher that runs its services in its own process."""

from oslo_config import cfg

from oslo_asyncio import _identity
from oslo_asyncio import _service
from oslo_asyncio import exceptions
from oslo_asyncio import hub as hub_module
from oslo_asyncio import systemd
from oslo_asyncio._worker import alone
from oslo_asyncio._worker import config
from oslo_asyncio._worker import leave
from oslo_asyncio._worker import run
from oslo_asyncio._worker import signals


class ServiceLauncher:
    """Runs one or more services in this process.

    :param conf: the program's configuration, already parsed.
    :param restart_method: what SIGHUP means.  ``"reload"``: read the files
        again and restart the services in place.  ``"mutate"``: change the
        mutable options and call each service's reset().
    :raises InvalidRestartMethod: it is neither.
    :raises ConfigurationError: the hub that is configured cannot be used, or
        an option is out of range.

    >>> from oslo_config import cfg
    >>> from oslo_asyncio import service
    >>> class Brief(service.Service):
    ...     def wait(self):
    ...         launcher.stop()
    >>> conf = cfg.ConfigOpts()
    >>> conf([])
    >>> launcher = service.ServiceLauncher(conf)
    >>> launcher.launch_service(Brief())
    >>> launcher.wait()
    0
    """

    def __init__(self, conf: cfg.ConfigOpts, restart_method: str = "reload") -> None:
        _service.check_restart_method(restart_method)
        self.conf = conf
        self.restart_method = restart_method
        self.hub = hub_module.load(conf)
        self._services: list[_service.ServiceBase] = []
        self._worker: run.Worker | None = None
        self._stop_asked = False
        self._begun = False
        self._status: int | None = None

    def launch_service(
        self, service: _service.ServiceBase, workers: int | None = 1
    ) -> None:
        """Add a service; it starts in :meth:`wait`.

        :param service: an instance of a subclass of :class:`ServiceBase`.
        :param workers: 1 or None.
        :raises NotAService: it is something else.
        :raises InvalidWorkers: no whole number above zero.
        :raises OneProcessOnly: more than one.
        :raises LaunchedTooLate: :meth:`wait` has begun.
        """
        _service.check_service(service)
        if _service.check_workers(workers) != 1:
            raise exceptions.OneProcessOnly(type(self).__name__, workers)
        if self._begun:
            raise exceptions.LaunchedTooLate(service)
        self._services.append(service)

    def wait(self) -> int:
        """Run the services until SIGTERM, SIGINT or :meth:`stop`.

        Runs the loop in the calling thread, which should be the main thread:
        elsewhere no signal is handled, and the log says so.  When a service
        cannot be stopped within ``graceful_shutdown_timeout`` seconds, its
        stack is logged, and the process ends here with status 1.

        :returns: the exit status: 0 after a clean stop, 1 after a failure, or
            what a service gave to ``sys.exit``.  A second call returns the
            same status at once.
        """
        self._begun = True
        if self._status is None:
            self._status = self._run()
        return self._status

    def stop(self) -> None:
        """Stop the services; :meth:`wait` returns when they have stopped.

        From any thread, before or after wait(), any number of times.
        """
        self._stop_asked = True
        worker = self._worker
        if worker is not None:
            worker.stop()

    def restart(self) -> None:
        """Read the configuration again, as SIGHUP does.  From any thread.

        Before :meth:`wait`, when no service runs, that is all it does.
        """
        worker = self._worker
        if worker is not None:
            worker.reload()
        elif not self._begun:
            config.read_again(self.conf, self.restart_method)

    def _run(self) -> int:
        notifier = systemd.Notifier.from_environment()
        worker = run.Worker(
            self.hub,
            self.conf,
            self._services,
            self.restart_method,
            alone.Alone(notifier),
        )
        self._worker = worker
        if self._stop_asked:
            worker.stop()
        _identity.become(0, ", ".join(type(each).__name__ for each in self._services))
        try:
            status = worker.run()
        finally:
            self._worker = None
            _identity.resign()
            notifier.restore()
        leave.flush()
        if signals.available():
            if worker.group.overdue:
                leave.now(status)
            if self.conf.graceful_shutdown_timeout:
                leave.guard(status, self.conf.graceful_shutdown_timeout)
        return status
