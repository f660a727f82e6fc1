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

"""What is to be done in each worker before and after its services."""

import asyncio
from collections.abc import Callable
import logging
from typing import Any

from oslo_asyncio import hub as hub_module
from oslo_asyncio._worker import deadline

LOG = logging.getLogger(__name__)

_hooks: list[Callable[[], Any]] = []
_stop_hooks: list[Callable[[], Any]] = []


def on_worker_start(hook: Callable[[], Any]) -> Callable[[], Any]:
    """Call ``hook`` in each worker process before its services start.

    For what a forked process must have of its own: the seed of numpy's random
    numbers, a debugger's port, a metrics directory.  Python's own ``random`` is
    seeded anew by Python.  In one process it is called once.  Hooks run on the
    loop's thread, in the order in which they were added; a hook that fails ends
    the worker with status 1.

    :param hook: a sync function without arguments.
    :returns: the hook, so that this can be used as a decorator.

    >>> import oslo_asyncio
    >>> from oslo_asyncio import service
    >>> @service.on_worker_start
    ... def seed():
    ...     print("worker", oslo_asyncio.worker_id())
    """
    _hooks.append(hook)
    return hook


def run() -> bool:
    """Call all of them; False when one has failed."""
    for hook in _hooks:
        try:
            hook()
        except Exception:
            LOG.exception("on_worker_start hook %r failed", hook)
            return False
    return True


def on_worker_stop(hook: Callable[[], Any]) -> None:
    """Call ``hook`` beside the loop when the services of a worker have stopped.

    :param hook: a sync function without arguments, which may block: the deadline
        of the stop is its deadline.
    """
    _stop_hooks.append(hook)


async def run_stopping(hub: hub_module.Hub, limit: deadline.Deadline) -> bool:
    """Call them, at once; False when one has not returned at the deadline."""
    tasks = [hub.spawn_sync(hook) for hook in _stop_hooks]
    await limit.within(*(asyncio.wait([task]) for task in tasks))
    for hook, task in zip(_stop_hooks, tasks, strict=True):
        if not task.done():
            LOG.error(
                "%(hook)r has not returned within graceful_shutdown_timeout and is "
                "left behind; it is at\n%(stack)s",
                {"hook": hook, "stack": task.stack().rstrip()},
            )
        elif task.exception() is not None:
            LOG.error("%r failed", hook, exc_info=task.exception())
    return all(task.done() for task in tasks)
