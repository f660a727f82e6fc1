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

"""How long a stop may take, and who sees to it."""

import signal
import time

import pytest

from oslo_asyncio.tests.functional.program import SLACK

STUCK = """
class Other(service.Service):
    def stop(self):
        say("other stopped")

class StuckSync(service.Service):
    def stop(self):
        self.never_returns()

    def never_returns(self):
        threading.Event().wait()

class StuckAsync(service.Service):
    async def stop(self):
        await self.never_ends()

    async def never_ends(self):
        await asyncio.Event().wait()

class Ready(service.Service):
    def start(self):
        say("ready")

launcher = service.ServiceLauncher(CONF)
for each in (StuckSync(), StuckAsync(), Other(), Ready()):
    launcher.launch_service(each)
sys.exit(launcher.wait())
"""


def test_row_47_a_stop_that_never_returns_is_named_and_left_behind(start):
    program = start(STUCK, default="graceful_shutdown_timeout = 1")
    program.expect("ready")
    sent = program.signal(signal.SIGTERM)
    program.expect("other stopped")
    assert program.exit() == 1
    assert time.monotonic() - sent < 1 + SLACK
    assert "StuckSync.stop() has not returned" in program.stderr
    assert "in never_returns" in program.stderr
    assert "StuckAsync.stop() has not returned" in program.stderr
    assert "in never_ends" in program.stderr


def test_a_wait_that_never_returns_is_named_and_left_behind(start):
    program = start(
        """
        class Deaf(service.Service):
            def wait(self):
                say("waiting")
                self.never_returns()

            def never_returns(self):
                threading.Event().wait()

            async def stop(self):
                say("stopped")

        sys.exit(service.launch(CONF, Deaf()).wait())
        """,
        default="graceful_shutdown_timeout = 1",
    )
    program.expect("waiting")
    sent = program.signal(signal.SIGTERM)
    program.expect("stopped")
    assert program.exit() == 1
    assert time.monotonic() - sent < 1 + SLACK
    assert "Deaf.wait() has not returned" in program.stderr
    assert "in never_returns" in program.stderr


def test_a_second_signal_hurries_a_stop(start):
    seconds = {start(STUCK): signal.SIGTERM, start(STUCK): signal.SIGINT}
    for program, second in seconds.items():
        program.expect("ready")
        program.signal(signal.SIGTERM)
        program.expect("other stopped")
        program.sent = program.signal(second)
    for program in seconds:
        assert program.exit() == 1
        assert time.monotonic() - program.sent < 1 + SLACK
        assert "StuckSync.stop() has not returned" in program.stderr


def test_sigint_hurries_and_the_next_signal_ends_the_program_at_once(start):
    program = start(STUCK)
    program.expect("ready")
    program.signal(signal.SIGINT)
    program.expect("other stopped")
    program.signal(signal.SIGINT)
    assert program.exit() == 1
    assert "Received SIGINT again, leaving at once" in program.stderr
    assert "in never_ends" in program.stderr


def test_a_timeout_of_0_waits(start):
    program = start(
        """
        class Slow(service.Service):
            def start(self):
                say("ready")

            async def stop(self):
                for _ in range(500):
                    await asyncio.sleep(0)
                say("stopping")
                await hub.run_sync(hear)
                say("stopped")

        sys.exit(service.launch(CONF, Slow()).wait())
        """,
        default="graceful_shutdown_timeout = 0",
    )
    program.expect("ready")
    program.signal(signal.SIGTERM)
    program.expect("stopping")
    program.tell()
    assert program.exit() == 0
    assert program.rest() == ["stopped"]


BLOCKS = {
    "a call that sleeps": "_unpatched.time.sleep(60)",
    "a busy loop": "while True: pass",
}


BLOCKED = """
class Blocking(service.Service):
    async def start(self):
        if "at the signal" in {when!r}:
            asyncio.get_running_loop().call_soon(self.blocks_the_loop)
        else:
            say("ready")

    async def stop(self):
        self.blocks_the_loop()

    def blocks_the_loop(self):
        say("ready")
        {block}

sys.exit(service.launch(CONF, Blocking()).wait())
"""


@pytest.mark.parametrize("when", ["at the signal", "in stop()"])
def test_a_blocked_loop_is_ended_from_outside(start, when):
    programs = [
        start(
            BLOCKED.format(when=when, block=block),
            default="graceful_shutdown_timeout = 1",
        )
        for block in BLOCKS.values()
    ]
    for program in programs:
        program.expect("ready")
        program.sent = program.signal(signal.SIGTERM)
    for program in programs:
        assert program.exit() == 1
        assert time.monotonic() - program.sent < 1 + SLACK
        assert "graceful_shutdown_timeout is over" in program.stderr
        assert "in blocks_the_loop" in program.stderr
