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

import importlib
import inspect
import sys

import pytest

from oslo_asyncio._takeover import finder as finder_module


@pytest.fixture
def finder(monkeypatch):
    """One that the import system asks first."""
    made = finder_module.Finder()
    monkeypatch.setattr(sys, "meta_path", [made, *sys.meta_path])
    return made


@pytest.fixture
def orchard(tmp_path, monkeypatch):
    """A package with two modules and what is below one of them."""
    package = tmp_path / "orchard"
    (package / "tree").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "tree" / "__init__.py").write_text("KIND = 'apple'\n")
    (package / "tree" / "branch.py").write_text("LEAVES = 7\n")
    (package / "ladder.py").write_text("RUNGS = 9\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield package
    for name in [each for each in sys.modules if each.split(".")[0] == "orchard"]:
        del sys.modules[name]


def load(name):
    return importlib.import_module(name)


def pears(module):
    module.KIND = "pear"


def test_a_module_is_filled_by_us_instead(finder, orchard):
    finder.instead("orchard.tree", pears)
    tree = load("orchard.tree")
    assert tree.KIND == "pear"
    assert load("orchard").tree is tree
    assert tree.__spec__.origin == str(orchard / "tree" / "__init__.py")


def test_what_is_below_it_is_still_found(finder, orchard):
    finder.instead("orchard.tree", pears)
    assert load("orchard.tree.branch").LEAVES == 7


def test_a_reload_fills_it_again(finder, orchard):
    finder.instead("orchard.tree", pears)
    tree = load("orchard.tree")
    tree.KIND = "quince"
    assert importlib.reload(tree).KIND == "pear"


def test_one_that_is_not_installed_stays_missing(finder, orchard):
    finder.instead("orchard.cellar", pears)
    with pytest.raises(ModuleNotFoundError, match=r"orchard\.cellar"):
        load("orchard.cellar")


def test_somebody_is_called_before_an_import_and_may_refuse_it(finder, orchard):
    def refuse():
        raise LookupError("no ladder today")

    finder.before("orchard.ladder", refuse)
    with pytest.raises(LookupError, match="no ladder today"):
        load("orchard.ladder")


def test_somebody_is_given_a_module_after_its_import(finder, orchard):
    given = []
    finder.after("orchard.ladder", given.append)
    ladder = load("orchard.ladder")
    assert given == [ladder]
    assert ladder.RUNGS == 9
    assert inspect.getsource(ladder) == "RUNGS = 9\n"


def test_everything_else_is_not_its_business(finder, orchard):
    assert finder.find_spec("orchard.ladder", [str(orchard)]) is None
    assert load("orchard.ladder").RUNGS == 9
