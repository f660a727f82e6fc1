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

"""What ends one process, and how soon: signals, stop(), sys.exit()."""

import signal
import time

import pytest

from oslo_asyncio.tests.functional.program import fastest

IDLE = """
class Idle(service.Service):
    async def start(self):
        say("started")

    async def stop(self):
        say("stopped")

sys.exit(service.launch(CONF, Idle()).wait())
"""


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_row_1_an_idle_loop_stops_within_100_ms_of_a_signal(start, signum):
    def stopping():
        program = start(IDLE)
        program.expect("started")
        sent = program.signal(signum)
        program.expect("stopped")
        passed = time.monotonic() - sent
        assert program.exit() == 0
        assert "Traceback" not in program.stderr
        return passed

    assert fastest(stopping, 0.1) < 0.1


def test_a_sync_service_may_work_in_wait_until_stop(start):
    program = start("""
        class Sync(service.Service):
            def start(self):
                self.ended = threading.Event()

            def wait(self):
                say("working")
                self.ended.wait()
                say("done")

            def stop(self):
                say("stopping")
                self.ended.set()

        sys.exit(service.launch(CONF, Sync()).wait())
    """)
    program.expect("working")
    assert program.stop() == 0
    assert program.rest() == ["stopping", "done"]


def test_a_sync_service_may_work_in_start_until_stop(start):
    program = start(
        """
        import threading

        class Worker(service.Service):
            def __init__(self):
                super().__init__()
                self.done = threading.Event()

            def start(self):
                say("started")
                self.done.wait()
                say("start ends")

            def stop(self):
                say("stopping")
                self.done.set()

        sys.exit(service.launch(CONF, Worker()).wait())
        """,
        default="graceful_shutdown_timeout = 2",
    )
    program.expect("started")
    program.signal(signal.SIGTERM)
    program.expect("stopping")
    program.expect("start ends")
    assert program.exit() == 0


def test_a_start_that_nothing_ends_is_left_behind_when_stop_has_returned(start):
    program = start(
        """
        import threading

        class Worker(service.Service):
            def start(self):
                say("started")
                threading.Event().wait()

            def stop(self):
                say("stopped")

        sys.exit(service.launch(CONF, Worker()).wait())
        """,
        default="graceful_shutdown_timeout = 4",
    )
    program.expect("started")
    program.signal(signal.SIGTERM)
    program.expect("stopped")
    assert program.exit() == 0
    assert "Worker.start() has not returned although stop() has" in program.stderr
    assert "threading.Event().wait()" in program.stderr


def test_an_async_service_may_work_in_wait_until_stop(start):
    program = start("""
        class Async(service.Service):
            async def start(self):
                self.ended = asyncio.Event()

            async def wait(self):
                say("working")
                await self.ended.wait()
                say("done")

            async def stop(self):
                say("stopping")
                self.ended.set()

        sys.exit(service.launch(CONF, Async()).wait())
    """)
    program.expect("working")
    assert program.stop() == 0
    assert program.rest() == ["stopping", "done"]


def test_sync_and_async_services_share_one_launcher(start):
    program = start("""
        class Sync(service.Service):
            def start(self):
                say("start sync")

            def stop(self):
                say("stop sync")

        class Async(service.Service):
            async def start(self):
                say("start async")

            async def stop(self):
                say("stop async")

        launcher = service.ServiceLauncher(CONF)
        for each in (Async(), Sync(), Async(), Sync()):
            launcher.launch_service(each)
        sys.exit(launcher.wait())
    """)
    kinds = ("async", "sync", "async", "sync")
    for kind in kinds:
        program.expect(f"start {kind}")
    assert program.stop() == 0
    assert sorted(program.rest()) == sorted(f"stop {kind}" for kind in kinds)


def test_a_wait_that_returns_at_once_does_not_end_the_worker(start):
    program = start("""
        class Brief(service.Service):
            async def wait(self):
                asyncio.get_running_loop().call_soon(self.turn, 200)

            def turn(self, left):
                if left:
                    asyncio.get_running_loop().call_soon(self.turn, left - 1)
                else:
                    say("lives")

            def stop(self):
                say("stopped")

        sys.exit(service.launch(CONF, Brief()).wait())
    """)
    program.expect("lives")
    assert program.stop() == 0
    assert program.rest() == ["stopped"]


def test_stop_is_called_from_another_native_thread_and_twice(start):
    program = start("""
        class Idle(service.Service):
            async def start(self):
                _unpatched.threading.Thread(target=stop_twice).start()

            async def stop(self):
                say("stopped")

        def stop_twice():
            launcher.stop()
            launcher.stop()

        launcher = service.launch(CONF, Idle())
        say("status", launcher.wait())
        launcher.stop()
        say("again", launcher.wait())
    """)
    assert program.rest() == ["stopped", "status 0", "again 0"]
    assert program.exit() == 0


def test_a_launcher_that_is_stopped_before_wait_starts_nothing(start):
    program = start("""
        class Never(service.Service):
            def start(self):
                say("started")

        launcher = service.launch(CONF, Never())
        launcher.stop()
        sys.exit(launcher.wait())
    """)
    assert program.exit() == 0
    assert program.rest() == []


def test_a_service_that_stops_the_loop_stops_the_worker(start):
    program = start("""
        class Rude(service.Service):
            async def start(self):
                asyncio.get_running_loop().call_soon(asyncio.get_running_loop().stop)

            async def stop(self):
                say("stopped")

        sys.exit(service.launch(CONF, Rude()).wait())
    """)
    assert program.exit() == 0
    assert program.rest() == ["stopped"]


SYS_EXIT = {
    "async start": "async def start(self): sys.exit(3)",
    "sync start": "def start(self): sys.exit(3)",
    "async wait": "async def wait(self): sys.exit(3)",
    "sync wait": "def wait(self): sys.exit(3)",
    "async stop": "async def stop(self): sys.exit(3)",
    "sync stop": "def stop(self): sys.exit(3)",
    "a callback": """async def start(self):
                asyncio.get_running_loop().call_soon(sys.exit, 3)""",
}


@pytest.mark.parametrize("place", SYS_EXIT)
def test_the_status_that_a_service_exits_with_is_the_programs(start, place):
    program = start(f"""
        class Other(service.Service):
            def stop(self):
                say("other stopped")

        class Leaving(service.Service):
            {SYS_EXIT[place]}

        launcher = service.ServiceLauncher(CONF)
        launcher.launch_service(Other())
        launcher.launch_service(Leaving())
        if "stop" in {place!r}:
            launcher.launch_service(type("Last", (service.Service,), dict(
                wait=lambda self: launcher.stop()))())
        sys.exit(launcher.wait())
    """)
    assert program.exit() == 3
    assert program.rest() == ["other stopped"]
    assert "Traceback" not in program.stderr
