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

"""Services that code of its own starts and stops, without a launcher."""

import asyncio
from typing import Any

from oslo_config import cfg

from oslo_asyncio import _anywhere
from oslo_asyncio import _bridge
from oslo_asyncio import _service
from oslo_asyncio import hub as hub_module
from oslo_asyncio._worker import group


class Services:
    """Several services that run and stop together.

    In sync code each call returns when the work is done.  In async code each
    has to be awaited.

    :param restart_method: what :meth:`restart` does: ``"reload"`` restarts the
        services, ``"mutate"`` calls their reset().
    :raises InvalidRestartMethod: it is neither.
    :ivar services: those that were added.

    >>> from oslo_asyncio import service
    >>> class Hello(service.Service):
    ...     def start(self):
    ...         print("hello")
    ...     async def stop(self):
    ...         print("bye")
    >>> together = service.Services()
    >>> together.add(Hello())
    hello
    >>> together.stop()
    bye
    >>> together.wait()
    """

    def __init__(self, restart_method: str = "reload") -> None:
        _service.check_restart_method(restart_method)
        self.restart_method = restart_method
        self.services: list[_service.ServiceBase] = []
        self._group: group.Group | None = None
        self._ended: asyncio.Future[None] | None = None

    def add(self, service: _service.ServiceBase) -> Any:
        """Start a service.  One that cannot start ends the worker with status 1.

        :param service: an instance of a subclass of :class:`ServiceBase`.
        :raises NotAService: it is something else.
        """
        _service.check_service(service)
        self.services.append(service)
        return _anywhere.call(self._add, service)

    def stop(self) -> Any:
        """Stop the services, all at the same time."""
        return _anywhere.call(self._stop)

    def wait(self) -> Any:
        """Wait until somebody has stopped the services."""
        return _anywhere.call(self._wait)

    def restart(self) -> Any:
        """Stop, reset and start each service; or reset it, see above."""
        return _anywhere.call(self._restart)

    async def _add(self, service: _service.ServiceBase) -> None:
        if self._ended is None or self._ended.done():
            self._ended = asyncio.get_running_loop().create_future()
        if self._group is None:
            self._group = group.Group(hub_module.find(), self._failed)
        await self._group.start(self._group.add(service))

    async def _stop(self) -> None:
        if self._group is not None:
            await self._group.stop()
            await self._group.joined()
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)

    async def _wait(self) -> None:
        if self._ended is not None:
            await asyncio.wait([self._ended])

    async def reload(self, conf: cfg.ConfigOpts) -> None:
        """Read the configuration again, and restart or reset the services."""
        if self._group is not None:
            seconds = float(conf.graceful_shutdown_timeout) or None
            await self._group.reload(conf, self.restart_method, seconds)

    async def _restart(self) -> None:
        if self._group is not None:
            await self._group.restart(self.restart_method, None)

    def _failed(self, status: int) -> None:
        loop = asyncio.get_running_loop()
        if not _bridge.is_aside(loop):  # or nobody's, and the log has said it
            loop.call_soon(_exit, status)


def _exit(status: int) -> None:
    raise SystemExit(status)


class ServiceWrapper:
    """A service, and how many processes are to run it.

    For programs that know it from oslo.service; launchers here do not use it.

    :param service: the service.
    :param workers: the number of processes.
    """

    def __init__(self, service: _service.ServiceBase, workers: int) -> None:
        self.service = service
        self.workers = workers
        self.children: set[int] = set()
        self.forktimes: list[float] = []
