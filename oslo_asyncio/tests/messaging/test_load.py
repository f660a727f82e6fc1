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

"""Launched servers under a steady load of calls: nobody notices a HUP."""

import signal

import pytest

#: Calls per second.
RATE = 40

#: Seconds; no call that is lost would be answered within any time.
AMPLE = 60

#: Of the service of two workers; a worker that loses calls loses some each time.
HUPS = 4


@pytest.fixture
def client(start, broker):
    made = start("asking", broker, "async")
    made.wait_for("^ready")
    return made


@pytest.fixture
def other(topic):
    return f"other-{topic}"


def test_a_rolling_reload_loses_no_call(start, broker, topic, client):
    server = start("answering", broker, "reload", f"{topic}:2")
    server.wait_for("^up ", count=2)
    client.tell("load", topic, RATE, AMPLE)
    for _ in range(HUPS):
        client.wait_for("^answered ", count=20)
        server.signal(signal.SIGHUP)
        server.wait_for("Reload ended after")
    client.wait_for("^answered ", count=20)
    assert_nobody_noticed(client, server)
    assert len(server.said(r"^up \S+ (\d+)")) == 2 + 2 * HUPS


def test_a_mutation_loses_no_call_and_keeps_the_workers(start, broker, topic, client):
    server = start("answering", broker, "mutate", f"{topic}:2")
    server.wait_for("^up ", count=2)
    client.tell("load", topic, RATE, AMPLE)
    for _ in range(HUPS):
        client.wait_for("^answered ", count=20)
        server.signal(signal.SIGHUP)
        server.wait_for("^reset ", count=2)
    client.wait_for("^answered ", count=20)
    assert_nobody_noticed(client, server)
    up, reset = server.said(r"^up \S+ (\d+)"), server.said(r"^reset \S+ (\d+)")
    assert reset == dict.fromkeys(up, HUPS)


@pytest.mark.parametrize(
    "workers", [(0, 0), (1, 1), (2, 1)], ids=["in its process", "1 and 1", "2 and 1"]
)
def test_two_servers_of_one_launcher_answer_stop_and_reload(
    start, broker, topic, other, client, workers
):
    services = [f"{topic}:{workers[0]}", f"{other}:{workers[1]}"]
    server = start("answering", broker, "reload", *services)
    processes = {topic: workers[0] or 1, other: workers[1] or 1}
    server.wait_for("^up ", count=sum(processes.values()))
    for each in (topic, other):
        client.tell("load", each, RATE / 2, AMPLE)
    client.wait_for("^answered ", count=20)
    server.signal(signal.SIGHUP)
    server.wait_for("^up ", count=sum(processes.values()))
    client.wait_for("^answered ", count=20)
    assert_nobody_noticed(client, server)
    assert {*client.said(r"^answered (\S+)/")} == {topic, other}
    twice = {name: 2 * count for name, count in processes.items()}
    assert server.said(r"^up (\S+)") == twice


def assert_nobody_noticed(client, server):
    client.tell("enough")
    client.tell("settle")
    client.wait_for("^settled")
    server.signal(signal.SIGTERM)
    assert server.end() == 0
    assert not client.said("^(failed|mixed) .*")
    answered = client.said(r"^answered (\S+)$")
    assert {*answered.values()} == {1}
    # a second reply would have found nobody who waits for it
    assert not client.said("(No calling threads) waiting")
    begun = server.said(r"^begun \S+ (\S+)$")
    assert begun == answered
