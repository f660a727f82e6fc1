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

"""How long designate-central takes to end, beside what it takes without us."""

import statistics

import pytest

from oslo_asyncio.tests.openstack import designate_site
from oslo_asyncio.tests.openstack import service

#: Other rounds follow when the medians of the first are too far from each other:
#: the machine may be busy.
ROUNDS = (3, 4)

#: Stops of the same program under the same load differ by so much.
FACTOR = 1.2
SECONDS = 0.3


@pytest.fixture(scope="module")
def times(designate_tables, transport_url, tmp_path_factory):
    """Seconds from SIGTERM to the end: the stock backend and our hubs, in turn."""
    found = {"stock": [], "asyncio": [], "eventlet": []}
    for rounds in ROUNDS:
        for name in rounds * list(found):
            folder = tmp_path_factory.mktemp(name) / "designate"
            site = designate_site.Site(folder, transport_url, name)
            site.copy_database(designate_tables)
            found[name].append(time_of_a_stop(site, stock=name == "stock"))
        medians = {name: statistics.median(each) for name, each in found.items()}
        if all(each <= limit(medians["stock"]) for each in medians.values()):
            break
    return medians


def limit(stock):
    return FACTOR * stock + SECONDS


def time_of_a_stop(site, stock):
    central = service.Service(
        "designate-central", "--config-file", site.config, stock=stock
    )
    client = designate_site.Client(site.config)
    try:
        client.wait_until_started()
        central.wait_for("Initializing RPC server for central", count=2)
        client.wait_until_up("central")
        for _ in range(8):
            client.purge()
        seconds = central.stop()
        client.leave()
    finally:
        client.close()
        central.close()
    return seconds


def test_a_stop_takes_as_long_as_without_us(times, hub_name, seen):
    ours, stock = times[hub_name], times["stock"]
    assert ours <= limit(stock), times
    figures = f"after {ours:.1f} s (oslo.service's own backend: {stock:.1f} s)"
    seen("designate-central", "designate", "TERM", figures)
