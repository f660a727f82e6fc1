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

"""What the loops of all hubs have in common."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
import logging
from typing import Any
from typing import TYPE_CHECKING

from oslo_asyncio import _bridge
from oslo_asyncio import _call
from oslo_asyncio import _completions
from oslo_asyncio import executor as executor_module
from oslo_asyncio import hub
from oslo_asyncio import resolver

LOG = logging.getLogger(__name__)

#: stacks of abandoned calls that are worth reading; the rest is counted
_MOST_LOGGED = 10

if TYPE_CHECKING:
    _Base = asyncio.SelectorEventLoop
else:
    _Base = object


class LoopMixin(_Base):
    """Blocking calls and name look-ups in our pools, for any loop class.

    The methods are the loop's public ones, so code that has never heard of
    this library (``asyncio.to_thread``, ``asyncio.open_connection``, aiohttp)
    gains as well.
    """

    _oslo_completions: _completions.Completions | None = None
    _lookups: resolver.Lookups | None = None
    _own_executor: Executor | None = None

    def run_forever(self) -> None:
        """As the standard loop; ``hub.run_async`` finds this loop meanwhile."""
        if _bridge.is_aside(self):
            super().run_forever()
            return
        previous = _bridge.enter(self)
        try:
            super().run_forever()
        finally:
            _bridge.leave(previous)

    def set_default_executor(self, executor: Executor) -> None:
        """As the standard loop: the application's executor wins over our pool."""
        super().set_default_executor(executor)  # type: ignore[arg-type]
        self._own_executor = executor

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """As the standard loop, in the pool ``default``, context included."""
        if executor is not None or self._own_executor is not None:
            return super().run_in_executor(executor, func, *args)
        if self.get_debug() and asyncio.iscoroutinefunction(func):
            raise TypeError(f"coroutines cannot be used with run_in_executor(): {func}")
        return executor_module.get_pool().submit(self, func, args)

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """As the standard loop; refuses new blocking calls and ends the old ones.

        :param timeout: seconds; what is still running then is named in the log
            with its stack and left behind.
        """
        if self._own_executor is not None:
            # beside the loop, as the sync code that it is: the standard loop
            # takes a native thread, where green locks are deadly
            ended = hub.current().spawn_sync(self._own_executor.shutdown)
            await asyncio.wait([ended], timeout=timeout)
        await self.close_pools(timeout)

    async def close_pools(self, timeout: float | None) -> None:
        """Wait for this loop's calls in our pools, at most ``timeout`` seconds."""
        completions = _completions.of(self)
        completions.closed = True
        pools = executor_module.pools()
        calls = list(completions.pending.values())
        pending = [call for call in calls if call.pool in pools]
        if pending:
            ended = [call.ended() for call in pending]
            await asyncio.wait(ended, timeout=timeout)
        for call in pending:
            call.cancel()
        for pool in pools:
            abandoned = [call for call in pool.abandoned() if call.get_loop() is self]
            _log_abandoned(pool.name, [call for call in abandoned if call.frame()])

    async def getaddrinfo(self, host: Any, port: Any, **kwargs: int) -> Any:
        """As the standard loop, by the configured resolver."""
        return await self._resolve().getaddrinfo(host, port, **kwargs)

    async def getnameinfo(self, sockaddr: Any, flags: int = 0) -> Any:
        """As the standard loop, by the configured resolver."""
        return await self._resolve().getnameinfo(sockaddr, flags)

    def close(self) -> None:
        """As the standard loop."""
        if not self.is_closed() and not self.is_running():
            if self._oslo_completions is not None:
                self._oslo_completions.detach()
                self._oslo_completions = None
            if self._lookups is not None:
                self._lookups.close()
        super().close()

    async def quiesce(self) -> None:
        """Stop accepting connections, without losing one that is on its way."""

    def _resolve(self) -> resolver.Lookups:
        if self._lookups is None:
            self._lookups = resolver.Lookups(self, **hub.resolver_options())
        return self._lookups


def _log_abandoned(pool: str, calls: list[_call.Call | _call.Awaited]) -> None:
    for call in calls[:_MOST_LOGGED]:
        LOG.warning(
            "pool %(pool)r: %(name)s is still running and is left behind; it is "
            "at\n%(stack)s",
            {"pool": pool, "name": call.name, "stack": call.stack().rstrip()},
        )
    if len(calls) > _MOST_LOGGED:
        LOG.warning(
            "pool %(pool)r: %(count)d more calls are left behind",
            {"pool": pool, "count": len(calls) - _MOST_LOGGED},
        )
