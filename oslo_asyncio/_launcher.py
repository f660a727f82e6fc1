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
from collections.abc import Callable
from collections.abc import Coroutine
from typing import Any

from oslo_config import cfg

from oslo_asyncio import _bridge
from oslo_asyncio import _service
from oslo_asyncio import exceptions
from oslo_asyncio import hub as hub_module
from oslo_asyncio._worker import group


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
        self._group = group.Group(hub_module.current(), self._service_failed)
        self._ended: asyncio.Future[None] | None = None

    def launch_service(
        self, service: _service.ServiceBase, workers: int | None = 1
    ) -> None:
        """Start ``service`` on the loop of this worker.

        Sync callers wait until it has started, async ones do not.  A service
        that fails ends the worker with status 1.

        :raises NotAService: it is no service.
        :raises InvalidWorkers: ``workers`` is no whole number above zero.
        :raises OneProcessOnly: it is more than one.
        :raises LoopNotRunning: there is no loop: use :class:`ServiceLauncher`.
        """
        _service.check_service(service)
        if _service.check_workers(workers) != 1:
            raise exceptions.OneProcessOnly(type(self).__name__, workers)
        self._do(self._start, service)

    def stop(self) -> None:
        """Stop the services; sync callers wait until they have stopped."""
        self._do(self._stop)

    def wait(self) -> None:
        """Wait until the services have been stopped; sync code only.

        :raises OnLoopThread: async code called it.
        """
        hub_module.run_async(self._wait)

    def restart(self) -> None:
        """Read the configuration again and restart or reset the services."""
        self._do(self._restart)

    def _do(self, steps: Callable[..., Coroutine[Any, Any, None]], *args: Any) -> None:
        home = _bridge.home()
        if home is None:
            raise exceptions.LoopNotRunning(type(self).__name__)
        if home.on_loop():
            task = asyncio.ensure_future(steps(*args))
            _tasks.add(task)
            task.add_done_callback(_tasks.discard)
        else:
            hub_module.run_async(steps, *args)

    async def _start(self, service: _service.ServiceBase) -> None:
        if self._ended is None or self._ended.done():
            self._ended = asyncio.get_running_loop().create_future()
        await self._group.start(self._group.add(service))

    async def _stop(self) -> None:
        await self._group.stop()
        await self._group.joined()
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)

    async def _wait(self) -> None:
        if self._ended is not None:
            await asyncio.wait([self._ended])

    async def _restart(self) -> None:
        seconds = float(self.conf.graceful_shutdown_timeout) or None
        await self._group.reload(self.conf, self.restart_method, seconds)

    def _service_failed(self, status: int) -> None:
        # a service that cannot run ends its worker, which its supervisor sees
        asyncio.get_running_loop().call_soon(_exit, status)


def _exit(status: int) -> None:
    raise SystemExit(status)


_tasks: set[asyncio.Future[Any]] = set()
