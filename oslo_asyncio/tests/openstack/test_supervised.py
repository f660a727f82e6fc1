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

"""What a service manager hears of designate-central, and workers that hang."""

import signal
import socket
import time

import pytest

from oslo_asyncio.tests.openstack import processes
from oslo_asyncio.tests.openstack import service

PROGRAM = "designate-central"


@pytest.fixture
def notified(tmp_path):
    """Where systemd would listen; yields the path and what reads until a word."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.settimeout(service.LIMIT)
        path = str(tmp_path / "notify")
        listening.bind(path)

        def heard(word):
            messages = [listening.recv(4096).decode()]
            while f"{word}\n" not in f"{messages[-1]}\n":
                messages.append(listening.recv(4096).decode())
            return "\n".join(messages)

        yield path, heard


def test_systemd_hears_when_all_workers_are_ready(start, designate, notified, seen):
    """FAILURES row 55."""
    path, heard = notified
    central = start(
        PROGRAM, "--config-file", designate.config, env={"NOTIFY_SOCKET": path}
    )
    first = heard("READY=1")
    assert "STATUS=1 of 2 workers are ready" in first
    assert "STATUS=2 of 2 workers are ready" in first
    central.ready(2)
    central.signal(signal.SIGHUP)
    assert "RELOADING=1" in heard("READY=1")
    central.signal(signal.SIGTERM)
    heard("STOPPING=1")
    assert central.exit() == 0
    seen(PROGRAM, "designate", "Ready", "READY=1 to systemd when both are")


def test_a_frozen_worker_does_not_keep_the_service(start, designate, seen):
    """FAILURES row 24."""
    designate.write_config(grace=1)
    central = start(PROGRAM, "--config-file", designate.config)
    frozen = central.ready(2)[0]
    processes.send(frozen, signal.SIGSTOP)
    began = time.monotonic()
    central.signal(signal.SIGTERM)
    assert central.exit() == 0  # its main() drops the status that it is given
    assert time.monotonic() - began < service.LIMIT / 2
    for signum in ("SIGABRT", "SIGKILL"):
        assert central.found(rf"pid {frozen}\) has not stopped in time: {signum}")
    seen(PROGRAM, "designate", "TERM", "a frozen worker is killed")


def test_a_frozen_worker_is_replaced(start, designate, client, seen):
    """FAILURES row 22."""
    designate.write_config(heartbeat=2)
    central = start(PROGRAM, "--config-file", designate.config)
    frozen = central.ready(2)[0]
    client.begin()
    client.wait_for_answers(10)
    since = central.now
    processes.send(frozen, signal.SIGSTOP)
    central.wait_for(rf"pid {frozen}\) has been silent", since=since)
    assert central.ready(1, since)[0] != frozen
    client.wait_for_answers(20)
    client.end()
    central.stop()
    seen(PROGRAM, "designate", "kill -9", "frozen: replaced, calls answered")
