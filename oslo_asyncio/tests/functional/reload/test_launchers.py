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

"""A launcher with workers, as its program uses it."""

import signal
import subprocess

from oslo_asyncio.tests.functional.reload import crew


def test_each_service_has_its_own_number_of_workers(start, hub_name):
    program = start(
        """
        import oslo_asyncio

        class Named(service.Service):
            async def start(self):
                own = (type(self).__name__, oslo_asyncio.worker_id())
                seen = tuple(os.environ[f"OSLO_ASYNCIO_WORKER_{each}"] for each in
                             ("SERVICE", "ID"))
                say("up", *own, *seen)

        class First(Named): pass
        class Second(Named): pass
        class Third(Named): pass

        launcher = service.ProcessLauncher(CONF)
        launcher.launch_service(First(), workers=3)
        launcher.launch_service(Second())
        launcher.launch_service(Third(), 2)
        sys.exit(launcher.wait())
        """,
        stderr=subprocess.STDOUT,
    )
    expected = [
        f"up {name} {number} {name} {number}"
        for number, name in enumerate(["First"] * 3 + ["Second"] + ["Third"] * 2)
    ]
    assert sorted(program.wait_for("up") for _ in range(6)) == expected
    program.wait_for("INFO 6 of 6 workers are ready")
    program.signal(signal.SIGHUP)
    assert [program.wait_for("up") for _ in range(6)] == expected
    program.wait_for("INFO Reload ended")
    assert program.stop() == 0


def test_stop_from_another_thread_and_twice(start):
    program = start(
        crew.SERVICE
        + """
def stop_twice():
    hear_natively()
    launcher.stop()
    launcher.stop()

launcher = service.launch(CONF, Counting(), workers=3)
_unpatched.threading.Thread(target=stop_twice).start()
say("status", launcher.wait())
launcher.stop()
say("again", launcher.wait())
"""
    )
    crew.hear_of(program, "up", 3)
    program.tell()
    crew.hear_of(program, "down", 3)
    assert program.rest() == ["status 0", "again 0"]
    assert program.exit() == 0


def test_a_stop_while_wait_begins_is_not_lost(start):
    program = start("""
        from oslo_asyncio import _process_launcher

        class Idle(service.Service):
            async def stop(self):
                say("stopped")

        class Beginning(_process_launcher.supervisor.Parent):
            def __init__(self, *args):
                super().__init__(*args)
                launcher.stop()  # as another thread would, in this moment

        _process_launcher.supervisor.Parent = Beginning
        launcher = service.launch(CONF, Idle(), workers=2)
        say("status", launcher.wait())
    """)
    assert program.exit() == 0
    assert program.rest()[-1] == "status 0"


def test_a_launcher_that_is_stopped_before_wait_forks_nothing(start):
    program = start(
        crew.SERVICE
        + """
launcher = service.launch(CONF, Counting(), workers=3)
launcher.stop()
say("status", launcher.wait(), launcher.wait())
"""
    )
    assert program.rest() == ["status 0 0"]
    assert program.exit() == 0


def test_restart_from_another_thread_reads_the_files_again(start, hub_name):
    program = start(
        crew.SERVICE
        + """
def restart():
    hear_natively()
    launcher.restart()

launcher = service.launch(CONF, Counting(), workers=2)
_unpatched.threading.Thread(target=restart).start()
sys.exit(launcher.wait())
""",
        default="a = 1",
    )
    crew.hear_of(program, "up", 2)
    program.write_config(hub_name, "a = 2")
    program.tell()
    assert [who["a"] for who in crew.hear_of(program, "up", 2)] == [2, 2]
    assert program.stop() == 0


def test_the_second_wait_returns_the_same_status(start):
    program = start("""
        class Failing(service.Service):
            async def start(self):
                say("up")

            async def stop(self):
                raise LookupError("no such rabbit")

        launcher = service.launch(CONF, Failing(), workers=2)
        say("status", launcher.wait(), launcher.wait())
    """)
    program.expect("up")
    program.expect("up")
    program.signal(signal.SIGTERM)
    assert program.rest() == ["status 1 1"]
    assert program.exit() == 0


def test_the_positional_arguments_are_those_of_oslo_service(start):
    program = start(
        crew.SERVICE
        + """
launcher = service.ProcessLauncher(CONF, 0.01, "mutate", False)
launcher.launch_service(Counting(), 2)
say(launcher.conf is CONF, launcher.restart_method)
other = service.launch(CONF, Counting(), 2, "mutate")
say(type(other).__name__, other.restart_method)
sys.exit(launcher.wait())
"""
    )
    assert program.next_line() == "True mutate"
    assert program.next_line() == "ProcessLauncher mutate"
    crew.hear_of(program, "up", 2)
    program.signal(signal.SIGHUP)
    crew.hear_of(program, "reset", 2)
    assert program.stop() == 0


def test_what_it_cannot_run_is_refused_before_any_fork(start):
    program = start("""
        def refused(func, *args, **kwargs):
            try:
                func(*args, **kwargs)
            except Exception as error:
                say(type(error).__name__)

        launcher = service.ProcessLauncher(CONF)
        refused(launcher.launch_service, service.Service(), 0)
        refused(launcher.launch_service, service.Service)
        refused(launcher.launch_service, service.Service(), workers="2")
        refused(service.ProcessLauncher, CONF, restart_method="again")
        refused(service.launch, CONF, service.Service(), 2, "again")
        say("status", launcher.wait())
    """)
    errors = ["InvalidWorkers", "NotAService", "InvalidWorkers"]
    errors += ["InvalidRestartMethod"] * 2
    assert program.rest() == [*errors, "status 0"]


def test_a_service_that_comes_after_wait_is_refused(start):
    program = start("""
        from oslo_asyncio import exceptions

        class Late(service.Service):
            async def start(self):
                try:
                    launcher.launch_service(service.Service())
                except exceptions.LaunchedTooLate as error:
                    say(error)

        for kind in (service.ServiceLauncher, service.ProcessLauncher):
            launcher = kind(CONF)
            launcher.launch_service(Late())
            launcher.wait()
    """)
    for _ in range(2):
        program.expect("Service was launched after wait() had begun")
        program.signal(signal.SIGTERM)
    assert program.exit() == 0
