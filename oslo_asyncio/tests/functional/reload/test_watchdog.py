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

"""The variables of systemd, and the signs of life that it wants."""

import os
import re
import signal
import subprocess

from oslo_asyncio.tests.functional.reload import crew

#: systemd wants a ping in this time, and gets two.
USEC = 20_000
PAUSE = USEC / 2 / 1_000_000

STAMPED = """
import subprocess
for handler in logging.getLogger().handlers:
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s at=%(created)f"))
"""


def watched(manager):
    environment = {"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": str(USEC)}
    return {"env": environment, "stderr": subprocess.STDOUT}


def when(line):
    """When that was logged."""
    return float(line.rpartition("at=")[2])


def wait_for_line(program, *parts):
    """The next line with all of these in it."""
    while not all(part in (line := program.next_line()) for part in parts):
        pass
    return line


def test_row_56_systemds_variables_reach_no_worker_and_no_subprocess(start, manager):
    text = """
class Nosy(service.Service):
    def show(self):
        names = [n for n in os.environ if n.startswith(("NOTIFY", "WATCHDOG"))]
        environment = subprocess.check_output(["env"], text=True)
        lines = environment.splitlines()
        names += [n for n in lines if n.startswith(("NOTIFY", "WATCHDOG"))]
        say("shows", names)

    def start(self):
        self.show()

    async def wait(self):
        self.show()

sys.exit(service.launch(CONF, Nosy(), workers={}).wait())
"""
    for workers in (1, 2):
        program = start(STAMPED + text.format(workers), **watched(manager))
        for _ in range(2 * workers):
            assert program.wait_for("shows") == "shows []"
        assert program.stop() == 0


def test_row_56_signs_of_life_come_from_the_parent_and_end_with_it(start, manager):
    program = start(crew.launch(2), **watched(manager))
    crew.wait_ready(program, 2)
    for _ in range(20):
        manager.wait_for("WATCHDOG")
    assert program.stop() == 0
    manager.drain()
    assert {pid for _time, pid, _fields in manager.heard} == {program.pid}
    names = [set(fields) for _time, _pid, fields in manager.heard]
    assert {"WATCHDOG"} not in names[: names.index({"READY", "MAINPID", "STATUS"})]
    assert {"WATCHDOG"} not in names[names.index({"STOPPING", "STATUS"}) :]


def test_row_56_workers_that_are_all_stopped_are_not_alive(start, manager):
    own = "worker_heartbeat_timeout = 2"
    program = start(STAMPED + crew.launch(2), own=own, **watched(manager))
    team = crew.wait_ready(program, 2)
    manager.wait_for("WATCHDOG")
    for who in team.values():
        os.kill(who["pid"], signal.SIGSTOP)
    for _ in team:
        silent = wait_for_line(program, "has been silent for 2 s: SIGABRT")
    killed = wait_for_line(program, "has not stopped in time: SIGKILL")
    assert when(killed) - when(silent) > 20 * PAUSE
    assert manager.pings(when(silent), when(killed)) == 0
    crew.hear_of(program, "up", 2)
    manager.wait_for("WATCHDOG")
    assert program.stop() == 0


def test_row_56_workers_that_crash_again_and_again_are_not_alive(start, manager):
    program = start(
        STAMPED
        + """
class Crashing(service.Service):
    async def wait(self):
        os._exit(3)

sys.exit(service.launch(CONF, Crashing(), workers=1 + 1).wait())
""",
        **watched(manager),
    )
    tired = set()
    while tired != {"0", "1"}:
        tired.add(wait_for_line(program, "starts in 2 s").split()[2])
    program.signal(signal.SIGTERM)
    assert program.exit() == 0
    program.rest()
    assert sum(end - begin for begin, end in gaps(program.lines)) > 20 * PAUSE
    assert not [gap for gap in gaps(program.lines) if manager.pings(*gap)]


def gaps(lines):
    """When no worker existed: from and until."""
    there, due = set(), {}
    for line in lines:
        worker = line.split()[2]
        if "has started" in line:
            there.add(worker)
        elif "the next one starts" in line:
            there.discard(worker)
            delay = re.search("starts in (.*) s", line)
            # the fork comes before its line, and somewhat later than it is due
            due[worker] = when(line) + (float(delay[1]) if delay else 0) - PAUSE
            if not there and min(due.values()) > when(line):
                yield when(line), min(due.values())


def test_row_56_a_blocked_loop_of_one_process_is_not_alive(start, manager):
    program = start(
        STAMPED
        + """
class Blocking(service.Service):
    async def start(self):
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, self.block)

    def block(self):
        say(f"blocked at={time.time()}")
        hear_natively()
        say(f"free at={time.time()}")

sys.exit(service.launch(CONF, Blocking()).wait())
""",
        **watched(manager),
    )
    manager.wait_for("READY")
    for _ in range(5):
        manager.wait_for("WATCHDOG")
    program.signal(signal.SIGUSR1)
    blocked = program.wait_for("blocked")
    # a second program takes as long to start as 20 pings
    other = start(crew.launch(2))
    crew.hear_of(other, "up", 2)
    assert other.stop() == 0
    program.tell()
    free = program.wait_for("free")
    assert when(free) - when(blocked) > 10 * PAUSE
    assert manager.pings(when(blocked), when(free)) == 0
    manager.wait_for("WATCHDOG")
    assert program.stop() == 0
