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


"""The threads and timers of a service, in real processes."""

import os
import signal

import pytest

TICKING = """
from oslo_asyncio import loopingcall, threadgroup

class Ticking(service.Service):
    def __init__(self):
        super().__init__()
        self.ticks = 0
        self.tg.add_timer(0.01, self.tick)
        self.tg.add_thread(self.work)

    def tick(self):
        self.ticks += 1
        if self.ticks == 3:
            say("ticks", os.getpid())

    async def work(self):
        say("works", os.getpid())
        try:
            await asyncio.sleep(3600)
        finally:
            say("cleans up", os.getpid())
"""


def said_by(lines):
    return {int(line.split()[-1]) for line in lines}


def test_row_38_what_init_adds_begins_in_each_worker_and_not_in_the_parent(start):
    program = start(TICKING + "sys.exit(service.launch(CONF, Ticking(), 2).wait())")
    first = [program.next_line() for _each in range(4)]
    workers = said_by(first)
    assert len(workers) == 2
    assert program.pid not in workers
    assert sorted(line.split()[0] for line in first) == ["ticks"] * 2 + ["works"] * 2
    program.signal(signal.SIGTERM)
    assert program.exit() == 0
    cleaned = [line for line in program.rest() if line.startswith("cleans up")]
    assert said_by(cleaned) == workers


def test_what_init_adds_begins_anew_when_the_service_is_restarted_in_place(start):
    source = TICKING.replace("if self.ticks == 3", "if self.ticks % 3 == 0")
    program = start(source + "sys.exit(service.launch(CONF, Ticking()).wait())")
    program.wait_for("works")
    program.wait_for("ticks")
    os.kill(program.pid, signal.SIGHUP)
    program.wait_for("cleans up")
    program.wait_for("works")
    program.wait_for("ticks")
    program.signal(signal.SIGTERM)
    assert program.exit() == 0


DEAF = """
from oslo_asyncio import threadgroup

class Deaf(service.Service):
    def start(self):
        self.tg.add_thread(self.work)

    def work(self):
        say("works")
        while True:
            time.sleep(3600)

sys.exit(service.launch(CONF, Deaf()).wait())
"""


def test_a_thread_that_nobody_can_end_does_not_keep_the_process(start, hub_name):
    program = start(DEAF)
    program.expect("works")
    program.signal(signal.SIGTERM)
    assert program.exit() == 0
    named = "Thread Deaf.work was asked to stop and cannot be ended" in program.stderr
    assert named is (hub_name != "eventlet")
    if named:
        assert "in work\n" in program.stderr


POLLING = """
from oslo_asyncio import loopingcall

class Polling(service.Service):
    {how} start(self):
        self.call = loopingcall.FixedIntervalLoopingCall(self.poll)
        self.outcome = self.call.start(3600)

    def poll(self):
        say("polls")
        time.sleep(3600)

    def wait(self):
        say("waits")
        try:
            self.outcome.wait()
        except Exception as error:
            say(type(error).__name__)

sys.exit(service.launch(CONF, Polling()).wait())
"""


@pytest.mark.parametrize("how", ["def", "async def"])
def test_row_33_a_looping_call_that_nobody_stops_does_not_keep_the_process(start, how):
    program = start(POLLING.format(how=how), default="graceful_shutdown_timeout = 1")
    assert {program.next_line(), program.next_line()} == {"polls", "waits"}
    program.signal(signal.SIGTERM)
    assert program.exit() == 1, "its wait() was left behind"


LEGACY = """
class Legacy(service.Service):
    def start(self):
        self.tg.add_timer(0.001, self.beat)

    def beat(self):
        say("beats")
        launcher.stop()

    def stop(self):
        super().stop(graceful=True)
        say("stopped")

launcher = service.launch(CONF, Legacy())
sys.exit(launcher.wait())
"""


def test_a_service_as_oslo_service_has_them_runs_unchanged(start):
    program = start(LEGACY)
    program.expect("beats")
    assert program.wait_for("stopped")
    assert program.exit() == 0
