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


"""Async code for whoever calls: sync or async, with or without a service.

The names of oslo.service are called from RPC threads, from ``async def``
methods, from unit tests and from scripts in which no service ever runs.  Here
a caller finds the loop that fits, and a loop that stands in where there is
none.
"""

import asyncio
from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Generator
import functools
import os
import threading
from typing import Any

from oslo_asyncio import _bridge
from oslo_asyncio import _synctask
from oslo_asyncio import hub as hub_module


def on_loop() -> bool:
    """Whether the caller is async code."""
    return asyncio._get_running_loop() is not None


def home() -> _bridge.LoopHome:
    """The loop for the caller: its own, its service's, or one that stands in."""
    running = asyncio._get_running_loop()
    found = _bridge.home()
    if running is not None:
        for known in (found, _bridge.aside()):
            if known is not None and known.loop is running:
                return known
        return _bridge.here(running)
    return found or _bridge.aside() or _start_aside()


def call(func: Callable[..., Awaitable[Any]], /, *args: Any, **kwargs: Any) -> Any:
    """Call the async function ``func`` for whoever calls.

    :returns: in async code what the call returns, to be awaited; in sync code,
        which is blocked until then, the result.
    """
    if on_loop():
        return func(*args, **kwargs)
    steps = functools.partial(func, *args, **kwargs)
    return _bridge.Bridge(home(), _synctask.name_of(func), steps).wait()


class _Nothing:
    def __await__(self) -> Generator[Any, None, None]:
        return
        yield


def nothing() -> Any:
    """What is returned where nothing has to be awaited: async code may do so."""
    return _Nothing() if on_loop() else None


def post(place: _bridge.LoopHome, callback: Callable[[], Any]) -> None:
    """Call ``callback`` on the loop of ``place``: now, if the caller is there."""
    if asyncio._get_running_loop() is place.loop:
        callback()
    else:
        place.loop.call_soon_threadsafe(callback)


class _Aside:
    """A loop beside the caller, until the process ends."""

    def __init__(self) -> None:
        self.runs = threading.Event()
        self.home: _bridge.LoopHome | None = None
        self.error: BaseException | None = None

    def start(self) -> None:
        try:
            self._hub = hub_module.find()
            self._hub.spawn_thread(self._run, "oslo_asyncio-loop")
        except BaseException as error:
            _aside.clear()
            self.error = error
            self.runs.set()
            raise

    def _run(self) -> None:
        loop = self._hub.new_event_loop()
        self.home = _bridge.settle(loop)
        loop.call_soon(self.runs.set)
        loop.run_forever()


_aside: dict[str, _Aside] = {}


def _start_aside() -> _bridge.LoopHome:
    mine = _Aside()
    # Not under a lock: it would have to be a green one here and a native one
    # there.  This dict method is atomic.
    used = _aside.setdefault("loop", mine)
    if used is mine:
        mine.start()
    used.runs.wait()
    if used.error is not None:
        raise used.error
    assert used.home is not None
    return used.home


os.register_at_fork(after_in_child=_aside.clear)
