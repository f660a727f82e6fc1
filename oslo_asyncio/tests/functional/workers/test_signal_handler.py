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
"""Handlers that the application adds next to those of its launcher."""

import signal
import subprocess

import pytest

#: alone in its process, or with others
BOTH = pytest.mark.parametrize("workers", [1, 2])

SERVICE = """
class Agent(Idle):
    def start(self):
        handler = service.SignalHandler()
        handler.add_handlers(["SIGUSR1", "SIGTERM"], self.first)
        handler.add_handlers(["SIGUSR1", "SIGTERM"], self.failing)
        handler.add_handlers(["SIGUSR1", "SIGTERM"], self.last)

    def first(self, signo, frame):
        on_loop = asyncio._get_running_loop() is not None
        tell_all(f"sync-{signal.Signals(signo).name}-{on_loop}-{frame}")

    async def failing(self, signo, frame):
        raise LookupError("oops")

    async def last(self, signo, frame):
        on_loop = asyncio._get_running_loop() is not None
        tell_all(f"async-{signal.Signals(signo).name}-{on_loop}-{frame}")
"""


def words_of(tree, worker, count):
    """What one worker says next, whatever the others do."""
    words = []
    while len(words) < count:
        word, _number, pid = tree.program.next_line().split()
        if int(pid) == worker.pid:
            words.append(word)
    return words


@BOTH
def test_row_12_handlers_run_last_in_first_out_and_one_that_fails_stops_no_other(
    grow, workers
):
    tree = grow(f"{SERVICE}\nrun(Agent(), workers={workers})")
    for worker in tree.meet_all(workers):
        worker.signal(signal.SIGUSR1)
        said = words_of(tree, worker, 2)
        assert said == ["async-SIGUSR1-True-None", "sync-SIGUSR1-False-None"]
    assert tree.stop() == 0
    assert tree.program.stderr.count("LookupError: oops") == 2 * workers


@BOTH
def test_a_handler_of_sigterm_runs_before_stop_and_the_worker_stops_with_0(
    grow, workers
):
    tree = grow(f"{SERVICE}\nrun(Agent(), workers={workers})")
    met = tree.meet_all(workers)
    tree.program.signal(signal.SIGTERM)
    lines = [line.split() for line in tree.program.rest()]
    for worker in met:
        assert [word for word, _number, pid in lines if int(pid) == worker.pid] == [
            "async-SIGTERM-True-None",
            "sync-SIGTERM-False-None",
            "stopped",
        ]
    assert tree.exit() == 0


def test_a_worker_that_gets_sigterm_itself_runs_its_handlers_and_is_replaced(grow):
    tree = grow(SERVICE + "\nrun(Agent(), workers=2)")
    first, _other = tree.meet_all()
    first.signal(signal.SIGTERM)
    said = words_of(tree, first, 3)
    assert said == ["async-SIGTERM-True-None", "sync-SIGTERM-False-None", "stopped"]
    assert tree.meet().number == first.number
    assert tree.stop() == 0


def test_handlers_of_sigterm_run_once_however_often_it_comes(grow):
    tree = grow("""
        class Agent(Idle):
            def start(self):
                service.SignalHandler().add_handler("SIGTERM", self.sign_off)
                service.SignalHandler().add_handler("SIGWINCH", self.hear_another)

            def sign_off(self, signo, frame):
                tell_all("off")
                hear()

            def hear_another(self, signo, frame):
                tell_all("another")

        run(Agent(), workers=2)
    """)
    met = tree.meet_all()
    tree.program.signal(signal.SIGTERM)
    tree.meet_all(word="off")
    for worker in met:
        worker.signal(signal.SIGTERM)
        worker.signal(signal.SIGWINCH)  # which comes after it
    tree.meet_all(word="another")
    tree.program.tell(times=2)
    assert tree.exit() == 0
    said = [line.split()[0] for line in tree.program.rest()]
    assert said == ["stopped", "stopped"]


@BOTH
def test_row_15_handlers_last_through_a_reload_and_are_called_once(grow, workers):
    tree = grow(f"{SERVICE}\nrun(Agent(), workers={workers})", stderr=subprocess.STDOUT)
    tree.meet_all(workers)
    tree.program.signal(signal.SIGHUP)
    after = tree.meet_all(workers)
    tree.logged("Reload ended" if workers > 1 else "Configuration read again")
    after[0].signal(signal.SIGUSR1)
    tree.program.wait_for("async-SIGUSR1")
    tree.program.wait_for("sync-SIGUSR1")
    assert tree.stop() == 0
    tree.program.rest()
    heard = [line.split("-")[0] for line in tree.program.lines if "SIGUSR1-" in line]
    assert heard == ["async", "sync"]


BEFORE = """
async def later(signo, frame):
    tell_all("async")

def before(signo, frame):
    tell_all(f"heard-{frame is not None}")

def hup(signo, frame):
    tell_all("hup")

handler = service.SignalHandler()
handler.add_handler("SIGUSR1", before)
handler.add_handler("SIGUSR1", later)
handler.add_handler("SIGHUP", hup)
"""


def test_what_is_added_before_the_launcher_is_heard_in_parent_and_workers(grow):
    tree = grow(BEFORE + "run(Idle())")
    met = tree.meet_all()
    for worker in met:
        worker.signal(signal.SIGUSR1)
        assert words_of(tree, worker, 2) == ["async", "heard-False"]
        worker.signal(signal.SIGHUP)
        assert tree.meet(word="hup").pid == worker.pid
    tree.program.signal(signal.SIGUSR1)
    tree.program.wait_for(f"heard-True None {tree.pid}")
    assert "No loop runs in this process: later is not called" in tree.program.stderr
    assert tree.stop() == 0


def test_in_one_process_handlers_are_heard_before_the_launcher_and_after_it(grow):
    tree = grow(
        BEFORE
        + """
os.kill(os.getpid(), signal.SIGUSR1)
status = service.launch(CONF, Idle()).wait()
os.kill(os.getpid(), signal.SIGUSR1)
say("status", status)
"""
    )
    tree.program.expect("heard-True None")
    worker = tree.meet()
    worker.signal(signal.SIGUSR1)
    assert words_of(tree, worker, 2) == ["async", "heard-False"]
    assert tree.stop() == 0
    said = [line.split()[0] for line in tree.program.rest()]
    assert said == ["stopped", "heard-True", "status"]


def test_row_14_a_launcher_in_a_thread_says_that_a_handler_hears_nothing(grow):
    tree = grow("""
        class Agent(Idle):
            def start(self):
                service.SignalHandler().add_handler("SIGUSR1", print)

        def wait():
            launcher.wait()

        launcher = service.launch(CONF, Agent())
        thread = _unpatched.threading.Thread(target=wait)
        thread.start()
        hear_natively()
        launcher.stop()
        thread.join()
    """)
    tree.meet()
    tree.program.tell()
    assert tree.exit() == 0
    sentence = (
        "Not in the main thread: handlers of SIGUSR1 are called when a launcher's "
        "wait() runs there"
    )
    assert tree.program.stderr.count(sentence) == 1


def test_clear_puts_back_what_the_application_had(grow):
    tree = grow("""
        def own(signo, frame):
            tell_all("own")

        def added(signo, frame):
            tell_all("added")

        class Agent(Idle):
            def start(self):
                service.SignalHandler().add_handler("SIGUSR1", added)
                service.SignalHandler().add_handler("SIGTERM", added)

            def reset(self):
                service.SignalHandler().clear()
                tell_all("cleared")

        signal.signal(signal.SIGUSR1, own)
        run(Agent(), workers=1, restart_method="mutate")
    """)
    worker = tree.meet()
    worker.signal(signal.SIGUSR1)
    assert words_of(tree, worker, 1) == ["added"]
    worker.signal(signal.SIGHUP)
    assert words_of(tree, worker, 1) == ["cleared"]
    worker.signal(signal.SIGUSR1)
    assert words_of(tree, worker, 1) == ["own"]
    assert tree.stop() == 0
    assert [line.split()[0] for line in tree.program.rest()] == ["stopped"]


def test_row_47_a_handler_that_hangs_is_named_and_keeps_no_service_from_stopping(grow):
    tree = grow(
        """
        class Agent(Idle):
            def start(self):
                service.SignalHandler().add_handler("SIGTERM", self.hanging)

            def hanging(self, signo, frame):
                hear()

            async def stop(self):
                for _ in range(100):  # it takes some time of its own
                    await asyncio.sleep(0)
                await super().stop()

        run(Agent(), workers=2)
        """,
        default="graceful_shutdown_timeout = 1",
    )
    tree.meet_all()
    assert tree.stop() == 1
    said = [line.split()[0] for line in tree.program.rest()]
    assert said == ["stopped", "stopped"]
    sentence = (
        "A handler of SIGTERM has not returned within graceful_shutdown_timeout and "
        "is left behind"
    )
    assert tree.program.stderr.count(sentence) == 2
    assert "in hanging" in tree.program.stderr
    assert "Agent.stop()" not in tree.program.stderr


def test_a_child_that_a_service_forks_calls_handlers_itself(grow):
    tree = grow("""
        def heard(signo, frame):
            say(f"heard {frame is not None}")

        class Agent(Idle):
            def start(self):
                service.SignalHandler().add_handler("SIGUSR1", heard)
                child = os.fork()
                if not child:
                    service.SignalHandler().add_handler("SIGUSR2", heard)
                    signal.raise_signal(signal.SIGUSR2)
                    os._exit(0)
                os.waitpid(child, 0)

        run(Agent(), workers=1)
    """)
    tree.program.expect("heard True")
    worker = tree.meet()
    worker.signal(signal.SIGUSR1)
    tree.program.expect("heard False")
    assert tree.stop() == 0


def test_sys_exit_in_a_handler_ends_the_worker_with_that_status(grow):
    tree = grow("""
        class Agent(Idle):
            def start(self):
                service.SignalHandler().add_handler("SIGUSR1", self.leave)

            def leave(self, signo, frame):
                raise service.SignalExit(signo, 7)

        run(Agent(), workers=1)
    """)
    tree.meet().signal(signal.SIGUSR1)
    assert tree.exit() == 7
    assert [line.split()[0] for line in tree.program.rest()] == ["stopped"]
