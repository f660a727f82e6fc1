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

"""What a project wants done in each worker before its services start."""

from collections.abc import Callable
import logging
from typing import Any

LOG = logging.getLogger(__name__)

_hooks: list[Callable[[], Any]] = []


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
