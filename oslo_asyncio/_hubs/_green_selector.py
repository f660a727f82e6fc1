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

"""A selector that lets green threads run while the loop waits."""

import asyncio
from collections.abc import Mapping
import selectors
from typing import Any

import eventlet
from eventlet import hubs

from oslo_asyncio import _unpatched


class _Elapsed(Exception):
    """The time that the loop wanted to sleep is over."""


class GreenSelector(selectors.BaseSelector):
    """An epoll object of its own, watched by eventlet's.

    The loop's sockets are registered here and not with eventlet, and the loop
    sleeps until *this* epoll object is readable: one descriptor for eventlet,
    whatever the number of sockets.  So green code keeps eventlet's full speed
    and async code runs next to it.

    eventlet has its own asyncio hub; it turns eventlet over to asyncio, is a
    third slower on sockets, and fails in most orders of patch, fork and
    use_hub.
    """

    def __init__(self) -> None:
        native = _unpatched.select
        self._read = native.EPOLLIN
        self._write = native.EPOLLOUT
        self._epoll = native.epoll()
        self._keys = _Keys()
        self._beside: asyncio.AbstractEventLoop | None = None

    def register(
        self, fileobj: Any, events: int, data: Any = None
    ) -> selectors.SelectorKey:
        fd = _descriptor(fileobj)
        if fd in self._keys:
            raise KeyError(f"{fileobj!r} (FD {fd}) is already registered")
        self._epoll.register(fd, self._mask(events))
        key = self._keys[fd] = selectors.SelectorKey(fileobj, fd, events, data)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        key = self._keys.pop(self._fd_of(fileobj))
        try:
            self._epoll.unregister(key.fd)
        except OSError:
            pass  # the descriptor was closed first; the kernel has forgotten it
        return key

    def modify(
        self, fileobj: Any, events: int, data: Any = None
    ) -> selectors.SelectorKey:
        fd = self._fd_of(fileobj)
        key = self._keys[fd]
        if key.events != events:
            self._epoll.modify(fd, self._mask(events))
        key = self._keys[fd] = key._replace(events=events, data=data)
        return key

    def select(
        self, timeout: float | None = None
    ) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._epoll.poll(0)
        # To asyncio a loop runs in a native thread, and so in every green thread
        # there is.  It runs in one of them: the others get back what they saw.
        loop = asyncio._get_running_loop()
        asyncio._set_running_loop(self._beside)
        try:
            if ready or (timeout is not None and timeout <= 0):
                # a loop that is never idle must not starve the green threads
                eventlet.sleep(0)
            else:
                self._sleep(timeout)
        finally:
            self._beside = asyncio._get_running_loop()
            asyncio._set_running_loop(loop)
        if not ready:
            ready = self._epoll.poll(0)
        return [
            (key, events)
            for fd, mask in ready
            if (key := self._keys.get(fd)) and (events := self._events(mask, key))
        ]

    def close(self) -> None:
        self._epoll.close()
        self._keys.clear()

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys

    def _sleep(self, timeout: float | None) -> None:
        try:
            hubs.trampoline(
                self._epoll, read=True, timeout=timeout, timeout_exc=_Elapsed
            )
        except _Elapsed:
            pass

    def _fd_of(self, fileobj: Any) -> int:
        try:
            return _descriptor(fileobj)
        except ValueError:
            for key in self._keys.values():  # closed already
                if key.fileobj is fileobj:
                    return key.fd
            raise

    def _mask(self, events: int) -> int:
        mask = self._read if events & selectors.EVENT_READ else 0
        return mask | (self._write if events & selectors.EVENT_WRITE else 0)

    def _events(self, mask: int, key: selectors.SelectorKey) -> int:
        # an error or a hang-up wakes readers and writers alike
        events = selectors.EVENT_READ if mask & ~self._write else 0
        if mask & ~self._read:
            events |= selectors.EVENT_WRITE
        return events & key.events


class _Keys(dict[Any, selectors.SelectorKey]):
    """By descriptor, and found by file object as well, as asyncio may ask."""

    def __getitem__(self, fileobj: Any) -> selectors.SelectorKey:
        return super().__getitem__(_descriptor(fileobj))

    def get(self, fileobj: Any, default: Any = None) -> Any:
        return super().get(_descriptor(fileobj), default)


def _descriptor(fileobj: Any) -> int:
    fd = fileobj if isinstance(fileobj, int) else int(fileobj.fileno())
    if fd < 0:
        raise ValueError(f"Invalid file descriptor: {fd}")
    return fd
