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

"""Methods that are called at intervals.

A class lists what it has to do now and then; a looping call, or any other loop,
calls :meth:`PeriodicTasks.run_periodic_tasks` and learns when to come again.
Tasks may be ``def`` (they run beside the loop) or ``async def`` (on it).

>>> from oslo_config import cfg
>>> from oslo_asyncio import periodic_task
>>> class Cleaner(periodic_task.PeriodicTasks):
...     @periodic_task.periodic_task(spacing=10, run_immediately=True)
...     def sweep(self, context):
...         print("swept for", context)
>>> conf = cfg.ConfigOpts()
>>> conf([])
>>> Cleaner(conf).run_periodic_tasks("admin")
swept for admin
10
"""

import asyncio
from collections.abc import Callable
from collections.abc import Iterator
import copy
import logging
import random
import time
from typing import Any
from typing import overload
from typing import TypeVar

from oslo_config import cfg

from oslo_asyncio import _anywhere
from oslo_asyncio import _clock
from oslo_asyncio import _either
from oslo_asyncio import _processes
from oslo_asyncio import _tasks
from oslo_asyncio import exceptions
from oslo_asyncio import hub as hub_module
from oslo_asyncio import opts

LOG = logging.getLogger(__name__)

#: Seconds between two runs of a task that names no spacing, and the most that
#: :meth:`PeriodicTasks.run_periodic_tasks` returns.
DEFAULT_INTERVAL = 60.0

InvalidPeriodicTaskArg = exceptions.InvalidPeriodicTaskArg

F = TypeVar("F", bound=Callable[..., Any])

_ARGUMENTS = frozenset(
    {"spacing", "run_immediately", "enabled", "external_process_ok", "name"}
)


def now() -> float:
    """Seconds of the clock by which tasks are due."""
    return _clock.now()


def list_opts() -> list[tuple[str | None, list[cfg.Opt]]]:
    """The option of periodic tasks, for oslo-config-generator."""
    return [(None, copy.deepcopy(opts.periodic_opts))]


@overload
def periodic_task(task: F, /) -> F: ...


@overload
def periodic_task(
    *,
    spacing: float = ...,
    run_immediately: bool = ...,
    enabled: bool = ...,
    external_process_ok: bool = ...,
    name: str | None = ...,
) -> Callable[[F], F]: ...


def periodic_task(*args: Any, **kwargs: Any) -> Any:
    """Make a method a periodic task, ``def`` or ``async def``.

    Written with arguments, or plainly as ``@periodic_task``.

    :param spacing: seconds from one run to the next. 0, which is the default,
        means :data:`DEFAULT_INTERVAL`, and a negative number switches the task
        off.
    :param run_immediately: whether it is due from the beginning; otherwise it is
        due for the first time one spacing after its object was made.
    :param enabled: False switches it off.
    :param external_process_ok: whether it can as well run in another process:
        here it runs only if the option ``run_external_periodic_tasks`` is true.
    :param name: what logs call it; default: the name of the function.
    :raises InvalidPeriodicTaskArg: for any other argument.

    >>> from oslo_asyncio import periodic_task
    >>> class Agent(periodic_task.PeriodicTasks):
    ...     @periodic_task.periodic_task
    ...     def report(self, context): ...
    ...     @periodic_task.periodic_task(spacing=5, run_immediately=True)
    ...     async def poll(self, context): ...
    """
    for unknown in [*map(repr, args[1:]), *sorted({*kwargs} - _ARGUMENTS)]:
        raise InvalidPeriodicTaskArg(unknown)
    if not args:
        return lambda task: _mark(task, **kwargs)
    if kwargs or not callable(args[0]):
        raise InvalidPeriodicTaskArg(repr(args[0]))
    return _mark(args[0])


def _mark(
    task: Any,
    spacing: float = 0,
    run_immediately: bool = False,
    enabled: bool = True,
    external_process_ok: bool = False,
    name: str | None = None,
) -> Any:
    # under the names that oslo.service gives them, for projects' tests read them
    task._periodic_task = True
    task._periodic_external_ok = external_process_ok
    task._periodic_enabled = enabled
    task._periodic_name = name or task.__name__
    task._periodic_spacing = spacing or DEFAULT_INTERVAL
    task._periodic_immediate = run_immediately
    task._periodic_last_run = None if run_immediately else now()
    return task


class PeriodicTasks(metaclass=_tasks.Collecting):
    """A class with periodic tasks, which somebody has to run.

    Subclasses inherit tasks.  One that they define again under the same name
    takes the place of the inherited one, and ``enabled=False`` takes it away.

    :param conf: the program's configuration.
    :ivar _periodic_tasks: names and functions, which oslo.service's users read.
    :ivar _periodic_spacing: seconds by name.

    A service that runs what is due, and does nothing until the next task is:

    >>> from oslo_asyncio import periodic_task
    >>> from oslo_asyncio import service
    >>> class Duties(periodic_task.PeriodicTasks):
    ...     @periodic_task.periodic_task(spacing=30)
    ...     async def report(self, context):
    ...         print("alive")
    >>> class Agent(service.Service):
    ...     def __init__(self, conf):
    ...         super().__init__()
    ...         self.duties = Duties(conf)
    ...     def start(self):
    ...         self.tg.add_dynamic_timer(self.duties.run_periodic_tasks, context=None)
    """

    _periodic_tasks: list[tuple[str, Any]]
    _periodic_spacing: dict[str, float]

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        super().__init__()
        self.conf = conf
        self.conf.register_opts(opts.periodic_opts)
        self._periodic_last_run: dict[str, float | None] = {}
        for _name, task in self._periodic_tasks:
            self._begin(task)

    def add_periodic_task(self, task: Any) -> None:
        """Add a task to this instance; the class and its others do not have it.

        :param task: a function with :func:`periodic_task` on it, which takes the
            instance and the context.
        """
        if _tasks.add(self, task):
            self._begin(task)

    def _begin(self, task: Any) -> None:
        # not from when the function was defined, which may be long ago
        last_run = None if task._periodic_last_run is None else now()
        self._periodic_last_run[task._periodic_name] = last_run

    def run_periodic_tasks(self, context: Any, raise_on_error: bool = False) -> Any:
        """Run what is due, one after the other.

        Called by sync code, it runs sync tasks right there and async ones on the
        loop.  Called by async code, it has to be awaited; async tasks run there,
        and sync ones beside the loop.

        :param context: what each task gets as its argument.
        :param raise_on_error: whether what a task raises is raised here, and ends
            the run; otherwise it is logged, and the next one runs.
        :returns: seconds until something is due again, and not more than
            :data:`DEFAULT_INTERVAL`; in async code, an awaitable of them.
        """
        if _anywhere.on_loop():
            return self._run_on_loop(context, raise_on_error)
        turn = _Turn(self)
        for name, task in turn:
            with _tasks.handled(name, raise_on_error):
                _either.call(task, self, context)
            time.sleep(0)  # where threads are green, others have their turn
        return turn.idle_for

    async def _run_on_loop(self, context: Any, raise_on_error: bool) -> float:
        turn = _Turn(self)
        for name, task in turn:
            with _tasks.handled(name, raise_on_error):
                await _either.call_from_loop(task, self, context)
            await asyncio.sleep(0)
        return turn.idle_for

    def run_periodic_tasks_in_parallel(
        self,
        context: Any,
        raise_on_error: bool = False,
        processes: int | None = None,
    ) -> Any:
        """Run what is due, tasks in processes of their own.

        For tasks that compute.  The processes are fresh interpreters (the start
        method ``spawn``), which share nothing with this one: the instance and
        the context are pickled, and what a task changes in them is lost.  They are
        started for this call, which costs about 0.1 s and an import of the
        program's modules each, and end with it, or with this process.

        :param context: as for :meth:`run_periodic_tasks`.
        :param raise_on_error: whether the first exception is raised here, when all
            have ended; otherwise each is logged.
        :param processes: how many at most; default: one per CPU.
        :returns: as :meth:`run_periodic_tasks`.
        :raises NativeHubRequired: on a hub with green threads.
        :raises NotPicklable: the instance or the context cannot be sent; nothing
            has run then.
        """
        if _anywhere.on_loop():
            run = self._run_in_parallel
            return hub_module.find().spawn_sync(run, context, raise_on_error, processes)
        return self._run_in_parallel(context, raise_on_error, processes)

    def _run_in_parallel(
        self, context: Any, raise_on_error: bool, processes: int | None
    ) -> float:
        instead = "call run_periodic_tasks()"
        _processes.check("run_periodic_tasks_in_parallel", instead)
        before = dict(self._periodic_last_run)
        turn = _Turn(self)
        due = [*turn]
        try:
            failures = _processes.run(due, (self, context), processes) if due else []
        except exceptions.NotPicklable:
            self._periodic_last_run.update(before)
            raise
        for name, error in failures:
            with _tasks.handled(name, raise_on_error):
                raise error
        return turn.idle_for


class _Turn:
    """What is due, one task after the other, and when to come again."""

    def __init__(self, owner: PeriodicTasks) -> None:
        self.idle_for = DEFAULT_INTERVAL
        self._owner = owner

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        owner = self._owner
        for name, task in owner._periodic_tasks:
            external = task._periodic_external_ok
            if external and not owner.conf.run_external_periodic_tasks:
                continue
            if self._is_due(name):
                full = f"{type(owner).__name__}.{name}"
                LOG.debug("Running periodic task %s", full)
                yield full, task

    def _is_due(self, name: str) -> bool:
        spacing = self._owner._periodic_spacing[name]
        last_run = self._owner._periodic_last_run[name]
        self.idle_for = min(self.idle_for, spacing)
        left = 0.0 if last_run is None else last_run + spacing - now()
        if left > 0:
            self.idle_for = min(self.idle_for, left)
            return False
        boundary = _nearest_boundary(last_run, spacing)
        self._owner._periodic_last_run[name] = boundary
        return True


def _nearest_boundary(last_run: float | None, spacing: float) -> float:
    """The last multiple of ``spacing`` after ``last_run``, and some jitter.

    So a task that runs late is not late for ever.  The jitter, whole seconds up
    to a twentieth of the spacing, keeps tasks from staying in step; spacings
    under 20 s have none.  Both are oslo.service's.
    """
    current = now()
    if last_run is None:
        return current
    late = (current - last_run) % spacing
    return current - late + int(spacing * random.random() / 20)
