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

"""A stop takes no new call, and lets those that run end and their replies leave."""

import os
import queue
import signal
import subprocess
import sys

import pytest

from oslo_asyncio._messaging import rpc
from oslo_asyncio.tests.messaging import peers
from oslo_asyncio.tests.messaging import served

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

LIMIT = peers.LIMIT


@pytest.fixture
def endpoint():
    return served.Endpoint()


def test_a_call_that_runs_ends_and_is_answered(serve, endpoint):
    made = serve(endpoint)
    asked = made.begin("hold", key="last")
    endpoint.begun.get(timeout=LIMIT)
    made.server.stop()
    waiting = served.Asked(made.server.wait)
    endpoint.let_go("last")
    assert asked.answer() == "last"
    waiting.answer()


def test_a_call_that_comes_after_the_stop_is_served_by_the_next_start(serve, endpoint):
    made = serve(endpoint)
    assert made.call("add", a=1, b=2) == 3
    made.server.stop()
    asked = made.begin("hold", key="later")
    made.server.wait()
    assert endpoint.begun.empty()
    made.server.start()
    assert endpoint.begun.get(timeout=LIMIT) == "later"
    endpoint.let_go("later")
    assert asked.answer() == "later"


def test_a_call_that_does_not_end_is_cancelled_before_the_deadline_and_answered(
    serve, endpoint, options, caplog
):
    options(graceful_shutdown_timeout=1)
    made = serve(endpoint)
    asked = made.begin("hold", key="for ever")
    endpoint.begun.get(timeout=LIMIT)
    made.server.stop()
    made.server.wait()
    with pytest.raises(Exception, match="the call of hold was cancelled"):
        asked.answer()
    [record] = [r for r in caplog.records if r.name == rpc.__name__]
    assert "graceful_shutdown_timeout is nearly over" in record.getMessage()


def test_stop_and_wait_may_come_again_and_before_a_start(serve, endpoint):
    made = serve(endpoint)
    for _ in range(2):
        made.server.stop()
        made.server.wait()
    made.server.start()
    made.server.start()
    assert made.call("add", a=1, b=2) == 3


class Counting:
    """Tells which casts have come, and lets the first one stop a server."""

    def __init__(self):
        self.seen = queue.Queue()

    async def count(self, ctxt, number):
        self.seen.put(number)


def test_a_stop_under_load_loses_nothing_and_serves_nothing_twice(serve):
    endpoint = Counting()
    made = serve(endpoint)
    client = made.client()
    for number in range(100):
        client.cast({}, "count", number=number)
    found = [endpoint.seen.get(timeout=LIMIT)]
    made.server.stop()  # in the middle of what the driver has
    made.server.wait()
    for number in range(100, 120):
        client.cast({}, "count", number=number)
    made.server.start()
    found += [endpoint.seen.get(timeout=LIMIT) for _ in range(119)]
    assert sorted(found) == list(range(120))
    assert made.call("count", number="none is left over") is None
    assert endpoint.seen.get(timeout=LIMIT) == "none is left over"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_launched_server_answers_what_it_has_begun_when_it_is_terminated(
    workers, broker, topic, hub_name, tmp_path
):
    command = [sys.executable, "-m", "oslo_asyncio.tests.messaging.program"]
    environment = os.environ | {"OSLO_ASYNCIO_HUB": hub_name}
    log = tmp_path / "log"
    with log.open("w") as stderr:
        program = subprocess.Popen(
            [*command, broker, topic, str(workers)],
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=environment,
            text=True,
        )
    transport = peers.transport(broker)
    library = peers.load()
    target = library.Target(topic=topic)
    client = library.get_rpc_client(transport, target, timeout=LIMIT)
    try:
        for _ in range(workers):
            assert program.stdout.readline() == "started\n"
        asked = served.Asked(client.call, {}, "until_stopped")
        assert program.stdout.readline() == "begun\n"
        program.send_signal(signal.SIGTERM)
        assert asked.answer() == "answered while it stopped"
        assert program.wait(LIMIT) == 0
        assert " failed" not in log.read_text()
    finally:
        program.kill()
        program.wait()
        program.stdout.close()
        transport.cleanup()
