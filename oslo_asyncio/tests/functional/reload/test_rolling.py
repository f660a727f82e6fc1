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

"""SIGHUP to the parent of several workers: they are replaced one at a time."""

import signal
import subprocess

import pytest

from oslo_asyncio.tests.functional.reload import crew

SLOW = """
class Slow(service.Service):
    async def start(self):
        say("starting")
        await hub.run_sync(hear)
        say("started")

sys.exit(service.launch(CONF, Slow(), workers=4).wait())
"""


def start_slowly(program):
    for _ in range(4):
        program.wait_for("starting")
        program.tell()


def test_row_7_signals_during_boot_make_one_reload_and_nobody_dies(start):
    program = start(SLOW, stderr=subprocess.STDOUT)
    program.wait_for("starting")
    for _ in range(200):
        program.signal(signal.SIGHUP)
        program.wait_for("INFO Received SIGHUP")
    for _ in range(8):
        program.tell()
    program.wait_for("INFO Reload ended")
    assert program.stop() == 0
    program.rest()
    assert crew.count(program, "INFO Reload begins") == 1
    assert crew.count(program, "INFO Reload ended") == 1
    assert crew.count(program, "started") == 8
    assert not [line for line in program.lines if line.startswith("WARNING")]
    assert not [line for line in program.lines if "Recursion" in line]


def test_signals_during_a_reload_make_one_more(start):
    program = start(SLOW, stderr=subprocess.STDOUT)
    start_slowly(program)
    program.wait_for("INFO 4 of 4")
    program.signal(signal.SIGHUP)
    program.wait_for("starting")
    for _ in range(50):
        program.signal(signal.SIGHUP)
        program.wait_for("INFO Received SIGHUP")
    for _ in range(8):
        program.tell()
    program.wait_for("INFO Reload ended")
    program.wait_for("INFO Reload ended")
    assert program.stop() == 0
    program.rest()
    assert crew.count(program, "INFO Reload begins") == 2
    assert crew.count(program, "started") == 12


def test_row_25_sigterm_in_the_middle_of_a_reload_ends_it_without_a_fork(
    start, hub_name
):
    program = start(crew.launch(), stderr=subprocess.STDOUT, default="a = 1")
    crew.wait_ready(program, 4)
    program.write_config(hub_name, "hang = true")
    program.signal(signal.SIGHUP)
    program.wait_for("hangs")
    assert program.stop() == 0
    program.rest()
    started = [line for line in program.lines if "has started" in line]
    assert len(started) == 5
    assert crew.count(program, "down") == 5


@pytest.mark.parametrize("order", ["start_first", "stop_first"])
def test_row_25_sigterm_while_an_old_worker_drains_forks_nothing(start, order):
    program = start(
        """
        class Draining(service.Service):
            async def stop(self):
                say("draining")
                await hub.run_sync(hear)

        sys.exit(service.launch(CONF, Draining(), workers=2).wait())
        """,
        stderr=subprocess.STDOUT,
        own=f"reload_order = {order}",
    )
    program.wait_for("INFO 2 of 2")
    program.signal(signal.SIGHUP)
    program.wait_for("draining")
    program.signal(signal.SIGTERM)
    workers = 3 if order == "start_first" else 2
    for _ in range(workers - 1):
        program.wait_for("draining")
    for _ in range(workers):
        program.tell()
    assert program.exit() == 0
    program.rest()
    started = [line for line in program.lines if "has started" in line]
    assert len(started) == workers


@pytest.mark.parametrize("order", ["auto", "start_first", "stop_first"])
def test_row_28_no_more_than_one_worker_is_down_at_any_time(start, order):
    program = start(
        crew.launch(), stderr=subprocess.STDOUT, own=f"reload_order = {order}"
    )
    crew.wait_ready(program, 4)
    for _ in range(5):
        program.signal(signal.SIGHUP)
        program.wait_for("INFO Reload ended")
    assert crew.fewest_up(program.lines) >= (3 if order == "stop_first" else 4)
    assert crew.count(program, "up") == 24
    assert program.stop() == 0


def test_each_reload_says_once_that_it_begins_and_ends(start, hub_name):
    program = start(crew.launch(2), stderr=subprocess.STDOUT, default="a = 1")
    before = crew.wait_ready(program, 2)
    program.write_config(hub_name, "a = 2")
    program.signal(signal.SIGHUP)
    program.wait_for("INFO Reload begins")
    program.wait_for("INFO Reload ended after")
    after = crew.who_said(program.lines, "up")[2:]
    assert [who["worker"] for who in after] == [0, 1]
    assert {who["a"] for who in after} == {2}
    assert not {who["pid"] for who in after} & {w["pid"] for w in before.values()}
    assert program.stop() == 0
    program.rest()
    assert len([line for line in program.lines if "Reload" in line]) == 2
