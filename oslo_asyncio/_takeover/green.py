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

"""Green threads that run calls, so many of them at the same time."""

import collections

from oslo_asyncio import _call
from oslo_asyncio import _unpatched
from oslo_asyncio import hub as hub_module


class Threads:
    """What a pool is to native threads; here one costs microseconds, and none waits.

    :param hub: which has green threads.
    :param limit: how many calls run at the same time.
    """

    name = "messaging"

    def __init__(self, hub: hub_module.Hub, limit: int) -> None:
        self._hub = hub
        self._limit = limit
        self.begin_anew()

    def begin_anew(self) -> None:
        """For a child that was forked: green threads and calls are its parent's."""
        self._queue: collections.deque[_call.Errand] = collections.deque()
        self._size = 0
        # a native one, for nobody waits while it is held, and a call may come from
        # a native thread
        self._lock = _unpatched.threading.Lock()

    def put(self, errand: _call.Errand) -> None:
        """Begin a call, or queue it while there are as many as may be."""
        with self._lock:
            self._queue.append(errand)
            if self._size >= self._limit:
                return
            self._size += 1
        self._hub.spawn_thread(self._work, self.name)

    def dismiss(self) -> None:
        """There are no idle ones."""

    def _work(self) -> None:
        while errand := self._next():
            errand.context.run(errand.func)

    def _next(self) -> _call.Errand | None:
        with self._lock:
            if self._queue:
                return self._queue.popleft()
            self._size -= 1
        return None
