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

"""The signal inbox on a loop of its own."""

import asyncio
import os
import signal

import fixtures
import testtools
from testtools import matchers

from oslo_asyncio._worker import signals


class SignalInboxTest(testtools.TestCase):
    """SIGUSR1 stands for the signals that a worker handles."""

    def setUp(self):
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())
        self.addCleanup(signal.signal, signal.SIGUSR1, signal.getsignal(signal.SIGUSR1))
        self.loop = asyncio.SelectorEventLoop()
        self.addCleanup(self.loop.close)
        self.inbox = signals.SignalInbox(self.loop)
        self.calls = []

    def deliver(self):
        """Send SIGUSR1 and let the loop turn until it is handled."""

        async def main():
            before = len(self.calls)
            os.kill(os.getpid(), signal.SIGUSR1)
            while len(self.calls) == before:
                await asyncio.sleep(0)

        self.loop.run_until_complete(main())

    def open(self, handler=None):
        self.inbox.open([signal.SIGUSR1], handler or self.calls.append)

    def test_row_12_handlers_run_last_in_first_out(self):
        self.open(lambda _signum: self.calls.append("first"))
        self.inbox.add(signal.SIGUSR1, lambda _signum: self.calls.append("second"))
        self.deliver()
        self.assertEqual(["second", "first"], self.calls)

    def test_row_12_a_handler_that_adds_another_leaves_the_rest_alone(self):
        def adding(_signum):
            self.inbox.add(signal.SIGUSR1, lambda _signum: self.calls.append("new"))

        self.open()
        self.inbox.add(signal.SIGUSR1, adding)
        self.deliver()
        self.assertEqual([signal.SIGUSR1], self.calls)

    def test_row_12_a_handler_that_fails_leaves_the_rest_alone(self):
        def failing(_signum):
            raise LookupError("oops")

        self.open()
        self.inbox.add(signal.SIGUSR1, failing)
        self.deliver()
        self.assertEqual([signal.SIGUSR1], self.calls)
        self.assertThat(self.log.output, matchers.Contains("LookupError: oops"))

    def test_handler_and_wakeup_fd_are_back_afterwards(self):
        seen = []
        signal.signal(signal.SIGUSR1, lambda *_args: seen.append("own"))
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        self.addCleanup(os.close, reader)
        self.addCleanup(os.close, writer)
        self.addCleanup(signal.set_wakeup_fd, signal.set_wakeup_fd(writer))
        self.open()
        self.deliver()
        self.inbox.close()
        os.kill(os.getpid(), signal.SIGUSR1)
        self.assertEqual(["own"], seen)
        self.assertEqual(writer, signal.set_wakeup_fd(writer))

    def test_a_handler_that_somebody_replaced_is_left_to_them(self):
        self.open()
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        self.inbox.close()
        self.assertIs(signal.SIG_IGN, signal.getsignal(signal.SIGUSR1))

    def test_a_signal_that_is_ignored_stays_ignored(self):
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        self.open()
        self.assertIs(signal.SIG_IGN, signal.getsignal(signal.SIGUSR1))

    def test_the_alarm_rings_inside_the_handler(self):
        rung = []
        self.inbox = signals.SignalInbox(self.loop, rung.append)
        self.open()
        os.kill(os.getpid(), signal.SIGUSR1)  # the loop does not run
        self.assertEqual([signal.SIGUSR1], rung)
        self.assertEqual([], self.calls)
