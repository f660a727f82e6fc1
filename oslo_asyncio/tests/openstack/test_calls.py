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

"""20 calls a second from another process, while designate-central is reloaded.

On oslo.service's own backend each of these loses calls, and so does a stop of one
worker: what the worker had fetched from RabbitMQ is answered by nobody.
"""

import signal

import pytest

from oslo_asyncio.tests.openstack import processes

RELOADS = 3

#: One worker in ten that goes without our help loses a call: twelve of them show it.
REPLACEMENTS = 12


def test_mutate_keeps_the_workers_and_loses_no_call(central, client, seen):
    """FAILURES row 28 and 30."""
    before = central.ready(2)
    client.begin()
    for _ in range(RELOADS):
        client.wait_for_answers(20)
        since = central.now
        central.hang_up()
        central.wait_for(r"Configuration read again \(mutate\)", count=2, since=since)
    client.wait_for_answers(20)
    assert_nothing_lost(client)
    assert central.pids == sorted(before.values())
    central.stop()
    seen("designate-central", "designate", "HUP", "mutate under load: no call lost")


@pytest.fixture
def reloading(start, designate):
    """designate-central, but with workers that a reload replaces."""
    module = "oslo_asyncio.tests.openstack.central_reload:main"
    started = start(module, "--config-file", designate.config)
    started.ready(2)
    return started


def test_a_rolling_reload_loses_no_call(reloading, client, seen):
    """FAILURES row 28."""
    client.begin()
    for _ in range(REPLACEMENTS):
        client.wait_for_answers(20)
        before = reloading.pids
        reloading.hang_up()
        assert not set(before) & set(reloading.pids)
    client.wait_for_answers(40)
    assert_nothing_lost(client)
    reloading.stop()
    seen("designate-central", "designate", "HUP", "reload under load: no call lost")


def test_a_worker_that_is_stopped_alone_loses_no_call(central, client, seen):
    client.begin()
    for _ in range(REPLACEMENTS):
        client.wait_for_answers(20)
        since = central.now
        pid = central.pids[0]
        processes.send(pid, signal.SIGTERM)
        central.wait_for(rf"\(pid {pid}\) exited with status 0", since=since)
        central.ready(1, since)
    client.wait_for_answers(40)
    assert_nothing_lost(client)
    central.stop()
    seen("designate-central", "designate", "TERM", "of a worker: no call lost")


def assert_nothing_lost(client):
    counts = client.end()
    answered = counts.pop("answered")
    assert not counts, client.story(f"{counts} of {answered + sum(counts.values())}")
