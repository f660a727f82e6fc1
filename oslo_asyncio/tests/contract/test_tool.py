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


"""The tool that runs oslo.service's own tests tells what becomes of them."""

import importlib
import importlib.util
import subprocess
import sys

import pytest

from oslo_asyncio.tests.contract import page

TOOL = page.ROOT / "tools/oslo_service_tests.py"

pytestmark = pytest.mark.skipif(
    not TOOL.exists(), reason="the tool is not installed with the package"
)
needs_oslo_service = pytest.mark.skipif(
    importlib.util.find_spec("oslo_service") is None,
    reason="oslo.service is not installed: run tox -e contract",
)


@pytest.fixture
def tool(monkeypatch):
    monkeypatch.syspath_prepend(TOOL.parent)
    return importlib.import_module(TOOL.stem)


def test_a_test_that_fails_is_wrong_unless_it_is_listed(tool):
    file = tool.File("test_x", {"old": "A reason."}, failed={"old": "", "new": "why"})
    assert file.wrong == {"new": "why"}
    assert "0 passed,  1 failed,  1 not applicable" in file.line()


def test_a_listed_test_that_passes_is_wrong(tool):
    file = tool.File("test_x", {"old": "A reason."}, passed=["old", "other"])
    assert file.wrong == {"old": "is listed, and passes"}


def test_a_listed_test_that_is_not_there_is_wrong(tool):
    file = tool.File("test_x", {"old": "A reason."}, passed=["other"])
    assert file.wrong == {"old": "is listed, and there is no such test"}


def test_a_test_that_skips_itself_is_listed_all_the_same(tool):
    file = tool.File("test_x", {}, skipped={"old": "no IPv6"})
    assert file.wrong == {}
    assert "0 passed,  0 failed,  1 not applicable" in file.line()


@needs_oslo_service
def test_a_file_that_cannot_be_imported_is_wrong(tool):
    file = tool.run_file("test_nothing", "asyncio", {})
    assert [*file.wrong] == ["unittest.loader._FailedTest.test_nothing"]


SAME = """
import sys
sys.path.insert(0, sys.argv[1])
import oslo_service_alias
installed = oslo_service_alias.installed()
sys.meta_path.insert(0, oslo_service_alias.Alias(installed))

import oslo_service.loopingcall, oslo_service.backend.exceptions, oslo_asyncio
from oslo_service import loopingcall
import oslo_service.tests.base as tests

assert sys.modules["oslo_service"] is oslo_asyncio
assert loopingcall is sys.modules["oslo_asyncio.loopingcall"]
assert loopingcall.__spec__.name == "oslo_asyncio.loopingcall"
assert tests.sslutils is sys.modules["oslo_asyncio.sslutils"]
assert str(installed) in tests.__file__
try:
    import oslo_service.version
except ModuleNotFoundError:
    print("as it should be")
"""


@needs_oslo_service
def test_what_its_tests_import_is_this_library_and_nothing_of_oslo_service():
    done = subprocess.run(
        [sys.executable, "-c", SAME, str(TOOL.parent)],
        env={"OSLO_SERVICE_SKIP_EVENTLET": "yes"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (0, "as it should be\n"), done.stderr
