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

import textwrap

import pytest

from oslo_asyncio.tests import project


@pytest.fixture(params=["asyncio", "uvloop", "eventlet"])
def hub_name(request):
    """Each hub in turn."""
    return request.param


@pytest.fixture
def orchard(tmp_path):
    """An installed project."""
    return project.Project(tmp_path)


@pytest.fixture
def probe(orchard):
    """Run the body of a ``main()`` on a hub; what it prints, without the rest."""

    def probe(body, hub="asyncio", **options):
        source = "def main():\n" + textwrap.indent(textwrap.dedent(body), "    ")
        orchard.write("probe.py", source)
        return orchard.said("run", "--hub", hub, "orchard.probe:main", **options)

    return probe
