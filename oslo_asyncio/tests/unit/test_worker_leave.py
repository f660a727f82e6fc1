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

"""The end of a process: what can be tried without ending this one."""

import io
import os
import sys

import fixtures
import testtools

from oslo_asyncio._worker import leave


class FlushTest(testtools.TestCase):
    def stream(self):
        """A text stream into a pipe whose reader has gone."""
        reader, writer = os.pipe()
        os.close(reader)
        stream = os.fdopen(writer, "w")
        self.addCleanup(stream.close)
        stream.write("nobody reads this")
        return stream

    def test_row_51_a_stream_whose_reader_has_gone_cannot_fail_later(self):
        stream = self.stream()
        self.useFixture(fixtures.MonkeyPatch("sys.stdout", stream))
        leave.flush()
        stream.write("nor this")
        stream.flush()

    def test_streams_that_are_none_closed_or_not_files_are_left_alone(self):
        closed = io.StringIO()
        closed.close()
        for stream in (None, closed, io.StringIO()):
            self.useFixture(fixtures.MonkeyPatch("sys.stdout", stream))
            leave.flush()
            self.assertIs(stream, sys.stdout)


class HooksTest(testtools.TestCase):
    def test_the_decorator_returns_the_hook(self):
        def hook():
            pass

        self.assertIs(hook, leave.on_worker_exit(hook))
        leave._hooks.remove(hook)
