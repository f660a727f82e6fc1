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
"""Signals that come before a worker's handlers stand, or before it is ready."""

import random
import signal
import subprocess

import pytest

# Not "from outside, soon after the fork": this is the first moment of all.
STRUCK_AT_BIRTH = """
restarts._FIRST = 0.01
forks = 0

def count():
    global forks
    forks += 1

def strike():
    if forks <= 4:
        os.kill(os.getpid(), {signums}[forks - 1])

os.register_at_fork(before=count, after_in_child=strike)
run(Idle(), workers=4)
"""


def test_row_4_sigterm_right_after_the_fork_is_kept_and_meets_the_worker_only(grow):
    tree = grow(STRUCK_AT_BIRTH.format(signums=[int(signal.SIGTERM)] * 4))
    assert len({worker.number for worker in tree.meet_all(4)}) == 4
    text = tree.program.stderr
    assert text.count("Received SIGTERM, stopping") == 4
    assert text.count("exited with status 0 before it was ready") == 4
    assert tree.stop() == 0


def test_row_4_other_signals_right_after_the_fork_do_no_harm(grow):
    harmless = [signal.SIGHUP, signal.SIGINT, signal.SIGTTIN, signal.SIGTTOU]
    tree = grow(STRUCK_AT_BIRTH.format(signums=list(map(int, harmless))))
    tree.meet_all(4)
    assert tree.stop() == 0
    assert tree.program.stderr.count("has started") == 4


def test_row_5_of_200_early_sigterms_none_is_lost(grow):
    workers = 67  # on three hubs
    tree = grow(
        f"""
        class Early(Idle):
            async def start(self):
                tell_all("started")

        def work(self, *rest):
            say("forked")
            real(self, *rest)

        real = service.ProcessLauncher._work
        service.ProcessLauncher._work = work
        run(Early(), workers={workers})
        """,
        stderr=subprocess.STDOUT,
    )
    for _ in range(random.randrange(1, workers)):
        tree.program.wait_for("forked")
    tree.program.signal(signal.SIGTERM)
    assert tree.exit() == 0
    tree.program.rest()
    said = tree.program.lines
    assert sum("exited with status 0" in line for line in said) == workers
    started = sorted(line.split()[1:] for line in said if line.startswith("started"))
    stopped = sorted(line.split()[1:] for line in said if line.startswith("stopped"))
    assert started == stopped


STARTS = {
    "async": "async def start(self): tell_all('starting'); await for_ever()",
    "sync": "def start(self): tell_all('starting'); hear()",
}


@pytest.mark.parametrize("kind", STARTS)
def test_row_6_sigterm_inside_start_stops_what_had_started(grow, kind):
    tree = grow(
        f"""
        async def for_ever():
            await asyncio.Event().wait()

        class Starting(Idle):
            {STARTS[kind]}

        run(Starting())
        """,
        stderr=subprocess.STDOUT,
    )
    workers = tree.meet_all(word="starting")
    tree.program.signal(signal.SIGTERM)
    tree.logged("Received SIGTERM, stopping", 2)
    for _ in workers:
        tree.program.tell()
    assert tree.exit() == 0
    tree.program.rest()
    said = tree.program.lines
    assert sum(line.startswith("stopped") for line in said) == 2
    assert "Traceback" not in " ".join(said)
    assert not any("is ready after" in line for line in said)


def test_row_6_sigterm_to_one_worker_inside_start_is_its_own_affair(grow):
    tree = grow("""
        class Starting(Idle):
            async def start(self):
                tell_all("starting")
                await hub.run_sync(hear)

        restarts._FIRST = 0.01
        run(Starting())
    """)
    first, other = tree.meet_all(word="starting")
    first.signal(signal.SIGTERM)
    for _ in range(2):  # a sync call goes on until it returns
        tree.program.tell()
    tree.meet("starting")
    tree.program.tell()
    assert tree.workers[0].pid != first.pid
    assert not other.has_ended()
    assert tree.stop() == 0
