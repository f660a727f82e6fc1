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

"""SIGTTIN: one worker more; SIGTTOU: one fewer."""

import signal
import subprocess

from oslo_asyncio.tests.functional.reload import crew


def numbers(lines, word):
    return [who["worker"] for who in crew.who_said(lines, word)]


def exited(program):
    """The lines about those that have gone: their numbers are free."""
    return "\n".join(line for line in program.lines if "exited with" in line)


def test_ids_go_up_and_down_again(start):
    program = start(crew.launch(2), stderr=subprocess.STDOUT)
    team = crew.wait_ready(program, 2)
    for number in (2, 3):
        program.signal(signal.SIGTTIN)
        team[number] = crew.who_said_until(program, "up", number + 1)[-1]
        assert team[number]["worker"] == number
    for gone, number in enumerate((3, 2), start=1):
        program.signal(signal.SIGTTOU)
        assert crew.who_said_until(program, "down", gone)[-1] == team.pop(number)
    assert crew.roll_call(program, team, signal.SIGUSR1) == team
    while not all(f"{kind} of Counting" in exited(program) for kind in "23"):
        program.next_line()
    program.signal(signal.SIGTTIN)
    assert crew.parse(program.wait_for("up"))["worker"] == 2
    assert program.stop() == 0
    program.rest()
    said = [line for line in program.lines if "is to have" in line]
    assert [line.split()[-2] for line in said] == ["3", "4", "3", "2", "3"]
    assert not [line for line in program.lines if line.startswith("WARNING")]


def test_the_last_worker_stays(start):
    program = start(crew.launch(2), stderr=subprocess.STDOUT)
    team = crew.wait_ready(program, 2)
    for _ in range(5):
        program.signal(signal.SIGTTOU)
        program.wait_for("INFO Counting is to have 1 workers")
    assert crew.who_said_until(program, "down", 1) == [team.pop(1)]
    assert crew.roll_call(program, team, signal.SIGUSR1) == team
    assert program.stop() == 0
    program.rest()
    assert numbers(program.lines, "down") == [1, 0]


def test_a_single_service_with_one_worker_is_scaled(start):
    program = start(
        crew.SERVICE
        + """
launcher = service.ProcessLauncher(CONF)
launcher.launch_service(Counting(), workers=1)
sys.exit(launcher.wait())
"""
    )
    program.wait_for("up")
    program.signal(signal.SIGTTIN)
    assert crew.parse(program.wait_for("up"))["worker"] == 1
    program.signal(signal.SIGTTOU)
    assert crew.parse(program.wait_for("down"))["worker"] == 1
    assert program.stop() == 0


def test_a_service_that_was_launched_with_one_worker_beside_others_is_not(start):
    program = start(
        crew.SERVICE
        + """
class Alone(Counting): pass
class Pair(Counting): pass
class Trio(Counting): pass

launcher = service.ProcessLauncher(CONF)
launcher.launch_service(Alone(), 1)
launcher.launch_service(Pair(), 2)
launcher.launch_service(Trio(), 3)
sys.exit(launcher.wait())
""",
        stderr=subprocess.STDOUT,
    )
    crew.wait_ready(program, 6)
    program.signal(signal.SIGTTIN)
    program.wait_for("INFO Pair is to have 3 workers")
    program.wait_for("INFO Trio is to have 4 workers")
    crew.who_said_until(program, "up", 8)
    assert sorted(numbers(program.lines, "up")) == list(range(8))
    for _ in range(4):
        program.signal(signal.SIGTTOU)
        program.wait_for("INFO Trio is to have")
    crew.who_said_until(program, "down", 5)
    # Pair had 1, 2 and 6, Trio 3, 4, 5 and 7; the first of each stays
    assert sorted(numbers(program.lines, "down")) == [2, 4, 5, 6, 7]
    assert program.stop() == 0
    program.rest()
    assert not [line for line in program.lines if "Alone is to have" in line]


def test_one_more_in_the_middle_of_a_reload(start, hub_name):
    program = start(crew.launch(2), stderr=subprocess.STDOUT, default="a = 1")
    crew.wait_ready(program, 2)
    # worker 1 hangs, so worker 0 is replaced and the reload goes on
    program.write_config(hub_name, "a = 2\nhang = true\nonly = 1")
    program.signal(signal.SIGHUP)
    program.wait_for("hangs")
    program.signal(signal.SIGTTIN)
    more = crew.parse(program.wait_for("hangs"))
    assert (more["worker"], more["a"]) == (2, 2)
    program.signal(signal.SIGTTOU)
    program.wait_for("INFO Counting is to have 2 workers")
    assert program.stop() == 0


def test_one_fewer_in_the_middle_of_its_replacement_ends_the_reload(start, hub_name):
    program = start(crew.launch(2), stderr=subprocess.STDOUT, default="a = 1")
    crew.wait_ready(program, 2)
    program.write_config(hub_name, "a = 2\nhang = true\nonly = 1")
    program.signal(signal.SIGHUP)
    program.wait_for("hangs")
    program.signal(signal.SIGTTOU)
    program.wait_for("INFO Reload ended")
    program.write_config(hub_name, "a = 3")
    program.signal(signal.SIGHUP)
    assert crew.parse(program.wait_for("up")) | {"pid": 0} == {
        "worker": 0,
        "pid": 0,
        "a": 3,
    }
    program.wait_for("INFO Reload ended")
    assert program.stop() == 0
