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
"""What a tree costs that has nothing to do, and what it tells the log."""

import pathlib
import re
import select
import signal
import subprocess

#: seconds
WINDOW = 2


def switches(pid):
    """How often the threads of a process have gone to sleep."""
    return {
        path.parent.name: re.findall(r"^voluntary.*?(\d+)$", path.read_text(), re.M)
        for path in pathlib.Path(f"/proc/{pid}/task").glob("*/status")
    }


def test_an_idle_tree_sleeps(grow, hub_name):
    tree = grow("run(Idle(), workers=4)", stderr=subprocess.STDOUT)
    workers = tree.meet_all(4)
    tree.logged("4 of 4 workers are ready")
    # eventlet's own hub wakes up once a minute
    pids = [tree.pid]
    if hub_name != "eventlet":
        pids += [worker.pid for worker in workers]
    for _ in range(5):  # their last steps may fall into the first window
        before = [switches(pid) for pid in pids]
        # not for the time to pass: none of them may say or do anything
        ended = select.select([worker.pidfd for worker in workers], [], [], WINDOW)
        assert not ended[0]
        after = [switches(pid) for pid in pids]
        if before == after:
            break
    assert before == after
    assert tree.stop() == 0


def test_a_life_is_told_with_each_line_once(grow):
    tree = grow("run(Idle())", stderr=subprocess.STDOUT)
    first, second = tree.meet_all()
    tree.logged("2 of 2 workers are ready")
    first.signal(signal.SIGKILL)
    third = tree.meet()
    tree.logged(f"(pid {third.pid}) is ready")
    assert tree.stop() == 0
    tree.program.rest()
    told = [
        re.sub(r"\d+ ms", "N ms", line)
        for line in tree.program.lines
        if line.startswith(("INFO", "WARNING", "ERROR"))
    ]
    names = {"first": first, "second": second, "third": third}
    for name, worker in names.items():
        told = [line.replace(f"(pid {worker.pid})", f"({name})") for line in told]
    hub = tree.program.config.read_text().split("hub = ")[1].split()[0]
    assert sorted(told) == sorted(
        [
            "INFO Worker 0 of Idle (first) has started",
            "INFO Worker 1 of Idle (second) has started",
            *[f"INFO Service Idle started on the {hub} hub"] * 3,
            "INFO Worker 0 of Idle (first) is ready after N ms",
            "INFO Worker 1 of Idle (second) is ready after N ms",
            "INFO 2 of 2 workers are ready, after N ms",
            "WARNING Worker 0 of Idle (first) was ended by SIGKILL; the next one "
            "starts at once",
            "INFO Worker 0 of Idle (third) has started",
            "INFO Worker 0 of Idle (third) is ready after N ms",
            "INFO Received SIGTERM",
            "INFO Stopping 2 workers",
            *["INFO Received SIGTERM, stopping"] * 2,
            "INFO Worker 1 of Idle (second) exited with status 0",
            "INFO Worker 0 of Idle (third) exited with status 0",
        ]
    )
