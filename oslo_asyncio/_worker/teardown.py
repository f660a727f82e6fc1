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

"""What is left on a loop when its services have stopped."""

import asyncio
import logging
from typing import Any

from oslo_asyncio._worker import lifecycle

LOG = logging.getLogger(__name__)

#: Seconds that cancelled tasks, and then async generators, are given to clean
#: up after themselves.
_CANCEL = 0.5


async def tear_down(loop: asyncio.AbstractEventLoop, seconds: float | None) -> None:
    """Cancel tasks, close generators, and let the pools finish.

    :param seconds: how long blocking calls may still take; None: no limit.
    """
    await _cancel_tasks()
    await asyncio.wait(
        [asyncio.ensure_future(loop.shutdown_asyncgens())], timeout=_CANCEL
    )
    pools: Any = getattr(loop, "close_pools", None)
    if pools is not None:  # one of ours
        await pools(seconds)


async def _cancel_tasks() -> None:
    mine = asyncio.current_task()
    tasks = [task for task in asyncio.all_tasks() if task is not mine]
    for task in tasks:
        task.cancel()
    if not tasks:
        return
    done, left = await asyncio.wait(tasks, timeout=_CANCEL)
    for task in left:
        LOG.error(
            "Task %(name)s goes on after it was cancelled and is left behind; it is "
            "at\n%(stack)s",
            {
                "name": task.get_name(),
                "stack": lifecycle.coroutine_stack(task.get_coro()).rstrip(),
            },
        )
    for task in done:
        if not task.cancelled() and task.exception() is not None:
            LOG.error(
                "Task %s failed while the loop ended",
                task.get_name(),
                exc_info=task.exception(),
            )
