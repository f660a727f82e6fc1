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
"""A service that somebody runs in a terminal."""

import os
import signal

IDLE = """
class Idle(service.Service):
    async def start(self):
        say("started", os.getpid())

    async def reset(self):
        say("reset")

    async def stop(self):
        sys.stderr.write("stopped\\n")

sys.exit(service.launch(CONF, Idle(), restart_method="mutate").wait())
"""

FOREGROUND = ("setsid", "--ctty")

# the shell owns the session, and the program moves to a group of its own
BACKGROUND = (*FOREGROUND, "sh", "-c", '"$@"; exit $?', "sh")


def test_sighup_in_the_foreground_of_a_terminal_stops(start):
    program = start(IDLE, terminal=True, prefix=FOREGROUND)
    program.expect(f"started {program.pid}")
    program.signal(signal.SIGHUP)
    assert program.exit() == 0
    assert program.stderr.count("stopped") == 1
    assert "Received SIGHUP, stopping" in program.stderr


def test_a_terminal_that_is_closed_stops_the_service_in_its_foreground(start):
    program = start(IDLE, terminal=True, prefix=FOREGROUND)
    program.expect("started")
    program.close_stdout()
    assert program.exit() == 0
    assert program.stderr.count("stopped") == 1


def test_row_8_one_ctrl_c_is_one_stop(start):
    program = start(IDLE, terminal=True, prefix=FOREGROUND)
    program.expect("started")
    program.type(b"\x03")
    assert program.exit() == 0
    assert program.stderr.count("stopped") == 1
    assert program.stderr.count("Received SIGINT") == 1
    assert "KeyboardInterrupt" not in program.stderr


def test_sighup_in_the_background_of_a_terminal_reloads(start):
    program = start(f"os.setpgid(0, 0)\n{IDLE}", terminal=True, prefix=BACKGROUND)
    pid = int(program.expect("started").split()[1])
    assert pid != program.pid
    for _ in range(2):
        os.kill(pid, signal.SIGHUP)
        program.expect("reset")
    os.kill(pid, signal.SIGTERM)
    assert program.exit() == 0
    assert program.stderr.count("stopped") == 1
