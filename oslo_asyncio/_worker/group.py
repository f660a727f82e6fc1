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

"""The services of one worker, or of a launcher inside it."""

import asyncio
from collections.abc import Callable
from collections.abc import Iterable
import logging

from oslo_config import cfg

from oslo_asyncio import hub as hub_module
from oslo_asyncio._worker import config
from oslo_asyncio._worker import lifecycle

LOG = logging.getLogger(__name__)


class Group:
    """Services that are started, reloaded and stopped together.

    :param hub: where their code runs.
    :param failed: called with an exit status when a service has failed or has
        called ``sys.exit``.
    :ivar ending: set when nothing may be started any more.
    :ivar overdue: whether a call had to be left behind.
    """

    def __init__(self, hub: hub_module.Hub, failed: Callable[[int], None]) -> None:
        self.overdue = False
        self.ending = False
        self._hub = hub
        self._failed = failed
        self._lives: list[lifecycle.Lifecycle] = []

    def add(self, service: lifecycle.Startable) -> lifecycle.Lifecycle:
        """Add a service, which is not started yet."""
        life = lifecycle.Lifecycle(self._hub, service)
        self._lives.append(life)
        return life

    async def boot(self, services: Iterable[lifecycle.Startable]) -> None:
        """Start services in this order, up to the first that fails."""
        for life in [self.add(service) for service in services]:
            if not await self.start(life):
                return

    async def start(self, life: lifecycle.Lifecycle) -> bool:
        """start(), and what follows from its failure.

        :returns: whether the next one may start.
        """
        if self.ending:
            return False
        LOG.debug("Starting service %s", life.name)
        try:
            await life.start()
        except Exception as error:
            self._fail(f"Service {life.name} did not start", error)
            return False
        LOG.info("Service %s started on the %s hub", life.name, self._hub.name)
        assert life.waiting is not None
        life.waiting.task.add_done_callback(self._wait_ended)
        # a start() that swallows its cancellation must not begin the next one
        return not self.ending

    def give_up_starts(self) -> None:
        """Let stop() be called although a start() has not returned."""
        for life in self._lives:
            life.give_up_start()

    async def stop(self) -> None:
        """Stop all of them at once.

        Not in turn: a stop() that never returns must not keep the next one
        from being called.
        """
        steps = [asyncio.ensure_future(self._stop(life)) for life in self._lives]
        if steps:
            await asyncio.wait(steps)

    async def joined(self) -> None:
        """Return when the wait() of each has returned."""
        for life in self._lives:
            await life.joined()

    async def reload(
        self, conf: cfg.ConfigOpts, method: str, seconds: float | None
    ) -> None:
        """Read the configuration again, and tell the services.

        :param method: ``"reload"`` restarts each of them, one after the other;
            ``"mutate"`` calls reset().
        :param seconds: how long a service may take to stop; None: no limit.
        """
        LOG.info("Reading the configuration again (%s)", method)
        if not config.read_again(conf, method):
            return
        if await self.restart(method, seconds):
            LOG.info("Configuration read again (%s)", method)

    async def restart(self, method: str, seconds: float | None) -> bool:
        """What :meth:`reload` does about the services; whether all of them go on."""
        for life in self._lives:
            if method == "reload":
                await self._stop(life)
                joined = asyncio.ensure_future(life.joined())
                await asyncio.wait([joined], timeout=seconds)
                self._name_overdue(life)
            await self._reset(life)
            if method == "reload" and not await self.start(life):
                return False
        return True

    def name_overdue(self) -> None:
        """Log the stack of each call that has not returned."""
        for life in self._lives:
            self._name_overdue(life)

    async def _stop(self, life: lifecycle.Lifecycle) -> None:
        try:
            await life.stop()
        except Exception as error:
            self._fail(f"Service {life.name}: stop() failed", error)

    async def _reset(self, life: lifecycle.Lifecycle) -> None:
        try:
            await life.reset()
        except Exception:
            LOG.exception("Service %s: reset() failed", life.name)

    def _wait_ended(self, task: asyncio.Task[None]) -> None:
        # wait() may return at once, and that must not end the worker
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._fail(f"{task.get_name()} failed", error)

    def _fail(self, what: str, error: BaseException) -> None:
        if isinstance(error, lifecycle.ServiceExit):
            self._failed(exit_status(error.error))
        else:
            LOG.error("%s", what, exc_info=error)
            self._failed(1)

    def _name_overdue(self, life: lifecycle.Lifecycle) -> None:
        for step in life.unfinished():
            self.overdue = True
            LOG.error(
                "%(step)s has not returned within graceful_shutdown_timeout and is "
                "left behind; it is at\n%(stack)s",
                {"step": step.name, "stack": step.stack().rstrip()},
            )


def exit_status(error: SystemExit) -> int:
    """The status that ``sys.exit`` was called with; its sentence is logged."""
    if error.code is None or isinstance(error.code, int):
        return error.code or 0
    LOG.error("%s", error.code)
    return 1
