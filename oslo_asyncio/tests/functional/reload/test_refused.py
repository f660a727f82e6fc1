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

"""A reload that cannot be: the old workers keep serving."""

import os
import signal
import subprocess

import pytest

from oslo_asyncio.tests.functional.reload import crew


def reload(program, hub_name, text, own=""):
    program.write_config(hub_name, text, own)
    program.signal(signal.SIGHUP)


def expect_old(program, team):
    """The same processes serve with the old configuration."""
    assert crew.roll_call(program, team, signal.SIGUSR1) == team


def expect_old_again(program, who):
    """One that is killed comes back with the old configuration."""
    os.kill(who["pid"], signal.SIGKILL)
    again = crew.parse(program.wait_for("up"))
    assert (again["worker"], again["a"]) == (who["worker"], 1)
    assert again["pid"] != who["pid"]
    program.wait_for(f"INFO Worker {who['worker']}")
    return again


@pytest.mark.parametrize("method", ["reload", "mutate"])
def test_row_29_a_bad_file_is_one_error_and_the_old_workers_serve(
    start, hub_name, method
):
    source = crew.launch(restart_method=method)
    program = start(source, stderr=subprocess.STDOUT, default="a = 1")
    team = crew.wait_ready(program, 4)
    reload(program, hub_name, "a = 2\nno option here")
    program.wait_for("INFO Reload failed: the configuration is bad")
    expect_old(program, team)
    team[2] = expect_old_again(program, team[2])
    expect_old(program, team)
    reload(program, hub_name, "a = 3")
    hear = "reset" if method == "mutate" else "up"
    assert {who["a"] for who in crew.hear_of(program, hear, 4)} == {3}
    assert program.stop() == 0
    program.rest()
    errors = [line for line in program.lines if line.startswith("ERROR")]
    assert len(errors) == 1
    assert errors[0].startswith("ERROR The configuration was not changed")
    assert not [line for line in program.lines if line.startswith("Traceback")]


BAD = {
    "raises": ("fail = true", "exited with status 1 before it was ready"),
    "hangs": ("hang = true", "is not ready after 1 s: SIGABRT"),
}


@pytest.mark.parametrize("way", BAD)
def test_row_29_a_replacement_that_never_gets_ready_ends_the_reload(
    start, hub_name, way
):
    text, why = BAD[way]
    # that it was old: a new configuration must not be half in force
    own = "worker_start_timeout = 60"
    program = start(crew.launch(), stderr=subprocess.STDOUT, default="a = 1", own=own)
    team = crew.wait_ready(program, 4)
    reload(program, hub_name, f"a = 2\n{text}", "worker_start_timeout = 1")
    failed = program.wait_for("ERROR Reload failed: the replacement, Worker 0 of ")
    assert "the workers that were not replaced go on with the old conf" in failed
    assert any(why in line for line in program.lines)
    expect_old(program, team)
    team[3] = expect_old_again(program, team[3])
    team[0] = expect_old_again(program, team[0])
    expect_old(program, team)
    reload(program, hub_name, "a = 3")
    program.wait_for("INFO Reload ended")
    assert program.stop() == 0
    program.rest()
    assert crew.count(program, "ERROR Reload failed") == 1


def test_row_29_what_was_replaced_before_the_failure_comes_back_old(start, hub_name):
    program = start(crew.launch(), stderr=subprocess.STDOUT, default="a = 1")
    team = crew.wait_ready(program, 4)
    reload(program, hub_name, "a = 2\nfail = true\nonly = 2")
    program.wait_for("ERROR Reload failed: the replacement, Worker 2 of ")
    new = {who["worker"]: who for who in crew.who_said(program.lines, "up")[4:]}
    assert {number: who["a"] for number, who in new.items()} == {0: 2, 1: 2}
    expect_old(program, team | new)
    expect_old_again(program, new[0])
    assert program.stop() == 0


@pytest.mark.parametrize("way", BAD)
def test_row_29_one_worker_is_replaced_by_one_with_the_old_configuration(
    start, hub_name, way
):
    source = crew.SERVICE + (
        "launcher = service.ProcessLauncher(CONF)\n"
        "launcher.launch_service(Counting())\n"
        "sys.exit(launcher.wait())\n"
    )
    own = "worker_start_timeout = 60"
    program = start(source, stderr=subprocess.STDOUT, default="a = 1", own=own)
    old = crew.wait_ready(program, 1)[0]
    reload(program, hub_name, f"a = 2\n{BAD[way][0]}", "worker_start_timeout = 1")
    program.wait_for("down")
    program.wait_for("ERROR Reload failed: the replacement")
    again = crew.parse(program.wait_for("up"))
    assert again["a"] == 1
    assert again["pid"] != old["pid"]
    program.wait_for("INFO Worker 0 of Counting")
    reload(program, hub_name, "a = 3")
    assert crew.parse(program.wait_for("up"))["a"] == 3
    assert program.stop() == 0
