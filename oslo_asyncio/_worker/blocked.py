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

"""Who blocks the loop, while it blocks."""

import asyncio
import logging
import sys
import traceback
from typing import Any

from oslo_asyncio import _bridge
from oslo_asyncio import _unpatched

LOG = logging.getLogger(__name__)


class Watcher:
    """A native thread that asks the loop for a sign of life.

    asyncio's debug mode reports a slow callback when it has returned; one that
    never returns is never reported.  This one looks while it blocks.

    :param loop: the running loop; the watcher is made on its thread.
    :param seconds: what counts as blocked.
    :param green: whether the process is patched by eventlet.  Then a native
        thread must not log: the stack goes to stderr at once, and to the log
        when the loop is back.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, seconds: float, green: bool
    ) -> None:
        self._loop = loop
        self._seconds = seconds
        self._green = green
        self._home = _bridge.home()
        self._alive = _unpatched.threading.Event()
        self._ended = _unpatched.threading.Event()
        self._thread = _unpatched.threading.Thread(
            target=self._watch, name="loop-watcher", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._ended.set()
        self._alive.set()

    def _watch(self) -> None:
        while not self._ended.is_set():
            self._alive.clear()
            try:
                self._loop.call_soon_threadsafe(self._alive.set)
            except RuntimeError:
                return  # the loop is closed
            if not self._alive.wait(self._seconds):
                self._report()
                self._alive.wait()
            self._ended.wait(self._seconds / 2)

    def _report(self) -> None:
        text = (
            f"The loop has been blocked for more than {self._seconds:g} s, at\n"
            f"{self._stack().rstrip()}"
        )
        if not self._green:
            LOG.warning("%s", text)
            return
        try:
            _unpatched.os.write(2, text.encode(errors="replace") + b"\n")
        except OSError:
            pass
        self._loop.call_soon_threadsafe(LOG.warning, "%s", text)

    def _stack(self) -> str:
        home = self._home
        frame: Any = None
        if home is not None:
            # the loop's green thread, if it is not the one that runs now
            frame = getattr(home.greenlet, "gr_frame", None)
            frame = frame or sys._current_frames().get(home.thread)
        if frame is None:
            return "  (unknown)"
        return "".join(traceback.format_stack(frame))
