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
"""What the application has set up itself: its handlers, its threads."""

import random
import signal
import subprocess
import time

HANDLERS = """
def own(signum, frame):
    tell_all(signal.Signals(signum).name)

for name in ("SIGUSR1", "SIGUSR2"):
    signal.signal(getattr(signal, name), own)
run(Idle())
"""


def test_row_15_handlers_of_the_application_survive_launch_fork_and_reload(grow):
    tree = grow(HANDLERS, stderr=subprocess.STDOUT)

    def all_answer():
        for name in ("SIGUSR1", "SIGUSR2"):
            tree.program.signal(getattr(signal, name))
            tree.program.wait_for(f"{name} None {tree.program.pid}")
            for worker in tree.workers.values():
                worker.signal(getattr(signal, name))
                tree.program.wait_for(f"{name} {worker.number} {worker.pid}")

    before = tree.meet_all()
    all_answer()
    tree.program.signal(signal.SIGHUP)
    after = tree.meet_all()
    tree.logged("Reload ended")
    assert not {worker.pid for worker in before} & {worker.pid for worker in after}
    all_answer()
    assert tree.stop() == 0


def test_row_15_the_launcher_puts_back_what_it_found(grow):
    tree = grow("""
        def own(signum, frame):
            say(signal.Signals(signum).name)

        names = ("SIGTERM", "SIGINT", "SIGHUP", "SIGTTIN", "SIGTTOU")
        for name in names:
            signal.signal(getattr(signal, name), own)
        say("status", service.launch(CONF, Idle(), workers=2).wait())
        for name in names:
            os.kill(os.getpid(), getattr(signal, name))
    """)
    tree.meet_all()
    assert tree.stop() == 0
    said = tree.program.rest()
    assert said[-6:] == [
        "status 0",
        *("SIGTERM", "SIGINT", "SIGHUP", "SIGTTIN", "SIGTTOU"),
    ]


def test_row_14_a_launcher_in_a_thread_works_without_handlers(grow):
    tree = grow("""
        def wait():
            say("status", launcher.wait())

        launcher = service.launch(CONF, Idle(), workers=2)
        thread = _unpatched.threading.Thread(target=wait, name="launcher")
        thread.start()
        hear_natively()
        launcher.stop()
        thread.join()
        say("joined")
    """)
    first, _other = tree.meet_all()
    first.signal(signal.SIGKILL)
    tree.meet()
    tree.program.tell()
    assert tree.exit() == 0
    said = tree.program.rest()
    assert sorted(line.split()[0] for line in said[:2]) == ["stopped", "stopped"]
    assert said[2:] == ["status 0", "joined"]
    assert tree.program.stderr.count("this launcher handles no signals") == 1


# Deaths and forks keep the launcher busy; the answers tell that it is at work.
BUSY = """
restarts.BURST = 10**9

class Mortal(Idle):
    async def wait(self):
        tell_all("ready")
        os.kill(os.getpid(), signal.SIGKILL)

run(Mortal(), workers=2)
"""


def test_row_13_sigint_at_any_moment_of_a_busy_launcher_stops_it_at_once(grow):
    chance = random.Random(13)
    end = time.monotonic() + 1
    while time.monotonic() < end:
        trees = [grow(BUSY) for _ in range(2)]
        for tree in trees:
            for _ in range(chance.randrange(1, 60)):
                tree.program.wait_for("ready")
            tree.program.signal(signal.SIGINT)
        for tree in trees:
            assert tree.exit() in (0, 1)  # 1: one has killed itself meanwhile
            assert "KeyboardInterrupt" not in tree.program.stderr
            assert "Traceback" not in tree.program.stderr
            assert tree.program.stderr.count("Received SIGINT") == 1
