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

"""A launcher inside a worker."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from oslo_config import cfg

from oslo_asyncio import _anywhere
from oslo_asyncio import _service
from oslo_asyncio import _services
from oslo_asyncio import exceptions


class Launcher:
    """Runs services inside a worker that runs already.

    Some services own an inner launcher: they call :meth:`launch_service` in
    their start(), :meth:`stop` in their stop(), :meth:`wait` in their wait()
    and :meth:`restart` in their reset().

    :param conf: the program's configuration.
    :param restart_method: as for :class:`ServiceLauncher`.
    :raises InvalidRestartMethod: it is unknown.
    """

    def __init__(self, conf: cfg.ConfigOpts, restart_method: str = "reload") -> None:
        _service.check_restart_method(restart_method)
        self.conf = conf
        self.restart_method = restart_method
        self._services = _services.Services(restart_method)

    def launch_service(
        self, service: _service.ServiceBase, workers: int | None = 1
    ) -> None:
        """Start ``service`` on the loop of this worker.

        Sync callers wait until it has started, async ones do not.  A service
        that fails ends the worker with status 1.

        :raises NotAService: it is no service.
        :raises InvalidWorkers: ``workers`` is no whole number above zero.
        :raises OneProcessOnly: it is more than one.
        """
        _service.check_service(service)
        if _service.check_workers(workers) != 1:
            raise exceptions.OneProcessOnly(type(self).__name__, workers)
        _finish(self._services.add(service))

    def stop(self) -> None:
        """Stop the services; sync callers wait until they have stopped."""
        _finish(self._services.stop())

    def wait(self) -> None:
        """Wait until the services have been stopped; sync code only.

        :raises WaitOnLoop: async code called it.
        """
        if _anywhere.on_loop():
            raise exceptions.WaitOnLoop(f"the services of {type(self).__name__}")
        self._services.wait()

    def restart(self) -> None:
        """Read the configuration again and restart or reset the services."""
        _finish(_anywhere.call(self._services.reload, self.conf))


def _finish(steps: Coroutine[Any, Any, None]) -> None:
    """Let async callers go on, while the loop takes the steps."""
    if _anywhere.on_loop():  # for sync callers all is done
        task = asyncio.ensure_future(steps)
        _tasks.add(task)
        task.add_done_callback(_tasks.discard)


_tasks: set[asyncio.Future[Any]] = set()
