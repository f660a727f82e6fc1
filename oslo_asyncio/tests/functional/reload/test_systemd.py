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

"""What systemd hears, in which order, and from whom."""

import os
import signal
import subprocess
import time

from oslo_asyncio.tests.functional.reload import crew

SLOW = """
class Slow(Counting):
    async def start(self):
        if oslo_asyncio.worker_id() == {slow}:
            say("waiting")
            await hub.run_sync(hear)
        await super().start()

sys.exit(service.launch(CONF, Slow(), workers={workers}).wait())
"""


def slow(number, workers):
    return crew.SERVICE + SLOW.format(slow=number, workers=workers)


def notified(manager):
    return {"env": {"NOTIFY_SOCKET": manager.path}}


def test_row_55_ready_is_said_when_the_last_worker_is_ready(start, manager):
    program = start(slow(1, workers=3), **notified(manager))
    crew.hear_of(program, "up", 2)
    while manager.wait_for("STATUS")["STATUS"] != "2 of 3 workers are ready":
        pass
    assert not any("READY" in fields for fields in manager.transcript())
    program.tell()
    ready = manager.next_one()
    assert ready["READY"] == "1"
    assert ready["MAINPID"] == str(program.pid)
    assert ready["STATUS"].startswith("3 of 3 workers are ready")
    assert program.stop() == 0


def test_row_55_one_process_is_ready_when_its_services_have_started(start, manager):
    program = start(slow(0, workers=1), **notified(manager))
    program.wait_for("waiting")
    assert manager.transcript() == []
    program.tell()
    ready = manager.next_one()
    assert ready == {"READY": "1", "MAINPID": str(program.pid), "STATUS": "ready"}
    assert program.stop() == 0


def test_row_55_a_reload_is_announced_with_its_time_and_ends_ready(start, manager):
    program = start(crew.launch(2), **notified(manager))
    manager.wait_for("READY")
    sent = time.monotonic_ns() // 1000
    program.signal(signal.SIGHUP)
    reloading = manager.next_one()
    assert reloading["RELOADING"] == "1"
    assert reloading["STATUS"] == "Reload begins"
    assert sent <= int(reloading["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
    # two workers, one after the other: 600 s to start, 60 + 3 s to stop
    extend = manager.next_one()
    assert extend == {"EXTEND_TIMEOUT_USEC": str(2 * (600 + 63) * 1_000_000)}
    ready = manager.wait_for("READY")
    assert ready["STATUS"].startswith("Reload ended")
    seen = len(manager.transcript())
    assert program.stop() == 0
    assert [f for f in manager.transcript()[seen:] if "READY" in f] == []
    assert {pid for _time, pid, _fields in manager.heard} == {program.pid}


def test_row_55_a_reload_that_fails_ends_ready_as_well(start, manager, hub_name):
    program = start(crew.launch(2), **notified(manager))
    manager.wait_for("READY")
    program.write_config(hub_name, "fail = true")
    program.signal(signal.SIGHUP)
    assert "RELOADING" in manager.next_one()
    assert manager.wait_for("READY")["STATUS"].startswith("Reload failed")
    assert program.stop() == 0


def test_row_55_one_process_announces_its_reload_as_well(start, manager):
    program = start(crew.launch(1), **notified(manager))
    manager.wait_for("READY")
    sent = time.monotonic_ns() // 1000
    program.signal(signal.SIGHUP)
    reloading = manager.next_one()
    assert reloading["RELOADING"] == "1"
    assert sent <= int(reloading["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
    assert manager.wait_for("READY")["STATUS"] == "ready"
    assert program.stop() == 0


def test_row_55_a_stop_is_announced_with_the_time_that_it_may_take(start, manager):
    for workers, seconds in ((2, 5 + 3), (1, 5 + 1.5)):
        source = crew.launch(workers)
        program = start(
            source, default="graceful_shutdown_timeout = 5", **notified(manager)
        )
        manager.wait_for("READY")
        assert program.stop() == 0
        stopping = manager.wait_for("STOPPING")
        assert stopping["STATUS"].lower().startswith("stopping")
        extend = manager.next_one()
        assert extend == {"EXTEND_TIMEOUT_USEC": str(int(seconds * 1_000_000))}
        manager.drain()


def test_a_worker_that_dies_shows_in_the_status(start, manager):
    program = start(crew.launch(2), stderr=subprocess.STDOUT, **notified(manager))
    team = crew.wait_ready(program, 2)
    manager.wait_for("READY")
    os.kill(team[1]["pid"], signal.SIGKILL)
    assert manager.next_one() == {"STATUS": "1 of 2 workers are ready"}
    assert manager.next_one() == {"STATUS": "2 of 2 workers are ready"}
    assert program.stop() == 0
