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
"""Workers that do not stop by themselves, and people who do not wait."""

import signal
import subprocess
import time

import pytest

#: Seconds beyond the limit: 2 until SIGABRT, 1 until SIGKILL, and a busy machine.
FORCE = 2 + 1 + 5


def test_row_24_a_stopped_and_a_stuck_worker_cannot_hold_up_the_launcher(grow):
    tree = grow(
        """
        class Bound(Idle):
            async def reset(self):
                tell_all("bound")
                hold_the_gil()

        run(Bound(), workers=3, restart_method="mutate")
        """,
        default="graceful_shutdown_timeout = 1",
    )
    stopped, bound, fine = tree.meet_all(3)
    bound.signal(signal.SIGHUP)
    tree.program.expect("bound")
    stopped.signal(signal.SIGSTOP)
    sent = tree.program.signal(signal.SIGTERM)
    assert tree.exit() == 1
    assert time.monotonic() - sent < 1 + FORCE
    assert tree.program.rest() == [f"stopped {fine.number} {fine.pid}"]
    text = tree.program.stderr
    assert f"(pid {bound.pid}) has not stopped in time: SIGABRT" in text
    assert "in hold_the_gil" in text
    assert f"(pid {bound.pid}) was ended by SIGABRT" in text
    assert f"(pid {stopped.pid}) has not stopped in time: SIGKILL" in text


STUCK = """
class Stuck(Idle):
    async def stop(self):
        {0}tell_all("stopping")
        await self.never_ends()

    async def never_ends(self):
        await asyncio.Event().wait()

    def holds(self):
        tell_all("stopping")
        hold_the_gil()

run(Stuck())
"""


def test_row_24_a_worker_that_can_keeps_the_deadline_itself_and_names_the_call(grow):
    tree = grow(STUCK.format(""), default="graceful_shutdown_timeout = 1")
    workers = tree.meet_all()
    sent = tree.program.signal(signal.SIGTERM)
    assert tree.exit() == 1
    assert time.monotonic() - sent < 1 + FORCE
    text = tree.program.stderr
    assert text.count("Stuck.stop() has not returned") == len(workers)
    assert text.count("in never_ends") == len(workers)
    assert "SIGABRT" not in text


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_row_25_a_second_signal_hurries_all_workers(grow, second):
    tree = grow(STUCK.format(""))
    workers = tree.meet_all()
    tree.program.signal(signal.SIGTERM)
    tree.meet_all(word="stopping")
    sent = tree.program.signal(second)
    assert tree.exit() == 1
    assert time.monotonic() - sent < FORCE
    text = tree.program.stderr
    assert text.count("Stuck.stop() has not returned") == len(workers)
    assert text.count("Stopping at once 2 workers") == 1


def test_row_25_a_third_signal_kills(grow):
    tree = grow(STUCK.format("self.holds() #"), stderr=subprocess.STDOUT)
    tree.meet_all()
    tree.program.signal(signal.SIGTERM)
    workers = tree.meet_all(word="stopping")
    for word in ("Stopping at once", "Killing"):
        sent = tree.program.signal(signal.SIGTERM)
        tree.logged(f"{word} 2 workers")
    assert tree.exit() == 1
    assert time.monotonic() - sent < FORCE
    tree.logged("was ended by SIGKILL", len(workers))


def test_row_25_sigterm_ends_a_reload_whose_new_worker_never_gets_ready(grow):
    tree = grow(
        """
        class Stuck(Idle):
            async def start(self):
                if os.path.exists("stuck"):
                    tell_all("stuck")
                    hold_the_gil()

        run(Stuck())
        """,
        default="graceful_shutdown_timeout = 1",
    )
    workers = tree.meet_all()
    (tree.program.folder / "stuck").touch()
    tree.program.signal(signal.SIGHUP)
    tree.meet("stuck")
    sent = tree.program.signal(signal.SIGTERM)
    assert tree.exit() == 1
    assert time.monotonic() - sent < 1 + FORCE
    said = [line for line in tree.program.rest() if line.startswith("stopped")]
    assert len(said) == len(workers)
