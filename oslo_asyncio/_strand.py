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


"""A thread of its own, native or green, that no loop waits for."""

import abc
from collections.abc import Callable
import sys
import threading
import traceback
import types


class Strand(abc.ABC):
    """What :meth:`oslo_asyncio.hub.Hub.spawn_thread` returns.

    :ivar ident: a number that no other living thread of this process has.
    """

    ident: int

    @abc.abstractmethod
    def kill(self) -> bool:
        """End the thread at its next switch, where the hub can do that.

        :returns: whether it will end.
        """

    @abc.abstractmethod
    def frame(self) -> types.FrameType | None:
        """The innermost frame of the thread, or None if it does not run."""

    def stack(self) -> str:
        """Where the thread is now, one line per frame as in a traceback."""
        frame = self.frame()
        if frame is None:
            return "  (not running)\n"
        return "".join(traceback.format_stack(frame))


class NativeStrand(Strand):
    """A native thread; nobody can end it but itself."""

    def __init__(self, func: Callable[[], None], name: str) -> None:
        self._thread = threading.Thread(target=func, name=name, daemon=True)
        self._thread.start()
        self.ident = self._thread.ident or 0

    def kill(self) -> bool:
        return not self._thread.is_alive()

    def frame(self) -> types.FrameType | None:
        if not self._thread.is_alive():
            return None
        return sys._current_frames().get(self.ident)
