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

"""Which messages have come already."""

import collections


class Seen:
    """The ids of the last messages, so that none is served twice.

    A broker sends a message once more when it has not heard of the
    acknowledgement, and a client when it has not heard that the broker has it: both
    happen when a connection breaks.  oslo.messaging's drivers remember the last 16
    ids of a connection's listener, and in the second that it takes to connect again
    a busy server has had more.

    :param size: how many ids are kept, at 160 bytes each.

    >>> from oslo_asyncio._messaging import seen
    >>> last = seen.Seen(size=2)
    >>> [last.add(each) for each in ("a", "b", "a", "c", "a")]
    [True, True, False, True, True]
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._order: collections.deque[str] = collections.deque()
        self._ids: set[str] = set()

    def add(self, name: str) -> bool:
        """Whether it is new; in one thread at a time."""
        if name in self._ids:
            return False
        if len(self._order) == self._size:
            self._ids.discard(self._order.popleft())
        self._order.append(name)
        self._ids.add(name)
        return True
