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

"""The other end of a transport: a plain socket or pipe in a native thread."""

import asyncio
import os

from oslo_asyncio import _unpatched
from oslo_asyncio import executor

#: more than any socket's or pipe's buffers hold
SIZE = 10 * 1024 * 1024


def payload():
    """Bytes that differ everywhere, so that a lost or doubled part shows."""
    return os.urandom(SIZE)


class Reader:
    """Reads a descriptor to its end in a native thread, once it is told to."""

    def __init__(self, receive):
        self._receive = receive
        self._go = _unpatched.threading.Event()
        self._task = asyncio.ensure_future(executor.run_blocking(self._read))

    def _read(self):
        assert self._go.wait(30), "nobody wanted the data"
        parts = []
        while part := self._receive():
            parts.append(part)
        return b"".join(parts)

    async def everything(self):
        """All that arrives until the other side closes."""
        self._go.set()
        return await self._task
