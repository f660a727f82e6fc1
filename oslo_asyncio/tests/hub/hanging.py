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

"""Native calls that hang until the test lets them go."""

import asyncio
import time

from oslo_asyncio import _unpatched


class Hanging:
    """A function for pools; each call hangs in its native thread.

    ``with Hanging(loop) as hang`` lets all of them go at the end, whatever
    the test has found.  A call that nobody lets go fails after half a minute,
    so that a blocked loop is a failure and not a test that never ends.
    """

    def __init__(self, loop, answer=None):
        self.loop = loop
        self.answer = answer
        self.calls = 0
        self._entered = asyncio.Queue()
        self._gate = _unpatched.threading.Event()

    def __call__(self, *_args, **_kwargs):
        self.calls += 1
        self.loop.call_soon_threadsafe(self._entered.put_nowait, None)
        assert self._gate.wait(30), "nobody let the call go"
        return self.answer

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.release()

    async def inside(self, count=1):
        """Wait until so many more calls have a thread and hang in it."""
        for _ in range(count):
            await self._entered.get()

    def release(self):
        """Let the calls go, and those to come."""
        self._gate.set()


async def turns(count=100):
    """Let the loop turn, which it cannot while something blocks it."""
    for _ in range(count):
        await asyncio.sleep(0)


async def until(condition, seconds=30):
    """Let the loop turn until the condition holds."""
    last = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < last, "the condition never came true"
        await asyncio.sleep(0)
