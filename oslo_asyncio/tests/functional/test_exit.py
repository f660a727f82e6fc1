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
"""The end of a process: it comes, in time, quietly, with the real status."""

import os
import signal
import time

import pytest

from oslo_asyncio.tests.functional.program import SLACK

SHORT = "graceful_shutdown_timeout = 1"

HANGING = {
    "a thread": "threading.Thread(target=hangs_for_ever, daemon=False).start()",
    "a ThreadPoolExecutor": """
        from concurrent.futures import ThreadPoolExecutor
        self.pool = ThreadPoolExecutor()
        self.pool.submit(hangs_for_ever)
    """,
}

HANG = """
def hangs_for_ever():
    say("hangs")
    _unpatched.threading.Event().wait()

class Hanging(service.Service):
    def start(self):
        {what}

sys.exit(service.launch(CONF, Hanging()).wait())
"""


@pytest.mark.parametrize("hub_name", ["asyncio", "uvloop"])
@pytest.mark.parametrize("what", HANGING)
def test_row_46_threads_of_the_application_cannot_keep_the_process(start, what):
    program = start(HANG.format(what=HANGING[what]), default=SHORT)
    program.expect("hangs")
    sent = program.signal(signal.SIGTERM)
    assert program.exit() == 0
    assert time.monotonic() - sent < 1 + SLACK
    assert "these threads keep the process" in program.stderr
    assert "in hangs_for_ever" in program.stderr


@pytest.mark.parametrize("hub_name", ["eventlet"])
@pytest.mark.parametrize("call", ["_unpatched.threading.Thread", "threading.Thread"])
def test_row_46_neither_green_nor_native_threads_keep_a_green_process(start, call):
    thread = f"{call}(target=hangs_for_ever, daemon=False).start()"
    hang = "_unpatched.threading" if "_unpatched" in call else "threading"
    source = HANG.format(what=thread).replace("_unpatched.threading.Event", "Event")
    program = start(f"Event = {hang}.Event\n{source}")
    program.expect("hangs")
    sent = program.signal(signal.SIGTERM)
    assert program.exit() == 0
    assert time.monotonic() - sent < 15


def test_row_46_a_blocking_call_that_hangs_is_named_and_does_not_hold_the_exit(start):
    program = start("""
        class Hanging(service.Service):
            async def start(self):
                self.call = asyncio.ensure_future(
                    executor.run_blocking(hangs_for_ever)
                )

        def hangs_for_ever():
            say("hangs")
            _unpatched.threading.Event().wait()

        sys.exit(service.launch(CONF, Hanging()).wait())
    """)
    program.expect("hangs")
    sent = program.signal(signal.SIGTERM)
    assert program.exit() == 0
    assert time.monotonic() - sent < 15
    assert "pool 'default': hangs_for_ever is still running" in program.stderr
    assert "in hangs_for_ever" in program.stderr


NOISE = (
    "loop is closed",
    "cannot schedule new futures",
    "Task was destroyed",
    "never awaited",
    "never retrieved",
    "Exception ignored",
    "Traceback",
    "ERROR",
    "Warning",
)


def test_row_50_nothing_on_the_loop_complains_when_it_is_closed(start):
    program = start(
        """
        class Untidy(service.Service):
            async def start(self):
                self.tasks = [
                    asyncio.ensure_future(step())
                    for step in (self.ticks, self.generates, self.blocks, self.asks)
                ]
                self.future = asyncio.get_running_loop().create_future()
                self.child = await asyncio.create_subprocess_exec(
                    "cat", stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                )
                self.child.stdin.write(b"from a child\\n")
                line = await self.child.stdout.readline()
                say("started", line.decode().strip())

            async def ticks(self):
                while True:
                    await asyncio.sleep(0.001)

            async def generates(self):
                self.numbers = self.generator()
                async for number in self.numbers:
                    await asyncio.Event().wait()

            async def generator(self):
                try:
                    yield 1
                    yield 2
                finally:
                    await asyncio.sleep(0)
                    say("generator closed")

            async def blocks(self):
                while True:
                    await asyncio.to_thread(sum, [1, 2])

            async def asks(self):
                while True:
                    await asyncio.get_running_loop().getaddrinfo("localhost", 1)

            async def stop(self):
                self.child.stdin.close()
                await self.child.wait()

        sys.exit(service.launch(CONF, Untidy()).wait())
        """,
        env={"PYTHONWARNINGS": "always,ignore:::eventlet"},
    )
    program.expect("started from a child")
    assert program.stop() == 0
    assert program.rest() == ["generator closed"]
    assert [word for word in NOISE if word in program.stderr] == []


@pytest.mark.parametrize("status", [0, 3])
def test_row_51_the_status_is_kept_when_the_readers_of_both_pipes_have_gone(
    start, status
):
    reader, writer = os.pipe()
    program = start(
        f"""
        class Talking(service.Service):
            def start(self):
                say("ready")

            def stop(self):
                print("unread", flush=False)
                sys.stderr.write("unread")
                sys.exit({status})

        sys.stdout = open(1, "w", buffering=100000, closefd=False)
        sys.exit(service.launch(CONF, Talking()).wait())
        """,
        env={"PYTHONUNBUFFERED": ""},
        stderr=writer,
    )
    os.close(writer)
    program.expect("ready")
    os.close(reader)
    program.close_stdout()
    assert program.stop() == status


FORCED = """
class Stuck(service.Service):
    def start(self):
        say("ready")

    async def stop(self):
        await asyncio.Event().wait()

@service.on_worker_exit
def first():
    say("first hook")

@service.on_worker_exit
def failing():
    raise LookupError("a hook fails")

@service.on_worker_exit
def last():
    say("last hook")
    {step}

sys.exit(service.launch(CONF, Stuck()).wait())
"""


def test_hooks_run_last_in_first_out_when_a_worker_leaves_by_force(start):
    program = start(FORCED.format(step="pass"), default=SHORT)
    program.expect("ready")
    assert program.stop() == 1
    assert program.rest() == ["last hook", "first hook"]
    assert "a hook fails" in program.stderr


def test_a_hook_that_hangs_has_one_second(start):
    program = start(
        FORCED.format(step="_unpatched.threading.Event().wait()"), default=SHORT
    )
    program.expect("ready")
    program.signal(signal.SIGTERM)
    program.expect("last hook")
    called = time.monotonic()
    assert program.exit() == 1
    assert time.monotonic() - called < 1 + SLACK
    assert program.rest() == []


def test_hooks_do_not_run_when_a_worker_stops_in_time(start):
    program = start("""
        service.on_worker_exit(lambda: say("hook"))
        launcher = service.launch(CONF, service.Service())
        launcher.stop()
        sys.exit(launcher.wait())
    """)
    assert program.exit() == 0
    assert program.rest() == []
