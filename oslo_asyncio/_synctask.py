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

"""A piece of sync code that runs beside the loop, as a future."""

import asyncio
import traceback
import types
from typing import Any


class SyncTask(asyncio.Future[Any]):
    """What :meth:`oslo_asyncio.hub.Hub.spawn_sync` returns.

    It can be awaited like any future.  Cancelling it ends the wait and not the
    sync code: a native thread cannot be ended from outside, and code that is
    written once for every hub should not depend on it.  :meth:`kill` is for
    those who mean it.
    """

    name: str = ""

    def kill(self) -> bool:
        """End the sync code at its next switch, where the hub can do that.

        :returns: whether it will end.  False on a hub that runs sync code in
            native threads, see
            :attr:`oslo_asyncio.hub.Characteristic.KILLABLE_SYNC`.
        """
        return False

    def frame(self) -> types.FrameType | None:
        """The innermost frame of the sync code, or None if it does not run."""
        return None

    def stack(self) -> str:
        """Where the sync code is now, one line per frame as in a traceback."""
        return stack_of(self.frame())


def stack_of(frame: types.FrameType | None) -> str:
    """The stack of ``frame``, one line per frame as in a traceback."""
    if frame is None:
        return "  (not running)\n"
    return "".join(traceback.format_stack(frame))


def name_of(func: object) -> str:
    """A short name of ``func`` for logs and thread names."""
    inner = getattr(func, "func", func)  # functools.partial
    name = getattr(inner, "__qualname__", None) or type(inner).__qualname__
    return str(name).replace(".<locals>", "")
