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

"""designate, released and unchanged, on our launcher."""

import signal

import pytest

from oslo_asyncio.tests.openstack import processes
from oslo_asyncio.tests.openstack.conftest import EVERY_HUB

SERVICES = ("central", "producer", "worker")


def ask_each_worker(client):
    # RabbitMQ hands calls to the workers in turn
    for _ in range(4):
        client.purge()


@pytest.mark.parametrize("hub_name", EVERY_HUB, indirect=True)
def test_three_services_call_each_other(start, designate, client, seen):
    started = {
        name: start(f"designate-{name}", "--config-file", designate.config)
        for name in SERVICES
    }
    for each in started.values():
        each.ready(2)
    client.wait_until_up(*SERVICES)
    for name in ("worker", "producer", "central"):
        started[name].stop()
        program = f"designate-{name}"
        seen(program, "designate", "Ready", "2 workers")
        seen(program, "designate", "TERM", "status 0")
    seen("designate-central", "designate", "Answers", "a call of another process")
    for name in ("worker", "producer"):
        call = "its calls to central are answered"
        seen(f"designate-{name}", "designate", "Answers", call)


def test_a_changed_log_level_is_in_force_in_the_same_processes(
    central, client, designate, seen
):
    """FAILURES row 30."""
    before = central.ready(2)
    ask_each_worker(client)
    assert not central.found(" DEBUG ")
    designate.write_config(debug=True)
    since = central.now
    central.hang_up()
    central.wait_for(r"Configuration read again \(mutate\)", count=2, since=since)
    ask_each_worker(client)
    for pid in before.values():
        central.wait_for(f" {pid} DEBUG .*Performing purge", since=since)
    assert central.pids == sorted(before.values())
    assert not central.found("has started", since)
    central.stop()
    seen("designate-central", "designate", "HUP", "mutate: new log level, same pids")


def test_a_killed_worker_is_replaced_while_the_other_answers(central, client, seen):
    """FAILURES row 19."""
    before = central.ready(2)
    client.begin()
    client.wait_for_answers(10)
    since = central.now
    processes.kill(before[0])
    central.wait_for(rf"pid {before[0]}\) was ended by SIGKILL", since=since)
    after = central.ready(1, since)
    client.wait_for_answers(20)
    client.end()
    assert after.keys() == {0}
    assert central.pids == sorted([after[0], before[1]])
    central.stop()
    seen("designate-central", "designate", "kill -9", "worker replaced, calls answered")


def test_ps_shows_the_name_of_the_service(central):
    assert processes.name_of(central.pid).startswith("designate")
    for pid in central.pids:
        assert processes.name_of(pid).startswith("designate")
    central.stop()


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_a_worker_alone_is_survived(central, client, signum):
    """FAILURES row 10."""
    before = central.ready(2)
    since = central.now
    processes.send(before[1], signum)
    if signum == signal.SIGTERM:
        central.ready(1, since)
    else:
        central.wait_for(rf" {before[1]} INFO .*Configuration read again", since=since)
    ask_each_worker(client)
    assert len(central.pids) == 2
    central.stop()
