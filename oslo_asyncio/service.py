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

"""Services and their launchers.

A program::

    from oslo_asyncio import hub
    hub.setup(project="hello")

    from oslo_config import cfg
    from oslo_asyncio import service

    class Hello(service.Service):
        async def start(self): ...

    cfg.CONF(project="hello")
    sys.exit(service.launch(cfg.CONF, Hello()).wait())
"""

import copy

from oslo_config import cfg

from oslo_asyncio import _launcher
from oslo_asyncio import _listen
from oslo_asyncio import _process_launcher
from oslo_asyncio import _service
from oslo_asyncio import _service_launcher
from oslo_asyncio import _services
from oslo_asyncio import _signal_handler
from oslo_asyncio import _singleton
from oslo_asyncio import opts
from oslo_asyncio._worker import hooks
from oslo_asyncio._worker import leave

__all__ = (
    "Launcher",
    "ProcessLauncher",
    "Service",
    "ServiceBase",
    "ServiceLauncher",
    "ServiceWrapper",
    "Services",
    "SignalExit",
    "SignalHandler",
    "Singleton",
    "launch",
    "list_opts",
    "listen",
    "listen_unix",
    "on_worker_exit",
    "on_worker_start",
)

Launcher = _launcher.Launcher
ProcessLauncher = _process_launcher.ProcessLauncher
Service = _service.Service
ServiceBase = _service.ServiceBase
ServiceLauncher = _service_launcher.ServiceLauncher
Services = _services.Services
ServiceWrapper = _services.ServiceWrapper
SignalExit = _signal_handler.SignalExit
SignalHandler = _signal_handler.SignalHandler
Singleton = _singleton.Singleton
listen = _listen.listen
listen_unix = _listen.listen_unix
on_worker_exit = leave.on_worker_exit
on_worker_start = hooks.on_worker_start

# they live in private modules, and nobody should have to know which
for _public in (
    Launcher,
    ProcessLauncher,
    Service,
    ServiceBase,
    ServiceLauncher,
    Services,
    ServiceWrapper,
    SignalExit,
    SignalHandler,
    Singleton,
    listen,
    listen_unix,
    on_worker_exit,
    on_worker_start,
):
    _public.__module__ = __name__


def launch(
    conf: cfg.ConfigOpts,
    service: ServiceBase,
    workers: int | None = 1,
    restart_method: str = "reload",
    no_fork: bool = False,
) -> ServiceLauncher | ProcessLauncher:
    """Make a launcher for one service; ``wait()`` on it runs the service.

    :param conf: the program's configuration, already parsed.
    :param service: an instance of a subclass of :class:`ServiceBase`.
    :param workers: how many processes; None means 1.  One runs here, without a
        fork; several are forked, and this process looks after them.
    :param restart_method: what SIGHUP means, see :class:`ServiceLauncher` and
        :class:`ProcessLauncher`.
    :param no_fork: run in this process, whatever ``workers`` says.
    :raises InvalidWorkers: ``workers`` is no whole number above zero.
    :raises NotAService: ``service`` is something else.
    :raises InvalidRestartMethod: ``restart_method`` is unknown.
    :raises ConfigurationError: the hub cannot be used, or an option is out of
        range.

    >>> from oslo_config import cfg
    >>> from oslo_asyncio import service
    >>> service.launch(cfg.CONF, service.Service(), workers=0)
    Traceback (most recent call last):
        ...
    oslo_asyncio.exceptions.InvalidWorkers: workers=0: the number of workers \
must be an int of at least 1, or None for one worker
    """
    count = _service.check_workers(workers)
    _service.check_restart_method(restart_method)
    _service.check_service(service)
    if count == 1 or no_fork:
        alone = ServiceLauncher(conf, restart_method)
        alone.launch_service(service, workers=None if workers is None else 1)
        return alone
    launcher = ProcessLauncher(conf, restart_method=restart_method)
    launcher.launch_service(service, workers=count)
    return launcher


def list_opts() -> list[tuple[str | None, list[cfg.Opt]]]:
    """The options of services, for oslo-config-generator."""
    return [(None, copy.deepcopy(opts.service_opts))]
