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

"""RabbitMQ is killed in the middle of calls, and started again."""

import signal

import pytest

from oslo_asyncio.tests.openstack import rabbitmq

#: Erlang takes long to start where others are at work.
pytestmark = pytest.mark.timeout(300)

#: Seconds; nothing that this waits for takes so long, however slow the machine is.
AMPLE = 100


@pytest.fixture(scope="module")
def mortal(tmp_path_factory):
    """A RabbitMQ of these tests alone."""
    with rabbitmq.own(tmp_path_factory.mktemp("mortal")) as server:
        yield server


@pytest.mark.parametrize("kind", ["async", "stock"])
def test_every_call_ends_and_none_is_executed_twice(start, mortal, topic, kind):
    server = start("answering", mortal.url, "reload", f"{topic}:0")
    server.wait_for("^up ")
    client = start("asking", mortal.url, kind)
    client.wait_for("^ready")
    client.tell("call", topic, "hold", 40, AMPLE)
    server.wait_for(r"^begun ", count=40)
    client.tell("load", topic, 40, 10)
    client.wait_for("^answered ", count=20)

    mortal.kill()
    server.signal(signal.SIGUSR1)  # now 40 replies want to leave
    server.wait_for("is unreachable")
    mortal.start()
    mortal.wait_until_ready()

    server.wait_for("^begun ", count=20)  # it has recovered
    client.tell("enough")
    client.tell("settle")
    client.wait_for("^settled")
    client.tell("call", topic, "answer", 20, AMPLE)
    client.tell("settle")
    client.wait_for("^settled")
    server.signal(signal.SIGTERM)
    assert server.end() == 0

    answered = client.said(r"^answered \S+/(\d+)$")
    failed = client.said(r"^failed \S+/(\d+) ")
    begun = server.said(rf"^begun {topic} \S+/(\d+)$")
    assert client.said("^failed .* (.*)$").keys() <= {"MessagingTimeout"}
    assert not client.said("^(mixed) ")
    # each has one end
    calls = len(answered) + len(failed)
    assert answered + failed == dict.fromkeys(map(str, range(calls)), 1)
    # what was at work when it went down, and what came when it was up again
    assert {*map(str, range(40)), *map(str, range(calls - 20, calls))} <= {*answered}
    assert {*answered} <= {*begun}
    assert {*begun.values()} == {1}
