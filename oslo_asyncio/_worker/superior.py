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

"""To whom a worker reports: its supervisor, or the service manager itself."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from oslo_asyncio import _record


class Orders(_record.Record):
    """What a superior may ask of a worker; called on the loop."""

    hurry: Callable[[], None]
    mutate: Callable[[], None]
    orphaned: Callable[[], None]


class Superior(Protocol):
    """Hears how far a worker has come.

    :ivar supervised: whether signals of the terminal are for somebody else.
    """

    supervised: bool

    def open(self, loop: asyncio.AbstractEventLoop, orders: Orders) -> None:
        """The loop stands; orders may come from now on."""

    def ready(self) -> None:
        """All services have started."""

    def reloading(self) -> None:
        """The services are being reloaded."""

    def reloaded(self) -> None:
        """They have been reloaded, or go on with what they had."""

    def leaving(self, seconds: float | None) -> None:
        """The services stop, which may take so long."""

    def beat(self, rss: int) -> None:
        """The loop turns; the process uses ``rss`` bytes, 0: not measured."""

    def close(self) -> None:
        """The loop ends."""


class Nobody:
    """A launcher in a thread, which nobody looks after."""

    supervised = False

    def open(self, loop: asyncio.AbstractEventLoop, orders: Orders) -> None:
        """There will be none."""

    def ready(self) -> None:
        """Nobody hears it."""

    reloading = reloaded = close = ready

    def leaving(self, seconds: float | None) -> None:
        """Nobody hears it."""

    def beat(self, rss: int) -> None:
        """Nobody hears it."""
