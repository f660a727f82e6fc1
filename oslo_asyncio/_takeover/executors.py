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

"""The threads in which unmodified servers of oslo.messaging do their work.

A server asks for an executor by its name, ``threading`` or ``eventlet``, in its code,
and gets one of futurist's.  The hub is chosen in the config file, and a green
executor without green threads never begins a call.  So here either name means what
the hub has: native threads, or green ones on eventlet.

futurist 3.5 starts one more thread for each call until there are
``executor_thread_pool_size``, and each looks once a second whether it is to end.
Threads of ours start when a call finds none idle, wait without a look at the clock,
and leave when they have been idle for ``[oslo_asyncio] pool_idle_timeout``.
"""

import atexit
from collections.abc import Callable
import concurrent.futures
import functools
import logging
import os
import threading
import types
from typing import Any
from typing import ParamSpec
from typing import TypeVar
import weakref

from oslo_asyncio import _call
from oslo_asyncio import _forked
from oslo_asyncio import executor as executor_module
from oslo_asyncio import hub as hub_module
from oslo_asyncio._takeover import green

LOG = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

_NAMES = ("eventlet", "threading")
_NAMESPACE = "oslo.messaging.executors"

_executors: "weakref.WeakSet[Executor]" = weakref.WeakSet()


def extend(server: types.ModuleType) -> None:
    """Let the servers of ``oslo_messaging.server`` work in threads of ours.

    :param server: that module, just imported.
    """
    drivers: Any = getattr(server, "driver", None)
    handling: Any = getattr(server, "MessageHandlingServer", None)
    if not hasattr(drivers, "DriverManager") or handling is None:
        LOG.warning(
            "This oslo.messaging is not known to oslo-asyncio: its servers work in "
            "threads of their own"
        )
        return
    vars(server)["driver"] = _Drivers(drivers)
    original = handling.__init__

    @functools.wraps(original)
    def init(self: Any, transport: Any, dispatcher: Any, executor: Any = None) -> None:
        # without a name it finds out itself what this process has
        name = None if executor in _NAMES else executor
        original(self, transport, dispatcher, name)

    handling.__init__ = init


class _Drivers:
    """stevedore's module, for which the two executors are ours."""

    def __init__(self, module: types.ModuleType) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)

    def DriverManager(
        self, namespace: str, name: str, *args: Any, **kwargs: Any
    ) -> Any:
        if namespace == _NAMESPACE and name in _NAMES:
            return types.SimpleNamespace(driver=Executor)
        return self._module.DriverManager(namespace, name, *args, **kwargs)


class Executor(concurrent.futures.Executor):
    """Runs calls beside the loop, submitted from any thread.

    :param max_workers: how many calls run at the same time;
        ``executor_thread_pool_size``.
    :raises ValueError: that is less than one.

    In a child that somebody forks it is as new: threads and calls are the parent's.
    """

    def __init__(self, max_workers: int) -> None:
        if max_workers < 1:
            raise ValueError(
                f"executor_thread_pool_size is {max_workers}: without a thread no "
                f"call is answered; set it to 1 or more"
            )
        self._threads = _threads(max_workers)
        self._reset()
        _executors.add(self)

    def begin_anew(self) -> None:
        """In a child that was forked."""
        if isinstance(self._threads, green.Threads):
            self._threads.begin_anew()  # a pool of native ones does so by itself
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._change = threading.Condition()  # a green one where threads are green
        self._unfinished = 0
        self._closed = False

    def submit(
        self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> "concurrent.futures.Future[T]":
        """Begin ``fn(*args, **kwargs)`` as soon as a thread is free.

        It sees a copy of the caller's context variables.

        :raises RuntimeError: after :meth:`shutdown`.
        """
        future: concurrent.futures.Future[T] = concurrent.futures.Future()
        with self._change:
            if self._closed:
                raise RuntimeError("cannot schedule new futures after shutdown")
            self._unfinished += 1
        run = functools.partial(self._run, future, fn, args, kwargs)
        try:
            self._threads.put(_call.Errand(self._threads, fn, run))
        except RuntimeError:  # the system starts no thread
            self._finished()
            raise
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls.

        :param wait: return when those that were submitted have ended.
        :param cancel_futures: is not heeded: who has submitted them was promised an
            answer.
        """
        with self._change:
            self._closed = True
        if wait:
            self.join()
        self._threads.dismiss()

    def join(self) -> None:
        """Return when no call is running or waiting for a thread."""
        with self._change:
            self._change.wait_for(lambda: not self._unfinished)

    def _run(
        self,
        future: "concurrent.futures.Future[Any]",
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        """In a thread of the pool."""
        pid = self._pid
        try:
            if future.set_running_or_notify_cancel():
                future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            if isinstance(error, SystemExit) and _forked.is_copy_of(pid):
                _forked.leave(error)  # a child that fn has forked
            future.set_exception(error)
        finally:
            if not _forked.is_copy_of(pid):
                self._finished()

    def _finished(self) -> None:
        with self._change:
            self._unfinished -= 1
            if not self._unfinished:
                self._change.notify_all()


def _threads(limit: int) -> Any:
    hub = hub_module.find()
    if hub_module.Characteristic.GREEN_STDLIB in hub.characteristics:
        return green.Threads(hub, limit)
    idle_timeout = executor_module.get_pool().idle_timeout
    return executor_module.Pool("messaging", limit, idle_timeout)


def _after_fork() -> None:
    for each in list(_executors):
        each.begin_anew()


def _at_exit() -> None:
    # as with every executor of Python: what was begun is finished
    for each in list(_executors):
        each.shutdown()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
