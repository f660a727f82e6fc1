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

"""A service in one process speaks to systemd itself."""

import asyncio
import os

from oslo_asyncio import systemd
from oslo_asyncio._worker import superior


class Alone:
    """Tells the service manager what happens, and feeds its watchdog."""

    supervised = False

    def __init__(self, notifier: systemd.Notifier) -> None:
        self._notifier = notifier
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ping: asyncio.TimerHandle | None = None

    def open(self, loop: asyncio.AbstractEventLoop, orders: superior.Orders) -> None:
        """Orders come as signals."""
        self._loop = loop

    def ready(self) -> None:
        """All services have started."""
        self._notifier.send("READY=1", f"MAINPID={os.getpid()}", "STATUS=ready")
        if self._notifier.watchdog:
            self._feed()

    def reloading(self) -> None:
        """The services are being reloaded."""
        self._notifier.reloading("reloading")

    def reloaded(self) -> None:
        """They have been reloaded, or go on with what they had."""
        self._notifier.ready("ready")

    def leaving(self, seconds: float | None) -> None:
        """The services stop."""
        self._notifier.stopping("stopping")
        if seconds is not None:
            self._notifier.extend(seconds)

    def beat(self, rss: int) -> None:
        """Nobody replaces this process."""

    def close(self) -> None:
        """The loop ends."""
        if self._ping is not None:
            self._ping.cancel()
        self._loop = None

    def _feed(self) -> None:
        # on the loop: a loop that is blocked is not alive
        self._notifier.alive()
        assert self._loop is not None
        assert self._notifier.watchdog is not None
        self._ping = self._loop.call_later(self._notifier.watchdog, self._feed)
