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

"""The supervisor only decides: nothing in it acts, waits or looks at a clock."""

import ast
import pathlib
import typing

import pytest

from oslo_asyncio import _supervisor
from oslo_asyncio._supervisor import events

FOLDER = pathlib.Path(_supervisor.__file__).parent
PURE = ("announce", "children", "core", "crew", "events", "restarts", "rolling")
IMPURE = {
    "_thread",
    "asyncio",
    "eventlet",
    "multiprocessing",
    "os",
    "select",
    "signal",
    "socket",
    "subprocess",
    "threading",
    "time",
}


def imported(path):
    """The modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("name", PURE)
def test_what_decides_imports_nothing_that_acts(name):
    for module in imported(FOLDER / f"{name}.py"):
        assert module.split(".")[0] not in IMPURE
        if module.startswith("oslo_asyncio") and module != "oslo_asyncio._record":
            package, _, last = module.rpartition(".")
            assert package == "oslo_asyncio._supervisor"
            assert last in PURE


def test_the_core_stays_small():
    assert len((FOLDER / "core.py").read_text().splitlines()) <= 250


def test_the_supervisor_is_told_few_things_and_answers_few():
    assert len(typing.get_args(events.Event)) <= 7
    assert len(typing.get_args(events.Action)) <= 7
