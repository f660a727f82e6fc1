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

"""What a launcher runs, and what it refuses."""

import abc
from typing import Any

from oslo_asyncio import exceptions
from oslo_asyncio import threadgroup
from oslo_asyncio._worker import config


class _Construction(abc.ABCMeta):
    """Knows when an object has been made."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        made = super().__call__(*args, **kwargs)
        if isinstance(made, ServiceBase):
            made._oslo_asyncio_made()
        return made


class ServiceBase(metaclass=_Construction):
    """What a launcher runs.

    Each of the four methods may be ``def`` or ``async def``: async ones run on
    the loop, sync ones beside it (in a native thread on the asyncio and uvloop
    hubs, in a green thread on the eventlet hub).  start(), stop() and reset()
    of one service never overlap.

    >>> from oslo_asyncio import service
    >>> class Ticker(service.ServiceBase):
    ...     async def start(self): self.ticks = 0
    ...     async def stop(self): pass
    ...     def wait(self): pass
    ...     def reset(self): pass
    """

    @abc.abstractmethod
    def start(self) -> Any:
        """Begin to work, and return.

        What it raises ends the launcher with status 1, after the services that
        had started are stopped.  A stop that comes meanwhile cancels an async
        start() and waits for a sync one; stop() is called after either.
        """

    @abc.abstractmethod
    def stop(self) -> Any:
        """End the work; called without arguments.

        It may take ``graceful_shutdown_timeout`` seconds.  The stop() methods
        of several services run at the same time.
        """

    @abc.abstractmethod
    def wait(self) -> Any:
        """Return when the work is done.

        Called once after each start(), beside the loop.  It may return at
        once, or do the work itself until stop() is called.  What it raises
        ends the launcher with status 1.
        """

    @abc.abstractmethod
    def reset(self) -> Any:
        """The configuration has changed (SIGHUP)."""

    # Long names: subclasses of real projects have all the short ones.

    def _oslo_asyncio_made(self) -> None:
        """``__init__`` has returned."""

    def _oslo_asyncio_enter(self) -> None:
        """A worker is about to start it, on the loop."""

    def _oslo_asyncio_blocks(self, method: str) -> bool:
        """Whether a sync method may block, and has to run beside the loop."""
        return True


class Service(ServiceBase):
    """A service to subclass: override what you need.

    :param threads: how many threads its group may have at the same time.
    :ivar tg: the :class:`oslo_asyncio.threadgroup.ThreadGroup` of its threads
        and timers.  What ``__init__`` adds begins when the service starts, in
        the process that runs it; it begins anew when the service is restarted
        in place.

    >>> from oslo_asyncio import service
    >>> class Hello(service.Service):
    ...     async def start(self):
    ...         self.tg.add_timer(1, print, None, "hello")
    """

    def __init__(self, threads: int = 1000) -> None:
        super().__init__()
        self.tg = threadgroup.ThreadGroup(threads)
        self.tg.hold()

    def start(self) -> Any:
        """Begin to work, and return."""

    def stop(self, graceful: bool = False) -> Any:
        """End the work; launchers call it without arguments.

        :param graceful: whether to wait for threads and calls of timers; see
            :meth:`oslo_asyncio.threadgroup.ThreadGroup.stop`.
        """
        return self.tg.stop(graceful)

    def wait(self) -> Any:
        """Return when the work is done: when the threads and timers have ended."""
        return self.tg.wait()

    def reset(self) -> Any:
        """The configuration has changed (SIGHUP)."""

    def _oslo_asyncio_made(self) -> None:
        group = vars(self).get("tg")
        if isinstance(group, threadgroup.ThreadGroup):
            group.made()

    def _oslo_asyncio_enter(self) -> None:
        group = vars(self).get("tg")
        if isinstance(group, threadgroup.ThreadGroup):
            group.release()

    def _oslo_asyncio_blocks(self, method: str) -> bool:
        # Those of this class return on the loop what is to be awaited there, and
        # a worker that only has these needs no thread at all.
        own = getattr(type(self), method) is getattr(Service, method)
        if not own or method in vars(self):
            return True
        return type(vars(self).get("tg")) is not threadgroup.ThreadGroup


def check_workers(workers: Any) -> int:
    """The number of workers.

    :raises InvalidWorkers: it is no whole number above zero, and not None.
    """
    if workers is None:
        return 1
    if not isinstance(workers, int) or isinstance(workers, bool) or workers < 1:
        raise exceptions.InvalidWorkers(workers)
    return workers


def check_service(service: Any) -> None:
    """Refuse what is no service.

    :raises NotAService: it is no instance of :class:`ServiceBase`.
    """
    if not isinstance(service, ServiceBase):
        raise exceptions.NotAService(service)


def check_restart_method(method: Any) -> None:
    """Refuse what is no restart method.

    :raises InvalidRestartMethod: it is neither "reload" nor "mutate".
    """
    if method not in config.RESTART_METHODS:
        raise exceptions.InvalidRestartMethod(method, config.RESTART_METHODS)
