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
"""SIGHUP: the files are read again, in one process that goes on."""

import signal
import subprocess

import pytest

SERVICES = """
CONF.register_opts([cfg.IntOpt("a", mutable=True), cfg.IntOpt("fixed")])

class Logged(service.Service):
    def show(self, what):
        say(what, type(self).__name__, CONF.a, CONF.fixed)

class Sync(Logged):
    def start(self):
        self.ended = threading.Event()
        self.show("start")

    def wait(self):
        self.ended.wait()
        self.show("waited")

    def stop(self):
        self.show("stop")
        self.ended.set()

    def reset(self):
        self.show("reset")

class Async(Logged):
    async def start(self):
        self.ended = asyncio.Event()
        self.show("start")

    async def wait(self):
        await self.ended.wait()
        self.show("waited")

    async def stop(self):
        self.show("stop")
        self.ended.set()

    async def reset(self):
        self.show("reset")

class Last(service.Service):
    def start(self):
        say("ready", os.getpid())

    def reset(self):
        say("last reset")

def run(restart_method):
    launcher = service.ServiceLauncher(CONF, restart_method)
    for each in (Sync(), Async(), Last()):
        launcher.launch_service(each)
    sys.exit(launcher.wait())
"""


def expect_all(program, *lines):
    for line in lines:
        assert program.next_line() == line


def change(program, hub_name, text):
    program.write_config(hub_name, text)
    program.signal(signal.SIGHUP)


def test_row_32_a_reload_restarts_in_place_and_sigterm_then_ends_with_0(
    start, hub_name
):
    program = start(SERVICES + '\nrun("reload")\n', default="a = 1\nfixed = 1")
    expect_all(program, "start Sync 1 1", "start Async 1 1", f"ready {program.pid}")
    for n in (2, 3):
        change(program, hub_name, f"a = {n}\nfixed = {n}")
        for kind in ("Sync", "Async"):
            steps = ("stop", "waited", "reset", "start")
            expect_all(program, *(f"{step} {kind} {n} {n}" for step in steps))
        expect_all(program, "last reset", f"ready {program.pid}")
    assert program.stop() == 0
    stops = ["stop Async 3 3", "stop Sync 3 3", "waited Async 3 3", "waited Sync 3 3"]
    assert sorted(program.rest()) == stops
    assert "Traceback" not in program.stderr


def test_mutate_changes_values_and_calls_reset_once(start, hub_name):
    program = start(SERVICES + '\nrun("mutate")\n', default="a = 1\nfixed = 1")
    expect_all(program, "start Sync 1 1", "start Async 1 1", f"ready {program.pid}")
    for n in (2, 3):
        change(program, hub_name, f"a = {n}\nfixed = {n}")
        expect_all(program, f"reset Sync {n} 1", f"reset Async {n} 1", "last reset")
    assert program.stop() == 0
    assert sorted(program.rest())[0] == "stop Async 3 1"


BAD = {
    "a syntax error": "a = 2\nno option here",
    "a deleted file": None,
}

BAD_FOR_US = {"an option of ours": "a = 2\ngraceful_shutdown_timeout = -1"}

SERVING = """
CONF.register_opts([cfg.IntOpt("a", mutable=True, min=0)])

class Serving(service.Service):
    async def start(self):
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, self.serve)
        say("start", CONF.a)

    def serve(self):
        say("serving", CONF.a, CONF.graceful_shutdown_timeout)

    async def reset(self):
        say("reset", CONF.a)

sys.exit(service.launch(CONF, Serving(), restart_method={method!r}).wait())
"""


@pytest.mark.parametrize("method", ["reload", "mutate"])
def test_a_bad_file_changes_nothing_and_the_next_good_one_works(
    start, hub_name, method
):
    source = SERVING.format(method=method)
    program = start(source, default="a = 1", stderr=subprocess.STDOUT)
    program.wait_for("start 1")
    ours = {} if method == "mutate" else BAD_FOR_US
    for text in (BAD | ours).values():
        if text is None:
            program.config.unlink()
        else:
            program.write_config(hub_name, text)
        program.signal(signal.SIGHUP)
        program.wait_for("ERROR The configuration was not changed")
        program.signal(signal.SIGUSR1)
        assert program.next_line() == "serving 1 60"
    change(program, hub_name, "a = 5\ngraceful_shutdown_timeout = 7")
    program.wait_for("reset 5")
    if method == "reload":
        program.wait_for("start 5")
    program.signal(signal.SIGUSR1)
    program.wait_for("serving 5")
    assert program.stop() == 0
    program.rest()
    assert sum("ERROR" in line for line in program.lines) == len(BAD | ours)
    assert not any("Traceback" in line for line in program.lines)


@pytest.mark.parametrize("method", ["reload", "mutate"])
@pytest.mark.parametrize("text", ["a = -1", "a = many"])
def test_a_value_that_the_applications_option_refuses_changes_nothing(
    start, hub_name, method, text
):
    source = SERVING.format(method=method)
    program = start(source, default="a = 1", stderr=subprocess.STDOUT)
    program.wait_for("start 1")
    change(program, hub_name, text)
    program.wait_for("ERROR The configuration was not changed")
    program.signal(signal.SIGUSR1)
    assert program.next_line() == "serving 1 60"
    assert program.stop() == 0


@pytest.mark.parametrize("method", ["reload", "mutate"])
def test_row_54_async_code_never_sees_a_half_changed_configuration(
    start, hub_name, method
):
    program = start(
        f"""
        CONF.register_opts(
            [cfg.IntOpt("a", mutable=True), cfg.IntOpt("b", mutable=True)]
        )

        class Reader(service.Service):
            async def start(self):
                self.reader = asyncio.ensure_future(self.read())
                say("ready")

            async def read(self):
                while True:
                    a = CONF.a
                    if a != CONF.b:
                        say("half changed", a, CONF.b)
                    await asyncio.sleep(0)

            async def reset(self):
                say("reset", CONF.a)

            async def stop(self):
                self.reader.cancel()

        sys.exit(service.launch(CONF, Reader(), restart_method={method!r}).wait())
        """,
        default="a = 0\nb = 0",
    )
    program.expect("ready")
    for n in range(1, 40):
        change(program, hub_name, f"a = {n}\nb = {n}")
        program.expect(f"reset {n}")
        if method == "reload":
            program.expect("ready")
    assert program.stop() == 0
    assert program.rest() == []


SLOW = """
class Slow(service.Service):
    def start(self):
        say("starting")
        hear()
        say("started")

    def stop(self):
        say("stopped")

launcher = service.launch(CONF, Slow())
sys.exit(launcher.wait())
"""


def test_row_7_signals_during_a_slow_start_make_one_reload(start):
    program = start(SLOW)
    program.expect("starting")
    for _ in range(200):
        program.signal(signal.SIGHUP)
    program.tell()
    for line in ("started", "stopped", "starting"):
        program.expect(line)
    program.tell()
    program.expect("started")
    assert program.stop() == 0
    assert program.rest() == ["stopped"]
    assert program.stderr.count("Reading the configuration again") == 1


def test_sigterm_during_a_reload_stops_what_it_had_restarted(start):
    program = start(SLOW, stderr=subprocess.STDOUT)
    program.wait_for("starting")
    program.tell()
    program.wait_for("started")
    program.signal(signal.SIGHUP)
    program.wait_for("stopped")
    program.wait_for("starting")
    program.signal(signal.SIGTERM)
    program.wait_for("INFO Received SIGTERM")
    program.tell()
    assert program.exit() == 0
    said = [line for line in program.rest() if not line.startswith("INFO")]
    assert said == ["started", "stopped"]


def test_sigterm_during_the_stop_of_a_reload_does_not_start_it_again(start):
    program = start(
        """
        class Slow(service.Service):
            async def start(self):
                say("started")

            async def stop(self):
                say("stopping")
                await hub.run_sync(hear)
                say("stopped")

        sys.exit(service.launch(CONF, Slow()).wait())
        """,
        stderr=subprocess.STDOUT,
    )
    program.wait_for("started")
    program.signal(signal.SIGHUP)
    program.wait_for("stopping")
    program.signal(signal.SIGTERM)
    program.wait_for("INFO Received SIGTERM")
    program.tell()
    program.tell()
    assert program.exit() == 0
    assert program.rest().count("started") == 0


def test_restart_from_another_thread_reads_the_files_again(start, hub_name):
    program = start(
        """
        CONF.register_opts([cfg.IntOpt("a")])

        class Plain(service.Service):
            def start(self):
                say("start", CONF.a)

        def restart():
            hear_natively()
            launcher.restart()

        _unpatched.threading.Thread(target=restart).start()
        launcher = service.launch(CONF, Plain())
        sys.exit(launcher.wait())
        """,
        default="a = 1",
    )
    program.expect("start 1")
    program.write_config(hub_name, "a = 2")
    program.tell()
    program.expect("start 2")
    assert program.stop() == 0
