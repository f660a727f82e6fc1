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

"""The eventlet hub: the standard loop in a green thread, sync code in others."""

import asyncio
from collections.abc import Callable
import contextvars
import os
import pkgutil
import sys
import types
from typing import Any
import warnings

# Our resolver takes the place of greendns; without this, importing eventlet
# imports dnspython as well.
os.environ.setdefault("EVENTLET_NO_GREENDNS", "yes")

with warnings.catch_warnings():
    # eventlet says at import that it is deprecated; whoever chose this hub in
    # a config file knows, and cannot change the code that imports it
    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
    import eventlet
    from eventlet import greenthread
    import eventlet.hubs
    import eventlet.patcher
import greenlet

from oslo_asyncio import _bridge
from oslo_asyncio import _completions
from oslo_asyncio import _strand
from oslo_asyncio import _synctask
from oslo_asyncio import _unpatched
from oslo_asyncio import exceptions
from oslo_asyncio import hub
from oslo_asyncio._hubs import _selector

_NATIVE_IN_ASYNCIO = ("os", "select", "socket", "subprocess", "threading", "time")


class GreenLoop(_selector.SelectorLoop):
    """The standard loop on a selector that switches green threads."""

    def __init__(self) -> None:
        from oslo_asyncio._hubs import _green_selector

        super().__init__(_green_selector.GreenSelector())

    def _start_serving(
        self, protocol_factory: Callable[..., Any], sock: Any, *args: Any, **kwargs: Any
    ) -> None:
        # a green listener would accept green sockets, for each of whose calls
        # the loop pays a Python function
        super()._start_serving(protocol_factory, _native(sock), *args, **kwargs)

    def _stop_serving(self, sock: Any) -> None:
        super()._stop_serving(_native(sock))


class GreenTask(_synctask.SyncTask):
    """Sync code in a green thread, which begins at once.

    What ends without having waited for anything has its result here before the
    loop goes on, and costs neither a wake-up nor another turn of the loop.
    """

    def __init__(
        self,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(loop=loop)
        self.name = _synctask.name_of(func)
        self._completions = _completions.of(loop)
        self._context = contextvars.copy_context()
        self._at_once = True
        # no mere greenlet: threading.current_thread() knows this kind
        self._green = greenthread.GreenThread(greenlet.getcurrent())
        self._begin(func, args, kwargs)

    def kill(self) -> bool:
        """End the sync code where it waits; its ``finally`` blocks run."""
        if self._green.dead or self.done():
            return False
        self._green.kill()
        self.cancel()
        return True

    def frame(self) -> types.FrameType | None:
        found: types.FrameType | None = self._green.gr_frame
        return found

    def _begin(
        self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        # It ends in its parent, which is the loop as long as it has not waited.
        # When it waits, eventlet goes on, and comes back here by the timer.
        hub = eventlet.hubs.get_hub()
        hub.ensure_greenlet()
        back = hub.schedule_call_global(0, self._green.parent.switch)
        loop = asyncio._get_running_loop()
        asyncio._set_running_loop(None)
        try:
            self._green.switch(self._run, (func, args, kwargs), {})
        finally:
            asyncio._set_running_loop(loop)
        if self._green.dead:
            back.cancel()
        else:
            self._green.parent = hub.greenlet
            self._at_once = False

    def _run(
        self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        try:
            result = self._context.run(func, *args, **kwargs)
        except greenlet.GreenletExit:
            try:
                self.get_loop().call_soon_threadsafe(self.cancel)
            except RuntimeError:
                pass  # the loop is closed, and nobody waits
        except BaseException as error:
            self._completions.post(self, None, error)
        else:
            if self._at_once:
                self.set_result(result)
            else:
                # The loop does not run while this does, and may sleep:
                # completions wake it, future.set_result would not.
                self._completions.post(self, result, None)


class GreenStrand(_strand.Strand):
    """A green thread that no loop waits for."""

    def __init__(self, func: Callable[[], None]) -> None:
        self._home = _bridge.home() or _bridge.aside()
        self._green: Any = None
        if self._home is None or self._home.on_native_thread():
            self._start(func)
        else:  # green threads of this native thread would never get a turn
            self._home.loop.call_soon_threadsafe(self._start, func)
        self.ident = id(self._green or self)

    def kill(self) -> bool:
        """End it where it waits; its ``finally`` blocks run."""
        here = self._home is None or self._home.on_native_thread()
        if here and asyncio._get_running_loop() is None:
            self._kill()
        elif here:  # it may switch while it ends, which the loop must not
            self._kill_soon()
        else:
            self._home.loop.call_soon_threadsafe(self._kill_soon)  # type: ignore[union-attr]
        return True

    def frame(self) -> types.FrameType | None:
        found: types.FrameType | None = self._green and self._green.gr_frame
        return found

    def _start(self, func: Callable[[], None]) -> None:
        self._green = eventlet.spawn(func)

    def _kill(self) -> None:
        if not self._green.dead:
            self._green.kill()

    def _kill_soon(self) -> None:
        eventlet.hubs.get_hub().schedule_call_global(0, self._kill)


class EventletHub(hub.Hub):
    """For services that still rely on eventlet: both kinds of code, one process."""

    name = "eventlet"
    characteristics = frozenset(
        {hub.Characteristic.KILLABLE_SYNC, hub.Characteristic.GREEN_STDLIB}
    )

    def __init__(self) -> None:
        self._pid = os.getpid()

    def prepare(self) -> None:
        """Patch the standard library, and keep asyncio on the real one."""
        eventlet.monkey_patch()
        # forget the hub that patching has made, with its epoll: the parent of
        # workers has no use for one, and who needs one gets it.  It refers to
        # itself, and would stay until somebody collects garbage.
        epoll = getattr(eventlet.hubs.get_hub(), "poll", None)
        eventlet.hubs.use_hub()
        if epoll is not None and hasattr(epoll, "close"):
            epoll.close()
        from oslo_asyncio._hubs import _green_names

        _green_names.install()

    def check(self) -> None:
        """Refuse a process that nobody has patched, or with a foreign hub."""
        if not _unpatched.patched():
            raise exceptions.HubUnavailable(
                self.name,
                "nothing has patched the standard library of this process",
                "call oslo_asyncio.hub.setup() in the first line of the program, "
                "with the same config files",
            )
        used = _hub_class().__module__
        if used == "eventlet.hubs.asyncio":
            raise exceptions.HubUnavailable(
                self.name,
                "eventlet runs on its own asyncio hub, which has taken the loop",
                "take EVENTLET_HUB and eventlet.hubs.use_hub() out",
            )
        _keep_asyncio_native()
        # now, or what the program starts before the loop runs would be lost
        self._begin_anew()

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        """A new loop, in the process and thread that will run it."""
        self._begin_anew()
        return GreenLoop()

    def _begin_anew(self) -> None:
        """In a forked process: a hub that the parent has used is one epoll for both."""
        if os.getpid() == self._pid:
            return
        from oslo_asyncio._hubs import _green_names

        used = _hub_class()
        eventlet.hubs.use_hub(f"{used.__module__}:{used.__qualname__}")
        _green_names.forget_pool()  # whose green thread was the old hub's
        self._pid = os.getpid()

    def spawn_sync(
        self, func: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> hub.SyncTask:
        """Start ``func(*args, **kwargs)`` in a green thread."""
        return GreenTask(func, args, kwargs, asyncio.get_running_loop())

    def spawn_thread(self, func: Callable[[], None], name: str) -> hub.Strand:
        """Start ``func()`` in a green thread."""
        self._begin_anew()
        return GreenStrand(func)


def _hub_class() -> type:
    """The class of eventlet's hub, without making one."""
    local = eventlet.hubs._threadlocal
    if not hasattr(local, "Hub"):
        eventlet.hubs.use_hub()
    found: type = local.Hub
    return found


def _native(sock: Any) -> Any:
    """The real socket inside a green one."""
    return getattr(sock, "fd", sock)


def _keep_asyncio_native() -> None:
    """Give asyncio's modules the real standard library back.

    A loop works with descriptors that do not block.  The green ``os.write``
    would wait for a full pipe, and the loop with it; a green child watcher
    would poll.
    """
    for info in pkgutil.iter_modules(asyncio.__path__, "asyncio."):
        module = sys.modules.get(info.name)
        for name in _NATIVE_IN_ASYNCIO if module else ():
            if getattr(module, name, None) is sys.modules.get(name):
                setattr(module, name, eventlet.patcher.original(name))
