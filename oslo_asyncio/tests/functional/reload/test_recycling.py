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

"""Workers that have lived long enough, or eat too much, are replaced in turn."""

import os
import signal
import subprocess

from oslo_asyncio.tests.functional.reload import crew


def up_and_down(lines):
    """How many are up after each of these lines."""
    up = 0
    for line in lines:
        up += line.startswith("up ") - line.startswith("down ")
        yield up


def test_row_31_with_eight_workers_never_fewer_than_seven_are_ready(start):
    program = start(crew.launch(8), own="worker_max_lifetime = 0.5")
    crew.hear_of(program, "up", 24)  # three generations
    counts = list(up_and_down(program.lines))
    assert min(counts[counts.index(8) :]) >= 7
    assert max(counts) <= 9
    assert program.stop() == 0


def test_row_31_lifetimes_differ(start):
    program = start(
        crew.launch(8), own="worker_max_lifetime = 3", stderr=subprocess.STDOUT
    )
    crew.wait_ready(program, 8)
    crew.hear_of(program, "up", 8)
    order = [
        crew.parse(line.replace("Worker ", "worker="))["worker"]
        for line in program.lines
        if "has lived for" in line
    ]
    assert sorted(order) == list(range(8))
    assert program.stop() == 0


def test_row_31_a_worker_that_eats_memory_is_replaced_and_its_siblings_are_not(start):
    program = start(
        crew.SERVICE
        + """
class Eating(Counting):
    async def start(self):
        await super().start()
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR2, self.eat)

    def eat(self):
        self.eaten = b"." * (300 << 20)
        say("ate")

sys.exit(service.launch(CONF, Eating(), workers=4).wait())
""",
        stderr=subprocess.STDOUT,
        own="worker_max_rss = 200\nworker_heartbeat_timeout = 8",
    )
    team = crew.wait_ready(program, 4)
    os.kill(team[2]["pid"], signal.SIGUSR2)
    said = program.wait_for("INFO Worker 2 of Eating (pid")
    assert "MiB of memory and is replaced" in said
    new = crew.parse(program.wait_for("up"))
    assert new["worker"] == 2
    assert crew.parse(program.wait_for("down"))["pid"] == team[2]["pid"]
    team[2] = new
    assert crew.roll_call(program, team, signal.SIGUSR1) == team
    assert program.stop() == 0
    program.rest()
    assert crew.count(program, "up") == 5
