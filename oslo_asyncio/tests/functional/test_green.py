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
"""The eventlet hub: green code at eventlet's speed, async code next to it."""

import signal

import pytest


@pytest.fixture
def hub_name():
    """This is about one hub."""
    return "eventlet"


def test_row_57_no_lock_is_left_that_was_made_before_patching(start):
    program = start(
        """
        import oslo_config.cfg, stevedore.driver, oslo_log.log
        import concurrent.futures, queue, logging.config, threading
        logging.getLogger("made").addHandler(logging.StreamHandler())
        from oslo_asyncio import hub
        hub.setup()
        import gc, sys

        unpatched = sys.modules["eventlet.patcher"].original("threading")
        native = type(unpatched.RLock())

        def belongs_there(lock):
            owners = [owner for owner in gc.get_referrers(lock) if owner is not locks]
            return any(owner is vars(unpatched) for owner in owners) or any(
                type(owner).__module__.startswith("_frozen_importlib")
                for owner in owners
            )

        locks = [each for each in gc.get_objects() if isinstance(each, native)]
        print([lock for lock in locks if not belongs_there(lock)], native.__module__)
        logging.getLogger("made").warning("said")
        """,
        preamble=False,
    )
    assert program.rest() == ["[] _thread"]
    assert program.exit() == 0
    assert program.stderr == "said\n"


def test_row_58_threads_and_look_ups_are_native_while_the_loop_ticks(start):
    program = start("""
        class Mixed(service.Service):
            async def start(self):
                self.ticks = 0
                self.ticker = asyncio.ensure_future(self.tick())
                ended = _unpatched.threading.Event()
                call = asyncio.ensure_future(asyncio.to_thread(block, ended))
                before = self.ticks
                while self.ticks < before + 100:
                    await asyncio.sleep(0)
                ended.set()
                say("thread", await call != _unpatched.threading.get_native_id())

                loop = asyncio.get_running_loop()
                found = await loop.getaddrinfo("localhost", 80, type=1)
                say("address", found[0][4][0] in ("127.0.0.1", "::1"))
                names = [pool.name for pool in executor.figures() if pool.threads]
                say("pools", *sorted(names))

            async def tick(self):
                while True:
                    self.ticks += 1
                    await asyncio.sleep(0)

        def block(ended):
            ended.wait()
            return _unpatched.threading.get_native_id()

        sys.exit(service.launch(CONF, Mixed()).wait())
    """)
    program.expect("thread True")
    program.expect("address True")
    program.expect("pools default resolver")
    assert program.stop() == 0


def test_row_59_a_signal_wakes_a_process_in_which_only_green_code_waits(start):
    program = start("""
        class Green(service.Service):
            def start(self):
                self.sock = service.listen("127.0.0.1", 0)

            def wait(self):
                say("waiting")
                try:
                    self.sock.accept()
                except OSError:
                    say("accept ended")

            def stop(self):
                say("stopped")
                socket.create_connection(self.sock.getsockname()).close()

        sys.exit(service.launch(CONF, Green()).wait())
    """)
    program.expect("waiting")
    program.signal(signal.SIGTERM)
    program.expect("stopped")
    assert program.exit() == 0


def test_green_and_async_code_talk_to_each_other_over_sockets(start):
    program = start("""
        class AsyncServer(service.Service):
            async def start(self):
                sock = service.listen("127.0.0.1", 0)
                ports["async"] = sock.getsockname()[1]
                self.server = await asyncio.start_server(self.echo, sock=sock)

            async def echo(self, reader, writer):
                while data := await reader.read(65536):
                    writer.write(data)
                    await writer.drain()
                writer.close()

            async def stop(self):
                self.server.close()

        class GreenServer(service.Service):
            def start(self):
                self.sock = service.listen("127.0.0.1", 0)
                ports["green"] = self.sock.getsockname()[1]
                threading.Thread(target=self.serve, daemon=True).start()

            def serve(self):
                while True:
                    connection, _ = self.sock.accept()
                    threading.Thread(
                        target=self.echo, args=[connection], daemon=True).start()

            def echo(self, connection):
                while data := connection.recv(65536):
                    connection.sendall(data)
                connection.close()

        class Clients(service.Service):
            async def wait(self):
                calls = [hub.run_sync(green, ports["async"], n) for n in range(20)]
                calls += [talk(ports["green"], n) for n in range(20)]
                calls += [hub.run_sync(green, ports["green"], n) for n in range(5)]
                say("right", sum(await asyncio.gather(*calls)))
                launcher.stop()

        def green(port, n):
            sock = socket.create_connection(("localhost", port))
            message, answer = bytes([n]) * 300000, b""
            sender = threading.Thread(target=sock.sendall, args=[message])
            sender.start()
            while len(answer) < len(message):
                answer += sock.recv(65536)
            sock.close()
            return answer == message

        async def talk(port, n):
            reader, writer = await asyncio.open_connection("localhost", port)
            message = bytes([n]) * 300000
            writer.write(message)
            answer = await reader.readexactly(len(message))
            writer.close()
            await writer.wait_closed()
            return answer == message

        ports = {}
        launcher = service.ServiceLauncher(CONF)
        for each in (AsyncServer(), GreenServer(), Clients()):
            launcher.launch_service(each)
        sys.exit(launcher.wait())
    """)
    program.expect("right 45")
    assert program.exit() == 0
    assert "Traceback" not in program.stderr


def test_green_code_calls_async_code_and_the_other_way_round(start):
    program = start("""
        class Both(service.Service):
            async def start(self):
                say(await hub.run_sync(down, 3))

        def down(n):
            time.sleep(0)
            return hub.run_async(up, n) if n else "bottom"

        async def up(n):
            await asyncio.sleep(0)
            return f"{n} " + await hub.run_sync(down, n - 1)

        sys.exit(service.launch(CONF, Both()).wait())
    """)
    program.expect("3 2 1 bottom")
    assert program.stop() == 0


def test_subprocesses_of_asyncio_and_green_ones_work_side_by_side(start):
    program = start("""
        import subprocess

        class Parent(service.Service):
            async def start(self):
                say(*await asyncio.gather(
                    self.child(), self.child(),
                    hub.run_sync(subprocess.check_output, ["echo", "green"]),
                ))

            async def child(self):
                child = await asyncio.create_subprocess_exec(
                    "sh", "-c", "cat; exit 3", stdin=-1, stdout=-1)
                out, _ = await child.communicate(b"async")
                return out, child.returncode

        sys.exit(service.launch(CONF, Parent()).wait())
    """)
    program.expect(r"(b'async', 3) (b'async', 3) b'green\n'")
    assert program.stop() == 0


def test_eventlet_keeps_a_hub_of_its_own(start):
    program = start("""
        import eventlet.hubs

        class Curious(service.Service):
            async def start(self):
                say(name())
                say(await hub.run_sync(name))

        def name():
            return type(eventlet.hubs.get_hub()).__module__

        sys.exit(service.launch(CONF, Curious()).wait())
    """)
    program.expect("eventlet.hubs.epolls")
    program.expect("eventlet.hubs.epolls")
    assert program.stop() == 0


def test_eventlets_own_asyncio_hub_is_refused(start):
    program = start(
        "service.launch(CONF, service.Service())\n", env={"EVENTLET_HUB": "asyncio"}
    )
    assert program.exit() == 1
    assert "eventlet runs on its own asyncio hub" in program.stderr
    assert "Traceback" not in program.stderr
