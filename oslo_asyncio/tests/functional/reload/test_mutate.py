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

"""SIGHUP with restart_method="mutate": the workers stay, their values change."""

import os
import signal
import subprocess

import pytest

from oslo_asyncio.tests.functional.reload import crew


def test_row_30_the_same_processes_get_new_values_and_one_reset_each(start, hub_name):
    program = start(crew.launch(restart_method="mutate"), default="a = 1")
    team = {who["worker"]: who for who in crew.hear_of(program, "up", 4)}
    for n in range(2, 6):
        program.write_config(hub_name, f"a = {n}")
        program.signal(signal.SIGHUP)
        said = {who["worker"]: who for who in crew.hear_of(program, "reset", 4)}
        team = {number: who | {"a": n} for number, who in team.items()}
        assert said == team
    assert program.stop() == 0
    program.rest()
    assert crew.count(program, "reset") == 16
    assert crew.count(program, "up") == 4


def test_row_30_reset_is_called_once_per_service_and_worker(start):
    program = start(
        crew.SERVICE
        + """
class Other(Counting):
    def reset(self):
        say("reset", self.who())

launcher = service.ProcessLauncher(CONF, restart_method="mutate")
launcher.launch_service(Counting(), workers=2)
launcher.launch_service(Other(), workers=3)
sys.exit(launcher.wait())
"""
    )
    crew.hear_of(program, "up", 5)
    program.signal(signal.SIGHUP)
    said = crew.hear_of(program, "reset", 5)
    assert sorted(who["worker"] for who in said) == [0, 1, 2, 3, 4]
    assert program.stop() == 0
    assert sum(line.startswith("reset") for line in program.rest()) == 0


def test_row_30_signals_that_come_while_starting_make_one_reset(start, hub_name):
    program = start(
        crew.SERVICE
        + """
class Slow(Counting):
    async def start(self):
        say("starting")
        await hub.run_sync(hear)
        await super().start()

sys.exit(service.launch(CONF, Slow(), workers=3, restart_method="mutate").wait())
""",
        stderr=subprocess.STDOUT,
        default="a = 1",
    )
    program.wait_for("starting")
    program.write_config(hub_name, "a = 2")
    for _ in range(20):
        program.signal(signal.SIGHUP)
        program.wait_for("INFO Received SIGHUP")
    for _ in range(3):
        program.tell()
    assert [who["a"] for who in crew.hear_of(program, "reset", 3)] == [2, 2, 2]
    assert program.stop() == 0
    program.rest()
    assert crew.count(program, "INFO Reload begins") == 1
    assert crew.count(program, "reset") == 3
    assert [who["a"] for who in crew.who_said(program.lines, "up")] == [1, 1, 1]


def test_a_worker_that_is_forked_after_a_mutation_has_the_new_values(start, hub_name):
    source = crew.launch(2, restart_method="mutate")
    program = start(source, stderr=subprocess.STDOUT, default="a = 1")
    team = crew.wait_ready(program, 2)
    program.write_config(hub_name, "a = 2")
    program.signal(signal.SIGHUP)
    crew.hear_of(program, "reset", 2)
    os.kill(team[0]["pid"], signal.SIGKILL)
    assert crew.parse(program.wait_for("up"))["a"] == 2
    assert program.stop() == 0


READERS = """
class Reader(Counting):
    async def start(self):
        await super().start()
        self.reader = asyncio.ensure_future(self.read())

    async def read(self):
        while True:
            a = CONF.a
            if a != CONF.b:
                say("half", a, CONF.b)
            await asyncio.sleep(0)

    async def stop(self):
        self.reader.cancel()

sys.exit(service.launch(CONF, Reader(), workers=2, restart_method={!r}).wait())
"""


@pytest.mark.parametrize("method", ["reload", "mutate"])
def test_row_54_no_worker_ever_sees_a_half_changed_configuration(
    start, hub_name, method
):
    source = crew.SERVICE + READERS.format(method)
    program = start(source, default="a = 0\nb = 0")
    crew.hear_of(program, "up", 2)
    for n in range(1, 15):
        program.write_config(hub_name, f"a = {n}\nb = {n}")
        program.signal(signal.SIGHUP)
        word = "reset" if method == "mutate" else "up"
        assert [who["a"] for who in crew.hear_of(program, word, 2)] == [n, n]
    assert program.stop() == 0
    program.rest()
    assert crew.count(program, "half") == 0
