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
"""Workers that die, and processes that are none of the launcher's business."""

import contextlib
import fcntl
import os
import pathlib
import select
import signal
import subprocess
import tempfile
import time

import pytest

from oslo_asyncio.tests.functional.program import fastest
from oslo_asyncio.tests.functional.workers import tree as tree_module


def test_row_19_a_killed_worker_is_replaced_at_once_and_leaves_no_zombie(grow):
    tree = grow("run(Idle())")
    _first, other = tree.meet_all()

    def replacing():
        killed, now = tree.workers[0], time.monotonic()
        killed.signal(signal.SIGKILL)
        assert tree.meet().number == 0
        return time.monotonic() - now

    assert fastest(replacing, 0.25) < 1
    states = [tree_module.status(pid)[:1] for pid in tree_module.children(tree.pid)]
    assert len(states) == 2
    assert ["Z"] not in states
    assert not other.has_ended()
    assert tree.stop() == 0
    assert "was ended by SIGKILL; the next one starts at once" in tree.program.stderr


def test_row_19_all_workers_are_killed_at_once_and_replaced(grow):
    tree = grow("run(Idle(), workers=4)")
    for worker in tree.meet_all(4):
        worker.signal(signal.SIGKILL)
    fresh = tree.meet_all(4)
    assert [worker.number for worker in fresh] == [0, 1, 2, 3]
    assert len(list(tree_module.children(tree.pid))) == 4
    assert tree.stop() == 0


def test_row_27_a_worker_that_dies_while_all_stop_is_not_replaced(grow):
    tree = grow("""
        class Draining(Idle):
            async def stop(self):
                tell_all("stopping")
                await hub.run_sync(hear)

        run(Draining())
    """)
    killed, other = tree.meet_all()
    tree.program.signal(signal.SIGTERM)
    tree.meet_all(word="stopping")
    killed.signal(signal.SIGKILL)
    killed.wait()
    assert not other.has_ended()
    tree.program.tell()
    assert tree.exit() == 1
    assert tree.program.stderr.count("has started") == 2


def test_a_worker_that_a_nameless_signal_ends_is_replaced(grow):
    tree = grow("run(Idle())", stderr=subprocess.STDOUT)
    first, _other = tree.meet_all()
    first.signal(signal.SIGRTMIN + 1)
    tree.logged(f"(pid {first.pid}) was ended by signal {signal.SIGRTMIN + 1}")
    assert tree.meet("ready").number == first.number
    assert tree.stop() == 0


@contextlib.contextmanager
def only_one():
    """Tests that meddle with the next pid take turns."""
    path = pathlib.Path(tempfile.gettempdir(), "oslo-asyncio-next-pid")
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def stranger_with(pid):
    """A process with this pid, which has been free for a moment."""
    last = pathlib.Path("/proc/sys/kernel/ns_last_pid")
    before = last.read_text()
    for _ in range(200):
        try:
            last.write_text(str(pid - 1))
        except OSError:
            pytest.skip("may not choose the next pid")
        made = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
        if made.pid == pid:
            last.write_text(before)  # nobody else is to get an old one
            return made
        made.communicate()
    raise AssertionError("others were faster, each time")


def test_row_16_a_stranger_that_got_the_pid_of_a_dead_worker_is_not_signalled(grow):
    tree = grow("run(Idle())")
    dead, _other = tree.meet_all()
    dead.signal(signal.SIGKILL)
    tree.meet()
    with only_one():
        stranger = stranger_with(dead.pid)
    assert tree.stop() == 0
    assert stranger.poll() is None
    stranger.communicate()
    assert stranger.returncode == 0


def test_row_17_an_adopted_orphan_that_fails_is_nobody_of_ours(grow):
    tree = grow(
        """
        import subprocess

        SUBREAPER = 36
        assert ctypes.CDLL(None).prctl(SUBREAPER, 1) == 0

        # the first shell ends at once, and leaves the second one behind
        ORPHAN = '''
            exec 3<&0
            sh -c "head -c 1 <&3; exit 3" >/dev/null &
            echo $!
        '''

        class Parent(Idle):
            def start(self):
                if oslo_asyncio.worker_id() == 0:
                    pid = subprocess.check_output(["sh", "-c", ORPHAN], text=True)
                    say("orphan", pid.strip())

        run(Parent())
        """,
        env={"HAS_AN_EAR": ""},  # it is the orphan's
    )
    workers = tree.meet_all()
    said = (line.split() for line in tree.program.lines)
    orphan = next(int(rest[0]) for word, *rest in said if word == "orphan")
    assert tree_module.status(orphan)[1] == str(tree.pid)
    pidfd = os.pidfd_open(orphan)
    tree.program.tell()
    select.select([pidfd], [], [])
    os.close(pidfd)
    workers[1].signal(signal.SIGKILL)  # so the launcher looks round
    tree.meet()
    assert not workers[0].has_ended()
    assert tree.stop() == 0
    assert tree.program.stderr.count("has started") == 3


def test_row_18_a_service_runs_subprocesses_while_workers_die(grow):
    tree = grow("""
        import subprocess
        restarts.BURST = 10**9

        class Busy(Idle):
            async def wait(self):
                tell_all("ready")
                self.goes_on = oslo_asyncio.worker_id() == 0
                while self.goes_on:
                    process = await asyncio.create_subprocess_exec("sh", "-c", "exit 7")
                    done = await hub.run_sync(subprocess.run, ["sh", "-c", "exit 8"])
                    tell_all(f"met {await process.wait()} {done.returncode}")

            async def stop(self):
                self.goes_on = False

        run(Busy(), workers=3)
    """)
    busy, *others = tree.meet_all(3)
    for _ in range(10):
        for worker in others:
            tree.workers[worker.number].signal(signal.SIGKILL)
        for _ in others:
            assert tree.meet().number != busy.number
    tree.program.wait_for("met 7 8 0")
    assert not busy.has_ended()
    assert tree.stop() == 0
    met = {line for line in tree.program.lines if line.startswith("met")}
    assert met == {f"met 7 8 0 {busy.pid}"}
