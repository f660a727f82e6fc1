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
"""Which worker a process is, and what it makes of it."""

import signal
import socket


def test_row_61_each_worker_has_a_number_which_its_replacement_keeps(grow):
    tree = grow("""
        class Numbered(Idle):
            async def wait(self):
                number = os.environ["OSLO_ASYNCIO_WORKER_ID"]
                name = os.environ["OSLO_ASYNCIO_WORKER_SERVICE"]
                assert number == str(oslo_asyncio.worker_id())
                assert name == "Numbered"
                process = await asyncio.create_subprocess_exec(
                    "sh", "-c", "echo child $OSLO_ASYNCIO_WORKER_ID"
                )
                await process.wait()
                tell_all("ready")

        launcher = service.launch(CONF, Numbered(), workers=3)
        status = launcher.wait()
        assert oslo_asyncio.worker_id() is None
        assert "OSLO_ASYNCIO_WORKER_ID" not in os.environ
        sys.exit(status)
    """)
    assert [worker.number for worker in tree.meet_all(3)] == [0, 1, 2]
    for number in (2, 0, 1):
        tree.workers[number].signal(signal.SIGKILL)
        assert tree.meet().number == number
    assert tree.stop() == 0
    said = tree.program.lines
    assert [said.count(f"child {number}") for number in range(3)] == [2, 2, 2]


def test_row_61_workers_of_several_services_have_different_numbers(grow):
    tree = grow("""
        class Other(Idle):
            pass

        launcher = service.ProcessLauncher(CONF)
        launcher.launch_service(Idle(), workers=2)
        launcher.launch_service(Other(), workers=2)
        sys.exit(launcher.wait())
    """)
    assert [worker.number for worker in tree.meet_all(4)] == [0, 1, 2, 3]
    assert tree.stop() == 0


def test_row_61_each_worker_may_have_a_port_and_a_log_file_of_its_own(grow):
    tree = grow("""
        # an address for each launcher, for other tests run at the same time
        pid = os.getpid()
        HOST = f"127.{pid >> 16 & 63 | 64}.{pid >> 8 & 255}.{pid & 255}"

        class Debugged(Idle):
            async def start(self):
                number = oslo_asyncio.worker_id()
                handler = logging.FileHandler(f"worker-{number}.log")
                logging.getLogger().addHandler(handler)
                self.server = await asyncio.start_server(
                    self.serve, HOST, 7000 + number
                )
                logging.warning("this is worker %d", number)

            async def serve(self, reader, writer):
                writer.write(f"worker {oslo_asyncio.worker_id()}".encode())
                writer.close()

            async def stop(self):
                self.server.close()

        say("host", HOST)
        run(Debugged(), workers=3)
    """)
    host = tree.program.expect("host").split()[1]
    tree.meet_all(3)
    tree.workers[1].signal(signal.SIGKILL)
    assert tree.meet().number == 1
    for number in range(3):
        with socket.create_connection((host, 7000 + number), timeout=15) as client:
            assert client.makefile().read() == f"worker {number}"
    assert tree.stop() == 0
    for number, times in enumerate((1, 2, 1)):
        text = (tree.program.folder / f"worker-{number}.log").read_text()
        assert text.count("this is worker") == times
        assert text.count(f"this is worker {number}") == times


def test_row_39_on_worker_start_runs_in_each_worker_before_its_services(grow):
    tree = grow("""
        import random

        numbers = random.Random(39)  # as numpy's: nobody seeds it anew
        seeded = False

        @service.on_worker_start
        def seed():
            global seeded
            numbers.seed()
            seeded = True

        class Random(Idle):
            async def start(self):
                assert seeded
                say("drawn", numbers.random())

        run(Random(), workers=3)
    """)
    tree.meet_all(3)
    tree.workers[0].signal(signal.SIGKILL)
    tree.meet()
    drawn = [line for line in tree.program.lines if line.startswith("drawn")]
    assert len(drawn) == len(set(drawn)) == 4
    assert tree.stop() == 0


def test_row_39_a_hook_that_fails_is_a_failed_start(grow):
    tree = grow("""
        restarts._FIRST = restarts._MOST = 0.01

        @service.on_worker_start
        def seed():
            raise LookupError("no entropy")

        run(Idle())
    """)
    assert tree.exit() == 1
    assert tree.program.rest() == []
    assert "LookupError: no entropy" in tree.program.stderr
