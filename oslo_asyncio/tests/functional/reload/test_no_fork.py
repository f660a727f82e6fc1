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

"""One process where several are wanted: no_fork."""

import signal

import pytest

from oslo_asyncio.tests.functional.reload import crew

LAUNCH = {
    "launch": "launcher = service.launch(CONF, Counting(), workers=4, no_fork=True)",
    "ProcessLauncher": """
launcher = service.ProcessLauncher(CONF, no_fork=True)
launcher.launch_service(Counting(), workers=4)
""",
}


@pytest.mark.parametrize("way", LAUNCH)
def test_row_32_reloads_in_place_and_then_sigterm_ends_it_with_0(start, hub_name, way):
    source = crew.SERVICE + LAUNCH[way] + "\nsys.exit(launcher.wait())\n"
    program = start(source, default="a = 0")
    me = {"worker": 0, "pid": program.pid}
    assert crew.parse(program.next_line()) == {**me, "a": 0}
    for n in range(1, 6):
        program.write_config(hub_name, f"a = {n}")
        program.signal(signal.SIGHUP)
        for word in ("down", "reset", "up"):
            assert crew.parse(program.expect(word)) == {**me, "a": n}
    assert program.stop() == 0
    assert [line.split()[0] for line in program.rest()] == ["down"]
    assert "Traceback" not in program.stderr


@pytest.mark.parametrize("way", LAUNCH)
def test_no_fork_mutates_in_place_as_well(start, hub_name, way):
    text = LAUNCH[way].replace("no_fork=True", 'no_fork=True, restart_method="mutate"')
    source = crew.SERVICE + text + "\nsys.exit(launcher.wait())\n"
    program = start(source, default="a = 0")
    program.expect("up")
    for n in range(1, 4):
        program.write_config(hub_name, f"a = {n}")
        program.signal(signal.SIGHUP)
        said = crew.parse(program.expect("reset"))
        assert said == {"worker": 0, "pid": program.pid, "a": n}
    assert program.stop() == 0
