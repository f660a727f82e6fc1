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
"""Signals that come by the wrong thread, too often, or to somebody else."""

import random
import signal
import time

IDLE = """
class Idle(service.Service):
    async def start(self):
        say("started")

    async def stop(self):
        say("stopped")
"""


def test_row_2_a_signal_that_a_pool_thread_gets_wakes_the_idle_loop(start):
    program = start("""
        class Struck(service.Service):
            async def start(self):
                self.call = asyncio.ensure_future(executor.run_blocking(strike))

            async def stop(self):
                say("stopped")

        def strike():
            say("ready")
            hear_natively()
            signal.pthread_kill(_unpatched.threading.get_ident(), signal.SIGTERM)

        sys.exit(service.launch(CONF, Struck()).wait())
    """)
    program.expect("ready")
    program.tell()
    program.expect("stopped")
    assert program.exit() == 0


def test_row_3_a_stolen_wakeup_fd_is_noticed_and_taken_back(start):
    program = start(
        """
        class Thief(service.Service):
            async def start(self):
                self.pair = socket.socketpair()
                for end in self.pair:
                    end.setblocking(False)
                self.steal()

            async def reset(self):
                self.steal()

            def steal(self):
                stolen = signal.set_wakeup_fd(self.pair[0].fileno())
                say("stolen again" if stolen == self.pair[0].fileno() else "stolen")

            async def stop(self):
                say("stopped")

        sys.exit(service.launch(CONF, Thief(), restart_method="mutate").wait())
        """
    )
    program.expect("stolen")
    for _ in range(3):
        program.signal(signal.SIGHUP)
        assert program.next_line() == "stolen"
    program.signal(signal.SIGTERM)
    program.expect("stopped")
    assert program.exit() == 0
    assert program.stderr.count("wakeup fd") == 1


def test_row_3_signal_handlers_of_the_application_on_the_loop_work_beside_ours(start):
    program = start("""
        class Reporter(service.Service):
            async def start(self):
                loop = asyncio.get_running_loop()
                loop.add_signal_handler(signal.SIGUSR1, say, "report")
                say("ready")

            def stop(self):
                say("stopped")

        sys.exit(service.launch(CONF, Reporter()).wait())
    """)
    program.expect("ready")
    for _ in range(3):
        program.signal(signal.SIGUSR1)
        program.expect("report")
    program.signal(signal.SIGHUP)
    program.expect("stopped")
    program.expect("ready")
    program.signal(signal.SIGUSR1)
    program.expect("report")
    assert program.stop() == 0
    assert "WARNING" not in program.stderr


def test_row_11_a_thousand_sighups_make_a_few_reloads_that_never_overlap(start):
    program = start("""
        class Slow(service.Service):
            inside = False

            def start(self):
                say("ready")

            def reset(self):
                say("nested" if self.inside else "reset")
                self.inside = True
                hear()
                self.inside = False

            def stop(self):
                say("stopped")

        sys.exit(service.launch(CONF, Slow(), restart_method="mutate").wait())
    """)
    program.expect("ready")
    program.signal(signal.SIGHUP)
    program.expect("reset")
    for _ in range(1000):
        program.signal(signal.SIGHUP)
    program.tell()
    program.expect("reset")
    for _ in range(10):
        program.tell()
    assert program.stop() == 0
    said = program.rest()
    assert said[-1] == "stopped"
    assert len(said) <= 2
    assert "nested" not in said


def test_row_12_handlers_run_last_in_first_out_whatever_one_of_them_does(start):
    program = start("""
        from oslo_asyncio._worker import signals

        loop = hub.load(CONF).new_event_loop()
        inbox = signals.SignalInbox(loop)

        def last(signum):
            say("last")
            if signum == signal.SIGTERM:
                loop.stop()

        def failing(signum):
            say("failing")
            raise LookupError("one handler fails")

        def changing(signum):
            say("changing")
            inbox.add(signum, lambda _signum: say("added"))

        inbox.open((signal.SIGUSR1, signal.SIGTERM), last)
        inbox.add(signal.SIGUSR1, failing)
        inbox.add(signal.SIGUSR1, changing)
        loop.call_soon(say, "ready")
        loop.run_forever()
        inbox.close()
        loop.close()
        say(signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL)
    """)
    program.expect("ready")
    program.signal(signal.SIGUSR1)
    for line in ("changing", "failing", "last"):
        program.expect(line)
    program.signal(signal.SIGUSR1)
    for line in ("added", "changing", "failing", "last"):
        program.expect(line)
    program.signal(signal.SIGTERM)
    assert program.rest() == ["last", "True"]
    assert program.exit() == 0
    assert program.stderr.count("LookupError: one handler fails") == 2


BUSY = """
class Busy(service.Service):
    async def start(self):
        self.loop = asyncio.get_running_loop()
        self.turns = 0
        self.work = asyncio.ensure_future(self.tasks())
        self.chain()

    def chain(self):
        self.turns += 1
        say(self.turns)
        self.next = self.loop.call_soon(self.chain)

    async def tasks(self):
        while True:
            await asyncio.gather(*(self.steps() for _ in range(20)))

    async def steps(self):
        for _ in range(5):
            await asyncio.sleep(0)

    async def stop(self):
        self.next.cancel()
        say("stopped")

sys.exit(service.launch(CONF, Busy()).wait())
"""


def test_row_13_sigint_at_any_moment_of_a_busy_loop_stops_it_cleanly(start):
    chance = random.Random(13)
    end = time.monotonic() + 3
    while time.monotonic() < end:
        programs = [start(BUSY) for _ in range(2)]
        for program in programs:
            for _ in range(chance.randrange(1, 400)):
                program.next_line()
            program.signal(signal.SIGINT)
        for program in programs:
            program.wait_for("stopped")
            assert program.exit() == 0
            assert "KeyboardInterrupt" not in program.stderr
            assert "Traceback" not in program.stderr


def test_row_14_a_launcher_outside_the_main_thread_works_without_handlers(
    start, hub_name
):
    program = start(
        IDLE
        + """
def run():
    say("status", launcher.wait())

launcher = service.launch(CONF, Idle())
thread = threading.Thread(target=run)
thread.start()
hear()
launcher.stop()
thread.join()
say("joined")
"""
    )
    program.expect("started")
    program.tell()
    assert program.rest() == ["stopped", "status 0", "joined"]
    assert program.exit() == 0
    # a green thread of the main thread is as good as the main thread
    deaf = 0 if hub_name == "eventlet" else 1
    assert program.stderr.count("this launcher handles no signals") == deaf


OWN_HANDLERS = (
    """
def own(signum, frame):
    say(signal.Signals(signum).name)

pair = socket.socketpair()
pair[0].setblocking(False)
names = ("SIGUSR1", "SIGUSR2", "SIGTERM", "SIGINT", "SIGHUP", "SIGALRM")
for name in names:
    signal.signal(getattr(signal, name), own)
signal.set_wakeup_fd(pair[0].fileno())
"""
    + IDLE
    + """
say("status", service.launch(CONF, Idle()).wait())
say("wakeup", signal.set_wakeup_fd(-1) == pair[0].fileno())
for name in names:
    os.kill(os.getpid(), getattr(signal, name))
"""
)


def test_row_15_the_applications_handlers_work_meanwhile_and_are_back_afterwards(start):
    program = start(OWN_HANDLERS)
    program.expect("started")
    for name in ("SIGUSR1", "SIGUSR2", "SIGALRM"):
        program.signal(getattr(signal, name))
        program.expect(name)
    program.signal(signal.SIGTERM)
    said = program.rest()
    assert said == [
        "stopped",
        "status 0",
        "wakeup True",
        "SIGUSR1",
        "SIGUSR2",
        "SIGTERM",
        "SIGINT",
        "SIGHUP",
        "SIGALRM",
    ]
    assert program.exit() == 0
    assert "WARNING" not in program.stderr


def test_a_sighup_that_is_ignored_at_the_start_stays_ignored(start):
    program = start(
        IDLE + "\nsys.exit(service.launch(CONF, Idle()).wait())\n", prefix=("nohup",)
    )
    program.expect("started")
    program.signal(signal.SIGHUP)
    program.signal(signal.SIGTERM)
    assert program.rest() == ["stopped"]
    assert program.exit() == 0
    assert "Reading the configuration again" not in program.stderr


def test_sync_code_and_blocking_calls_do_not_delay_a_signal(start):
    program = start("""
        class Blocking(service.Service):
            async def start(self):
                self.call = asyncio.ensure_future(executor.run_blocking(block))

            def wait(self):
                hear()

            async def stop(self):
                say("stopped")
                await hub.run_sync(launcher.stop)

        def block():
            say("blocked")
            threading_original.Event().wait()

        threading_original = _unpatched.threading
        launcher = service.launch(CONF, Blocking())
        sys.exit(launcher.wait())
    """)
    program.expect("blocked")
    program.signal(signal.SIGTERM)
    program.expect("stopped")
    program.tell()
    assert program.exit() == 0
    assert "pool 'default': block is still running" in program.stderr
