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


"""A function that does what its script says, sync or async."""

from oslo_asyncio import _clock


class Scripted:
    """Each call takes the next line: an exception is raised, the rest returned.

    The last line is repeated.

    :ivar times: when it was called, by the clock of the looping calls.
    """

    def __init__(self, kind, *script):
        self.times = []
        self._kind = kind
        self._script = list(script) or [None]

    @property
    def function(self):
        return self._sync if self._kind == "sync" else self._async

    def _sync(self):
        self.times.append(_clock.now())
        line = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if isinstance(line, BaseException):
            raise line
        return line

    async def _async(self):
        return self._sync()
