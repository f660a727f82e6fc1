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

"""A launcher inside a worker, as a service that owns other services has it."""

import signal

import pytest

INNER = """
class Inner(service.Service):
    async def start(self):
        say("inner start")

    def stop(self):
        say("inner stop")

    async def reset(self):
        say("inner reset")
"""

SYNC = f"""{INNER}
class Outer(service.Service):
    def start(self):
        self.launcher = service.Launcher(CONF, restart_method="mutate")
        self.launcher.launch_service(Inner())
        say("outer start")

    def stop(self):
        self.launcher.stop()
        say("outer stop")

    def wait(self):
        self.launcher.wait()
        say("outer waited")

    def reset(self):
        self.launcher.restart()
        say("outer reset")

sys.exit(service.launch(CONF, Outer(), restart_method="mutate").wait())
"""


def test_a_sync_service_may_own_a_launcher(start):
    program = start(SYNC)
    program.expect("inner start")
    program.expect("outer start")
    program.signal(signal.SIGHUP)
    program.expect("inner reset")
    program.expect("outer reset")
    assert program.stop() == 0
    said = program.rest()
    assert said[0] == "inner stop"
    assert sorted(said[1:]) == ["outer stop", "outer waited"]


def test_an_async_service_may_own_a_launcher(start):
    program = start(f"""{INNER}
class Outer(service.Service):
    async def start(self):
        self.launcher = service.Launcher(CONF)
        self.launcher.launch_service(Inner())

    async def stop(self):
        self.launcher.stop()
        await hub.run_sync(self.launcher.wait)
        say("outer stop")

sys.exit(service.launch(CONF, Outer()).wait())
""")
    program.expect("inner start")
    assert program.stop() == 0
    assert program.rest() == ["inner stop", "outer stop"]


def test_reload_restarts_the_services_of_an_inner_launcher(start):
    program = start(SYNC.replace('CONF, restart_method="mutate")\n', "CONF)\n", 1))
    program.expect("inner start")
    program.expect("outer start")
    program.signal(signal.SIGHUP)
    for line in ("inner stop", "inner reset", "inner start", "outer reset"):
        program.expect(line)
    assert program.stop() == 0


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_an_inner_service_that_does_not_start_ends_the_worker(start, kind):
    program = start(f"""
class Inner(service.Service):
    {kind} start(self):
        raise LookupError("no such rabbit")

class Outer(service.Service):
    {kind} start(self):
        service.Launcher(CONF).launch_service(Inner())

    def stop(self):
        say("outer stop")

sys.exit(service.launch(CONF, Outer()).wait())
""")
    assert program.exit() == 1
    assert program.rest() == ["outer stop"]
    assert "Service Inner did not start" in program.stderr
    assert "LookupError: no such rabbit" in program.stderr


def test_a_launcher_refuses_what_it_cannot_run(start):
    program = start("""
def refused(func, *args):
    try:
        func(*args)
    except Exception as error:
        say(type(error).__name__)

class Outer(service.Service):
    def start(self):
        launcher = service.Launcher(CONF)
        refused(launcher.launch_service, service.Service(), 2)
        refused(launcher.launch_service, service.Service(), 0)
        refused(launcher.launch_service, service.Service)
        refused(service.Launcher, CONF, "again")

    async def stop(self):
        refused(service.Launcher(CONF).wait)

service.launch(CONF, Outer()).wait()
""")
    program.expect("OneProcessOnly")
    program.expect("InvalidWorkers")
    program.expect("NotAService")
    program.expect("InvalidRestartMethod")
    program.signal(signal.SIGTERM)
    program.expect("WaitOnLoop")
    assert program.exit() == 0


def test_a_launcher_outside_of_a_worker_runs_its_services_on_a_loop_that_stands_in(
    start,
):
    program = start("""
class Inner(service.Service):
    async def start(self):
        say("start")

    def stop(self):
        say("stop")

launcher = service.Launcher(CONF)
launcher.launch_service(Inner())
say("started")
launcher.stop()
say("stopped")
launcher.wait()
""")
    assert program.rest() == ["start", "started", "stop", "stopped"]
    assert program.exit() == 0
