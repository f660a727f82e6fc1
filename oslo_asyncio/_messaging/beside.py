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

"""Sync code of a server: in a pool of its own, or in green threads."""

import asyncio
from collections.abc import Callable
import contextvars
import functools
from typing import Any

from oslo_asyncio import _pool
from oslo_asyncio import hub as hub_module
from oslo_asyncio._messaging import context


class Beside:
    """Runs sync code beside the loop, so much of it at the same time.

    :param name: for the names of its threads.
    :param threads: how many native threads it may have.  Green threads cost
        nothing, and what submits to them has a limit of its own.
    """

    def __init__(self, name: str, threads: int) -> None:
        hub = hub_module.find()
        self._spawn = hub.spawn_sync
        self._pool: _pool.Pool | None = None
        if hub_module.Characteristic.GREEN_STDLIB not in hub.characteristics:
            self._pool = _pool.Pool(name, threads)

    def start(self, func: Callable[[], Any]) -> asyncio.Future[Any]:
        """Begin ``func()``; from the loop.  It sees a copy of the context."""
        if self._pool is None:
            return self._spawn(func)
        return self._pool.submit(asyncio.get_running_loop(), func)

    async def run(self, func: Callable[..., Any], /, *args: Any) -> Any:
        """``func(*args)``; what it sets of the context is set here as well."""
        result, error, seen = await self.start(functools.partial(_traced, func, args))
        context.adopt(seen)
        if error is not None:
            try:
                raise error
            finally:
                error = None  # its traceback refers to this frame
        return result


def _traced(
    func: Callable[..., Any], args: tuple[Any, ...]
) -> tuple[Any, BaseException | None, contextvars.Context]:
    try:
        return func(*args), None, contextvars.copy_context()
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        # what it has set is wanted all the more: the log of the error needs it
        return None, error, contextvars.copy_context()
