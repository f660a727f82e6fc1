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


"""For the unit tests of those who use this library.

>>> from oslo_asyncio import fixture
>>> from oslo_asyncio import loopingcall
>>> class Poll:
...     polls = 0
...     def __call__(self):
...         self.polls += 1
>>> poll = Poll()
>>> with fixture.FakeClock() as clock:
...     call = loopingcall.FixedIntervalLoopingCall(poll)
...     outcome = call.start(interval=60)
...     clock.advance(600)
...     call.stop()
...     poll.polls
11
"""

import fixtures

from oslo_asyncio import _fake_clock

FakeClock = _fake_clock.FakeClock
FakeClock.__module__ = __name__


class SleepFixture(fixtures.Fixture):
    """Looping calls and retries wait no longer.

    :ivar mock_wait: the mock that takes the place of each pause; it is called
        with the seconds.

    >>> from oslo_asyncio import fixture
    >>> from oslo_asyncio import loopingcall
    >>> answers = [3600, 3600, None]
    >>> with fixture.SleepFixture() as sleep:
    ...     def poll():
    ...         pause = answers.pop(0)
    ...         if pause is None:
    ...             raise loopingcall.LoopingCallDone("ready")
    ...         return pause
    ...     loopingcall.DynamicLoopingCall(poll).start().wait()
    ...     sleep.mock_wait.call_count
    'ready'
    2
    """

    def _setUp(self) -> None:
        name = "oslo_asyncio.loopingcall.LoopingCallBase._sleep"
        self.mock_wait = self.useFixture(fixtures.MockPatch(name)).mock
