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

"""Periodic tasks: how they are collected, and what becomes of what they raise."""

import asyncio
from collections.abc import Iterator
import contextlib
import logging
import sys
from typing import Any

from oslo_asyncio import _anywhere

LOG = logging.getLogger(__name__)


def add(owner: Any, task: Any) -> bool:
    """Give a class, or one instance, a task that it may have by name already.

    The lists are new ones, for those of today may be somebody else's as well.

    :returns: whether it is switched on.
    """
    name: str = task._periodic_name
    tasks, spacings = dict(owner._periodic_tasks), dict(owner._periodic_spacing)
    negative = task._periodic_spacing < 0
    enabled: bool = task._periodic_enabled and not negative
    if enabled:
        tasks[name], spacings[name] = task, task._periodic_spacing
    else:
        why = "its spacing is negative" if negative else "it is disabled"
        LOG.info("Periodic task %(task)s is off: %(why)s", {"task": name, "why": why})
        tasks.pop(name, None)
        spacings.pop(name, None)
    owner._periodic_tasks, owner._periodic_spacing = [*tasks.items()], spacings
    return enabled


class Collecting(type):
    """Collects the tasks of a class and of its bases."""

    _periodic_tasks: list[tuple[str, Any]]
    _periodic_spacing: dict[str, float]

    def __init__(
        cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]
    ) -> None:
        super().__init__(name, bases, namespace)
        tasks: dict[str, Any] = {}
        spacings: dict[str, float] = {}
        for base in reversed(bases):
            tasks.update(getattr(base, "_periodic_tasks", ()))
            spacings.update(getattr(base, "_periodic_spacing", {}))
        cls._periodic_tasks, cls._periodic_spacing = [*tasks.items()], spacings
        for value in namespace.values():
            if getattr(value, "_periodic_task", False):
                cls._add_periodic_task(value)

    def _add_periodic_task(cls, task: Any) -> bool:
        return add(cls, task)


@contextlib.contextmanager
def handled(name: str, raise_on_error: bool) -> Iterator[None]:
    """Log what the task ``name`` raises, or let it pass."""
    try:
        yield
    except BaseException as error:  # eventlet's Timeout is no Exception
        if raise_on_error or _ends_the_run(error):
            raise
        LOG.exception("Periodic task %s failed", name)


def _ends_the_run(error: BaseException) -> bool:
    """Whether this is meant for who runs the tasks, and is no fault of a task."""
    if isinstance(error, asyncio.CancelledError) and _anywhere.on_loop():
        current = asyncio.current_task()
        return current is not None and current.cancelling() > 0
    killed = getattr(sys.modules.get("greenlet"), "GreenletExit", GeneratorExit)
    return isinstance(error, (KeyboardInterrupt, GeneratorExit, killed))
