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
"""A launcher that somebody runs in a terminal."""

from oslo_asyncio.tests.functional.workers import tree as tree_module

LOUD = """
class Loud(Idle):
    async def stop(self):
        sys.stderr.write(f"stopped {oslo_asyncio.worker_id()}\\n")

run(Loud(), workers=3)
"""

FOREGROUND = ("setsid", "--ctty")

# make and shell scripts: the group has a process more, which gets ^C as well
SCRIPT = (*FOREGROUND, "sh", "-c", '"$@"; exit $?', "sh")


def test_row_8_one_ctrl_c_is_one_stop_for_each_worker(grow):
    tree = grow(LOUD, terminal=True, prefix=FOREGROUND)
    tree.meet_all(3)
    tree.program.type(b"\x03")
    assert tree.exit() == 0
    for number in range(3):
        assert tree.program.stderr.count(f"stopped {number}") == 1
    assert tree.program.stderr.count("Received SIGINT") == 1
    assert "KeyboardInterrupt" not in tree.program.stderr


def test_row_9_ctrl_c_ends_a_launcher_that_a_script_runs(grow):
    tree = grow(LOUD, terminal=True, prefix=SCRIPT)
    workers = tree.meet_all(3)
    tree.program.type(b"\x03")
    tree.exit()  # with the shell's opinion of ^C
    assert tree.program.stderr.count("stopped") == len(workers)
    assert tree.program.stderr.count("exited with status 0") == len(workers)


def test_row_9_workers_stay_in_the_session_and_group_of_the_launcher(grow):
    tree = grow("run(Idle())")
    group_and_session = tree_module.status(tree.program.pid)[2:4]
    for worker in tree.meet_all():
        assert tree_module.status(worker.pid)[2:4] == group_and_session
    assert tree.stop() == 0


def test_a_terminal_that_is_closed_stops_the_launcher_in_its_foreground(grow):
    tree = grow(LOUD, terminal=True, prefix=FOREGROUND)
    tree.meet_all(3)
    tree.program.close_stdout()
    assert tree.exit() == 0
    for number in range(3):
        assert tree.program.stderr.count(f"stopped {number}") == 1
