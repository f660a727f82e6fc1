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


"""How the threads and timers of a group come to their end."""

import asyncio
from typing import Any

from oslo_asyncio import _anywhere
from oslo_asyncio import _bridge
from oslo_asyncio import _looping
from oslo_asyncio import _member
from oslo_asyncio import hub as hub_module

#: seconds that native threads have to end by themselves, once they were asked
PATIENCE = 1.0


class Patience:
    """Native threads that were asked to end, and the time that they have for it.

    It is over when the loop stops as well, so that nobody is left behind without
    a word.
    """

    def __init__(self, group: _member.Group, threads: list[_member.Thread]) -> None:
        self.home = _anywhere.home()
        self._group = group
        self._threads = threads

    def begin(self) -> None:
        loop = self.home.loop
        loop.call_soon_threadsafe(loop.call_later, PATIENCE, self.abort)
        if _bridge.runs(self.home):
            _bridge.depend(self)

    def abort(self) -> None:
        _bridge.release(self)
        threads, self._threads = self._threads, []
        for thread in threads:
            if not thread.done():
                thread.complain()
                self._group.thread_done(thread)
                thread.gone.resolve(None)


def stop(thread: Any, graceful: bool) -> bool:
    """Ask a thread to end; whether it will."""
    # A subclass may keep native threads of its own in the list, as heat does.
    if not isinstance(thread, _member.Thread):
        if hasattr(thread, "abort"):
            thread.abort.set()
        return False
    if not graceful:
        return thread.kill()
    thread.ask_to_stop()
    return True


def outcomes(timers: list[_looping.LoopingCallBase]) -> list[Any]:
    own = _member.current()
    return [timer.done for timer in timers if timer.done and timer is not own]


def join(ends: list[Any]) -> Any:
    """Wait for outcomes and threads: here, or by who awaits what is returned."""
    if _anywhere.on_loop():
        return all_of(ends)
    for end in map(_end, ends):
        try:
            end.wait() if hasattr(end, "wait") else end.join()
        except Exception:
            pass  # who raised it has logged it
    return _anywhere.nothing()


async def all_of(ends: list[Any], timeout: float | None = None) -> None:
    if ends:
        waits = [asyncio.ensure_future(_ended(_end(each))) for each in ends]
        _done, late = await asyncio.wait(waits, timeout=timeout)
        for wait in late:
            wait.cancel()


def _end(each: Any) -> Any:
    return each.gone if isinstance(each, _member.Thread) else each


async def _ended(end: Any) -> None:
    try:
        if hasattr(end, "__await__"):
            await end
        else:
            await hub_module.run_sync(end.join)
    except Exception:
        pass  # who raised it has logged it
