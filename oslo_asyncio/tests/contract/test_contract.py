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


"""A project moves with ``s/oslo_service/oslo_asyncio/``, and the page says the rest.

Needs oslo.service in the environment: ``tox -e contract``.
"""

import csv
import importlib.metadata
import importlib.util
import json
import os
import re
import subprocess
import sys

import pytest

from oslo_asyncio.tests.contract import differences
from oslo_asyncio.tests.contract import page
from oslo_asyncio.tests.contract import surface

BACKENDS = ("eventlet", "threading")

pytestmark = [
    pytest.mark.skipif(
        not page.PAGE.exists(), reason="the page is not installed with the package"
    ),
    pytest.mark.skipif(
        importlib.util.find_spec("oslo_service") is None,
        reason="oslo.service is not installed: run tox -e contract",
    ),
]


def printed(*command):
    """What a program prints, in a process of its own."""
    environment = {k: v for k, v in os.environ.items() if k != "OSLO_ASYNCIO_HUB"}
    done = subprocess.run(
        [sys.executable, "-P", *command],
        env={**environment, "PYTHONWARNINGS": "ignore"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def surface_of(*arguments):
    """What a package offers."""
    return json.loads(printed(surface.__file__, *arguments))


@pytest.fixture(scope="module")
def theirs():
    return {backend: surface_of("oslo_service", backend) for backend in BACKENDS}


@pytest.fixture(scope="module")
def found(theirs):
    return differences.from_both(theirs, surface_of("oslo_asyncio"))


@pytest.fixture(scope="module")
def listed():
    return page.listed(page.PAGE.read_text())


def shown(those):
    return "\n".join(str(each) for each in sorted(those))


def test_the_names_of_oslo_service_are_found(theirs):
    for backend in BACKENDS:
        assert {*theirs[backend]} == {*surface.MODULES}
        assert sum(map(len, theirs[backend].values())) > 150


def test_each_difference_from_oslo_service_is_on_the_page(found, listed):
    silent = found - {*listed}
    assert not silent, f"differences without a reason in {page.PAGE}:\n{shown(silent)}"


def test_each_difference_on_the_page_is_one(found, listed):
    stale = {*listed} - found
    assert not stale, f"not different any more, see {page.PAGE}:\n{shown(stale)}"


def test_the_program_on_the_page_prints_the_same_on_oslo_service(tmp_path):
    moved = page.PAGE.parent / "code/moved.py"
    code = moved.read_text()
    setup = "from oslo_asyncio import hub\n\nhub.setup()\n"
    assert setup in code
    undone = code.replace(setup, "import eventlet\n\neventlet.monkey_patch()\n")
    original = tmp_path / "original.py"
    original.write_text(undone.replace("oslo_asyncio", "oslo_service"))
    assert printed(original) == printed(moved) != ""


def test_the_page_shows_the_tests_that_do_not_pass():
    [shown] = re.findall(r":file: (.*)", page.PAGE.read_text())
    tool = page.ROOT / "tools/oslo_service_tests.py"
    assert (page.PAGE.parent / shown).resolve() == tool.with_suffix(".csv")
    with tool.with_suffix(".csv").open(newline="") as rows:
        reasons = [row["Reason"] for row in csv.DictReader(rows)]
    assert reasons
    assert [each for each in reasons if not each.endswith(".")] == []


def test_the_namespaces_of_options_on_the_page_exist():
    named = set(
        re.findall(r"``(oslo\.(?:asyncio|service)[\w.]*)``", page.PAGE.read_text())
    )
    points = importlib.metadata.entry_points(group="oslo.config.opts")
    assert {f"oslo.service.{name}" for name in ("service", "wsgi")} < named
    assert named <= {point.name for point in points}
