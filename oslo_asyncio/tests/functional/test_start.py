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

"""What a launcher does when a start() is cut short, or fails."""

import signal
import subprocess

import pytest

PLAIN = """
class Plain(service.Service):
    def __init__(self, name):
        super().__init__()
        self.name = name

    def start(self):
        say("start", self.name)

    def stop(self):
        say("stop", self.name)

def run(*services):
    launcher = service.ServiceLauncher(CONF)
    for each in services:
        launcher.launch_service(each)
    sys.exit(launcher.wait())
"""


def test_row_6_sigterm_inside_an_async_start_cancels_it_and_stops_it(start):
    program = start(f"""{PLAIN}
class Slow(Plain):
    async def start(self):
        say("starting")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            say("cancelled")
            raise

run(Plain("first"), Slow("second"), Plain("third"))
""")
    program.expect("start first")
    program.expect("starting")
    assert program.stop() == 0
    said = program.rest()
    assert said[0] == "cancelled"
    assert sorted(said[1:]) == ["stop first", "stop second"]


def test_row_6_sigterm_inside_a_sync_start_lets_it_finish_and_stops_it(start):
    program = start(
        f"""{PLAIN}
class Slow(Plain):
    def start(self):
        say("starting")
        hear()
        say("finished")

run(Plain("first"), Slow("second"), Plain("third"))
""",
        stderr=subprocess.STDOUT,
    )
    program.wait_for("start first")
    program.wait_for("starting")
    program.signal(signal.SIGTERM)
    program.wait_for("INFO Received SIGTERM")
    program.tell()
    assert program.exit() == 0
    said = [line for line in program.rest() if not line.startswith("INFO")]
    assert said[0] == "finished"
    assert sorted(said[1:]) == ["stop first", "stop second"]


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_start_that_fails_ends_the_program_with_status_1(start, kind):
    program = start(f"""{PLAIN}
class Failing(Plain):
    {kind} start(self):
        raise LookupError("no such rabbit")

run(Plain("first"), Failing("second"), Plain("third"))
""")
    assert program.exit() == 1
    assert program.rest() == ["start first", "stop first"]
    assert "Service Failing did not start" in program.stderr
    assert program.stderr.count("Traceback") == 1
    assert "LookupError: no such rabbit" in program.stderr


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_wait_that_fails_ends_the_program_with_status_1(start, kind):
    program = start(f"""{PLAIN}
class Failing(Plain):
    {kind} wait(self):
        raise LookupError("no such rabbit")

run(Plain("first"), Failing("second"))
""")
    assert program.exit() == 1
    said = program.rest()
    assert sorted(said[2:]) == ["stop first", "stop second"]
    assert "Failing.wait() failed" in program.stderr
    assert "LookupError: no such rabbit" in program.stderr


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_stop_that_fails_does_not_keep_the_others_from_stopping(start, kind):
    program = start(f"""{PLAIN}
class Failing(Plain):
    {kind} stop(self):
        raise LookupError("no such rabbit")

run(Failing("first"), Plain("second"))
""")
    program.expect("start first")
    program.expect("start second")
    assert program.stop() == 1
    assert program.rest() == ["stop second"]
    assert "Service Failing: stop() failed" in program.stderr
