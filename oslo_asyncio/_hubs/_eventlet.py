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
    import eventlet.hubs
    import eventlet.patcher
import greenlet

from oslo_asyncio import _completions
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
    """Sync code in a green thread."""

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
        self._green = eventlet.spawn(self._run, func, args, kwargs)

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

    def _run(
        self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        # The loop does not run while this does, and may sleep: completions
        # wake it, future.set_result would not.
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
            self._completions.post(self, result, None)


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

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        """A new loop, in the process and thread that will run it."""
        if os.getpid() != self._pid:
            # forked: a hub that the parent has used is one epoll for both
            used = _hub_class()
            eventlet.hubs.use_hub(f"{used.__module__}:{used.__qualname__}")
            self._pid = os.getpid()
        return GreenLoop()

    def spawn_sync(
        self, func: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> hub.SyncTask:
        """Start ``func(*args, **kwargs)`` in a green thread."""
        return GreenTask(func, args, kwargs, asyncio.get_running_loop())


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
