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
"""Who blocks the loop is in the log while it blocks."""

import subprocess

BLOCKING = """
class Blocking(service.Service):
    async def start(self):
        asyncio.get_running_loop().call_soon(self.blocks_the_loop)

    def blocks_the_loop(self):
        say("blocking")
        hear_natively()
        say("released")

sys.exit(service.launch(CONF, Blocking()).wait())
"""


def test_a_blocked_loop_is_reported_with_its_stack_while_it_is_blocked(start):
    own = "slow_callback_duration = 0.2"
    program = start(BLOCKING, own=own, stderr=subprocess.STDOUT)
    program.wait_for("blocking")
    while "The loop has been blocked for more than 0.2 s" not in program.next_line():
        pass
    while "in blocks_the_loop" not in program.next_line():
        pass
    assert "released" not in program.lines
    program.tell()
    program.wait_for("released")
    assert program.stop() == 0


def test_a_loop_that_turns_is_not_reported(start):
    program = start(
        """
        class Busy(service.Service):
            async def start(self):
                self.turn(0)

            def turn(self, n):
                if n == 3:
                    say("turned")
                else:
                    loop = asyncio.get_running_loop()
                    loop.call_later(0.1, self.turn, n + 1)

        sys.exit(service.launch(CONF, Busy()).wait())
        """,
        own="slow_callback_duration = 5",
    )
    program.expect("turned")
    assert program.stop() == 0
    assert "blocked" not in program.stderr


def test_nobody_watches_by_default(start):
    program = start("""
        class Curious(service.Service):
            async def start(self):
                names = [t.name for t in _unpatched.threading.enumerate()]
                say("loop-watcher" in names)

        sys.exit(service.launch(CONF, Curious()).wait())
    """)
    program.expect("False")
    assert program.stop() == 0
