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

"""The programs that the documentation shows do what it says."""

import os
import pathlib
import signal
import socket
import subprocess
import sys

import pytest

from oslo_asyncio.tests.messaging import peers

CODE = pathlib.Path(__file__).parents[3] / "doc/source/user/howto/code"

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.skipif(not CODE.is_dir(), reason="the documentation is not here"),
]


@pytest.fixture
def notified(tmp_path):
    """A socket that hears when the service is up, as systemd's does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.bind(str(tmp_path / "notify"))
        made.settimeout(peers.LIMIT)
        yield made


def test_a_service_answers_calls_of_both_kinds(
    broker, hub_name, tmp_path, topic, notified
):
    config = tmp_path / "compute.conf"
    lines = "[DEFAULT]", f"transport_url = {broker}", f"control_exchange = {topic}"
    config.write_text("\n".join(lines))
    address = notified.getsockname()
    program = subprocess.Popen(
        [sys.executable, CODE / "answering.py", "--config-file", config],
        env=os.environ | {"OSLO_ASYNCIO_HUB": hub_name, "NOTIFY_SOCKET": address},
    )
    library = peers.load()
    transport = peers.transport(broker)
    target = library.Target(topic="compute", exchange=topic)
    client = library.get_rpc_client(transport, target, timeout=peers.LIMIT)
    try:
        while b"READY=1" not in notified.recv(4096):
            pass
        assert client.call({}, "boot", name="vm") == "vm runs"
        assert client.call({}, "legacy") == "as before"
        program.send_signal(signal.SIGTERM)
        assert program.wait(peers.LIMIT) == 0
    finally:
        program.kill()
        program.wait()
        transport.cleanup()


def test_a_service_calls_five_hundred_times_at_once(hub_name, tmp_path):
    config = tmp_path / "scheduler.conf"
    config.write_text("[DEFAULT]\ntransport_url = fake://\n")
    done = subprocess.run(
        [sys.executable, CODE / "calling.py", "--config-file", config],
        env=os.environ | {"OSLO_ASYNCIO_HUB": hub_name},
        capture_output=True,
        timeout=peers.LIMIT,
        text=True,
    )
    assert done.stdout.splitlines() == [
        "vm-0 runs, vm-1 runs, vm-2 runs, ...",
        "it said: no host is free",
        "not waited for any longer",
    ], done.stderr
    assert done.returncode == 0
