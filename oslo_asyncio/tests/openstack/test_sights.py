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

"""The table of services tried, and how the file with it grows stale."""

from oslo_asyncio.tests.openstack import sights

SEEN = (
    sights.Sight("a-service 1.2", "asyncio", "TERM", "status 0"),
    sights.Sight("a-service 1.2", "asyncio", "TERM", "after 1.4 s"),
    sights.Sight("a-service 1.2", "eventlet", "Ready", "2 workers"),
)


def test_there_is_a_row_for_each_service_and_hub():
    header, *rows = sights.table(SEEN)
    assert header == ["Service", "Hub", "Python", *sights.COLUMNS]
    assert [row[:2] for row in rows] == [
        ["a-service 1.2", "asyncio"],
        ["a-service 1.2", "eventlet"],
    ]
    assert rows[0][-1] == "after 1.4 s; status 0"


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "table.csv"
    assert sights.read(path) == []
    sights.write(sights.table(SEEN), path)
    assert sights.read(path) == sights.table(SEEN)


def test_other_figures_are_no_difference():
    later = sights.Sight("a-service 1.3.1", "asyncio", "TERM", "after 0.9 s")
    table = sights.table(SEEN)
    assert sights.differences(table, sights.table((*SEEN[::2], later)), True) == []


def test_what_the_file_lacks_is_named():
    found = sights.differences(sights.table(SEEN[:2]), sights.table(SEEN), True)
    assert found == ["not in the table: a-service N on eventlet, Ready: N workers"]


def test_what_only_the_file_has_is_named_when_all_tests_ran():
    written, seen = sights.table(SEEN), sights.table(SEEN[:2])
    found = sights.differences(written, seen, True)
    assert found == ["only in the table: a-service N on eventlet, Ready: N workers"]
    assert sights.differences(written, seen, False) == []
