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
"""Workers that die again and again."""

import subprocess

# half a second, one, two, four in earnest
FAST = "restarts._FIRST = restarts._MOST = 0.01"


def test_row_20_a_service_that_never_starts_ends_the_launcher_with_the_reason(grow):
    tree = grow(f"""
        {FAST}
        class Broken(Idle):
            def start(self):
                tell_all("starting")
                raise LookupError("no such table: networks")

        run(Broken(), workers=2)
    """)
    assert tree.exit() == 1
    # beside the last try of the other one, which may be told to stop
    tries = [line for line in tree.program.rest() if line.startswith("starting")]
    assert 5 <= len(tries) <= 2 * 5
    text = tree.program.stderr
    assert text.count("Broken does not stay up, giving up after 5 tries in a row") == 1
    assert "exited with status 1 before it was ready" in text
    assert "LookupError: no such table: networks" in text


def test_row_20_siblings_of_a_worker_that_always_dies_are_not_touched(grow):
    tree = grow(f"""
        {FAST}
        class Partly(Idle):
            def start(self):
                if oslo_asyncio.worker_id() == 1:
                    tell_all("starting")
                    raise LookupError("this one is broken")

        run(Partly(), workers=3)
    """)
    healthy = [tree.meet(), tree.meet()]
    tree.logged("starting 1", 12)
    assert sorted(worker.number for worker in healthy) == [0, 2]
    assert not any(worker.has_ended() for worker in healthy)
    assert tree.stop() in (0, 1)  # 1: it has failed once more meanwhile
    assert "giving up" not in tree.program.stderr


def test_row_20_a_broken_service_ends_the_launcher_though_another_one_is_fine(grow):
    tree = grow(f"""
        {FAST}
        class Broken(service.Service):
            def start(self):
                hear()
                raise LookupError("this one is broken")

        launcher = service.ProcessLauncher(CONF)
        launcher.launch_service(Idle(), workers=2)
        launcher.launch_service(Broken())
        sys.exit(launcher.wait())
    """)
    tree.meet_all()
    for _ in range(5):
        tree.program.tell()
    assert tree.exit() == 1
    assert sum(line.startswith("stopped") for line in tree.program.rest()) == 2
    assert "Broken does not stay up" in tree.program.stderr


def test_row_20_the_tries_of_a_worker_come_later_and_later(grow):
    tree = grow("""
        restarts._FIRST = 0.001
        class Broken(service.Service):
            def start(self):
                sys.exit(3)

        run(Broken(), workers=2)
    """)
    assert tree.exit() == 1
    text = tree.program.stderr
    for delay in ("0.001", "0.002", "0.004", "0.008"):
        assert f"status 3 before it was ready; the next one starts in {delay} s" in text


def test_row_20_signals_are_met_while_a_worker_waits_for_its_next_try(grow):
    tree = grow(
        """
        restarts._FIRST = restarts._MOST = 3600.0
        class Partly(Idle):
            def start(self):
                if oslo_asyncio.worker_id() == 1:
                    raise LookupError("this one is broken")

        run(Partly(), workers=2)
        """,
        stderr=subprocess.STDOUT,
    )
    tree.logged("the next one starts in 3600 s")
    assert tree.stop() == 0
