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
"""Signals to a launcher, to its workers, and to all of them at once."""

import os
import signal
import subprocess

import pytest

RESTARTING = """
class Restarting(Idle):
    async def reset(self):
        tell_all("reset")

run(Restarting(), restart_method="{method}")
"""


@pytest.mark.parametrize("method", ["reload", "mutate"])
def test_row_10_sighup_to_a_worker_keeps_its_process(grow, method):
    tree = grow(RESTARTING.format(method=method))
    first, other = tree.meet_all()
    for _ in range(3):
        first.signal(signal.SIGHUP)
        if method == "reload":
            tree.program.expect(f"stopped 0 {first.pid}")
        tree.program.expect(f"reset 0 {first.pid}")
        if method == "reload":
            tree.program.expect(f"ready 0 {first.pid}")
    assert not other.has_ended()
    assert tree.stop() == 0


def test_row_10_pkill_hup_of_launcher_and_workers_leaves_all_of_them_serving(grow):
    tree = grow(RESTARTING.format(method="mutate"))
    workers = tree.meet_all()
    for worker in workers:
        worker.signal(signal.SIGHUP)
    tree.program.signal(signal.SIGHUP)
    for _ in range(2):  # which of the two came first is not known
        tree.program.expect("reset")
    assert not any(worker.has_ended() for worker in workers)
    assert tree.stop() == 0
    assert tree.program.stderr.count("has started") == 2


def test_row_11_a_thousand_signals_to_the_launcher_make_few_reloads(grow):
    tree = grow("""
        class Slow(Idle):
            inside = False

            def reset(self):
                tell_all("nested" if self.inside else "reset")
                self.inside = True
                hear()
                self.inside = False

        run(Slow(), restart_method="mutate")
    """)
    workers = tree.meet_all()
    tree.program.signal(signal.SIGHUP)
    for _ in workers:
        tree.program.expect("reset")
    for number in range(1000):
        tree.program.signal((signal.SIGHUP, signal.SIGCHLD)[number % 2])
    tree.program.tell(2000)  # more than reloads by far, if each HUP made one
    for _ in workers:
        tree.program.expect("reset")
    assert tree.stop() == 0
    assert not any(line.startswith("nested") for line in tree.program.rest())
    assert tree.program.stderr.count("has started") == len(workers)
    assert "Traceback" not in tree.program.stderr


def test_sigterm_to_a_worker_replaces_it_gracefully(grow):
    tree = grow("run(Idle())")
    first, other = tree.meet_all()
    first.signal(signal.SIGTERM)
    tree.program.expect(f"stopped 0 {first.pid}")
    fresh = tree.meet()
    assert (fresh.number, fresh.pid != first.pid) == (0, True)
    assert not other.has_ended()
    assert tree.stop() == 0


@pytest.mark.parametrize("signum", [signal.SIGTTIN, signal.SIGTTOU, signal.SIGINT])
def test_what_is_meant_for_the_launcher_does_nothing_to_a_worker(grow, signum):
    tree = grow(RESTARTING.format(method="mutate"))
    workers = tree.meet_all()
    for worker in workers:
        worker.signal(signum)
        worker.signal(signal.SIGHUP)  # it is answered, so the first was met
        tree.program.expect(f"reset {worker.number} {worker.pid}")
    assert tree.stop() == 0
    assert sum(line.startswith("stopped") for line in tree.program.rest()) == 2


def test_sigterm_to_the_whole_process_group_is_graceful_for_each_worker(grow):
    tree = grow(
        """
        class Draining(Idle):
            async def stop(self):
                tell_all("stopping")
                await hub.run_sync(hear)
                tell_all("stopped")

        run(Draining())
        """,
        start_new_session=True,
        stderr=subprocess.STDOUT,
    )
    workers = tree.meet_all()
    tree.logged("2 of 2 workers are ready")
    os.killpg(tree.program.pid, signal.SIGTERM)
    for _ in workers:
        tree.program.wait_for("stopping")
    for worker in workers:
        worker.signal(signal.SIGTERM)  # however often they are told
    for _ in workers:
        tree.program.tell()
    assert tree.exit() == 0
    tree.program.rest()
    said = tree.program.lines
    assert sum(line.startswith("stopped") for line in said) == 2
    assert not any("at once" in line for line in said)


def test_a_signal_that_comes_while_a_worker_leaves_does_not_spoil_its_status(grow):
    tree = grow("""
        @service.on_worker_exit
        def leaving():
            for _ in range(10):
                os.kill(os.getpid(), signal.SIGTERM)
                os.kill(os.getpid(), signal.SIGINT)

        run(Idle())
    """)
    tree.meet_all()
    assert tree.stop() == 0
    assert tree.program.stderr.count("exited with status 0") == 2
