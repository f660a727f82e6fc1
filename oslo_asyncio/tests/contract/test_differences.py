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


"""What counts as a difference, and how the page has to be written."""

import inspect

import pytest

from oslo_asyncio.tests.contract import differences
from oslo_asyncio.tests.contract import page
from oslo_asyncio.tests.contract import surface

HEAD = """
Differences
===========

.. list-table:: Differences
   :header-rows: 1

   * - Module
     - Name
     - Difference
     - Reason
"""


def between(theirs, ours):
    """What a function differs in from another one, given as lambdas."""
    return [
        *differences.of_parameters(
            surface.parameters(theirs, False), surface.parameters(ours, False)
        )
    ]


def described(value):
    return dict(surface.described("it", value, __name__, {}))


class TestParameters:
    def test_equal_ones_are_no_difference(self):
        assert between(lambda a, b=1, *c, d, **e: 0, lambda a, b=1, *c, d, **e: 0) == []

    def test_more_of_them_at_the_end_are_no_difference(self):
        assert between(lambda a: 0, lambda a, b=1, *, c=2: 0) == []

    def test_one_more_that_has_no_default_is(self):
        assert between(lambda a: 0, lambda a, b: 0) == ["b is required"]
        assert between(lambda a: 0, lambda a, *, b: 0) == ["b is required"]

    def test_another_name_is(self):
        assert between(lambda a: 0, lambda b: 0) == ["b instead of a"]
        assert between(lambda a, c: 0, lambda b, c: 0) == ["b instead of a"]
        assert between(lambda a: 0, lambda: 0) == ["no parameter a"]

    def test_another_place_is(self):
        found = ["a has another place", "b has another place"]
        assert between(lambda a, b: 0, lambda b, a: 0) == found

    def test_one_that_must_not_be_named_any_more_is(self):
        assert between(lambda a: 0, lambda a, /: 0) == ["a has no name"]
        assert between(lambda a, /: 0, lambda a, /: 0) == ["a has no name"]

    def test_one_that_must_be_named_is(self):
        assert between(lambda a: 0, lambda *, a: 0) == ["a is keyword-only"]

    def test_another_default_is(self):
        assert between(lambda a=1: 0, lambda a=2: 0) == ["a=2 instead of 1"]
        assert between(lambda a=1: 0, lambda a: 0) == ["a is required"]
        assert between(lambda a: 0, lambda a=1: 0) == []

    def test_open_ends_that_are_closed_are(self):
        assert between(lambda *a, **b: 0, lambda: 0) == ["no *a", "no **b"]
        assert between(lambda *args: 0, lambda *others: 0) == []

    def test_one_more_that_takes_away_from_an_open_end_is(self):
        own = ["b is an argument of its own"]
        assert between(lambda a, *c: 0, lambda a, b=1, *c: 0) == own
        assert between(lambda **c: 0, lambda *, b=1, **c: 0) == own
        assert between(lambda *c: 0, lambda *c, b=1: 0) == []


class Base:
    word = "word"

    def __init__(self, first, second=2):
        self.first = first
        self._second = second

    def method(self):
        pass

    @staticmethod
    def plain(one):
        return one

    @property
    def seen(self):
        return self.first

    async def coming(self):
        pass


class Derived(Base, ValueError):
    pass


class TestSurface:
    def test_a_class_has_the_parameters_of_its_constructor_and_its_bases(self):
        named = {Base: "Base"}
        entry = surface.described_class(Derived, __name__, named)
        assert [name for name, *_ in entry["parameters"]] == ["first", "second"]
        assert {"Base", "ValueError", "Exception"} <= {*entry["bases"]}

    def test_the_members_of_a_class_are_found_with_those_it_inherits(self):
        found = described(Derived)
        kinds = {
            "it.first": "attribute",
            "it.word": "attribute",
            "it.seen": "attribute",
            "it.method": "call",
            "it.plain": "call",
        }
        assert {name: found[name]["kind"] for name in kinds} == kinds
        assert found["it.method"]["parameters"] == []
        assert found["it.plain"]["parameters"] == [["one", "either", None]]
        assert "it.args" not in found

    def test_async_instead_of_sync_is_a_difference(self):
        entry = described(Base)["it.coming"]
        assert [*differences.of_entry({**entry, "async": False}, entry)] == ["async"]

    def test_what_a_module_imports_is_not_its_own(self):
        found = dict(surface.names(inspect))
        assert "signature" in found
        assert not {"sys", "namedtuple"} & {*found}


def of(**entries):
    return {"service": entries}


class TestDifferences:
    def found(self, ours, **backends):
        return [*map(str, sorted(differences.from_both(backends, ours)))]

    def test_one_that_both_backends_have_is_said_once(self):
        theirs = of(go={"kind": "call"})
        found = self.found(of(), eventlet=theirs, threading=theirs)
        assert found == ["service: go: missing"]

    def test_one_that_one_backend_has_says_which(self):
        found = self.found(of(), eventlet=of(go={"kind": "call"}), threading=of())
        assert found == ["service: go: missing (eventlet)"]

    def test_a_module_that_is_missing_is_one_difference(self):
        theirs = of(go={"kind": "call"}, stop={"kind": "call"})
        assert self.found({}, eventlet=theirs) == ["service: : missing"]

    def test_a_class_that_is_missing_is_one_difference(self):
        theirs = of(**described(Base))
        assert self.found(of(), eventlet=theirs) == ["service: it: missing"]

    def test_what_a_base_lacks_is_not_said_of_its_subclasses(self):
        base = {"kind": "class", "bases": []}
        child = {"kind": "class", "bases": ["Base"]}
        member = {"kind": "attribute"}
        theirs = of(
            **{"Base": base, "Base.a": member, "Child": child, "Child.a": member}
        )
        ours = of(Base=base, Child=child)
        assert self.found(ours, eventlet=theirs) == ["service: Base.a: missing"]

    def test_another_value_and_another_kind_are_differences(self):
        theirs = of(one={"kind": "value", "value": "1"}, two={"kind": "class"})
        ours = of(one={"kind": "value", "value": "2"}, two={"kind": "call"})
        assert self.found(ours, eventlet=theirs) == [
            "service: one: 2 instead of 1",
            "service: two: call instead of class",
        ]


class TestPage:
    def listed(self, rows):
        found = page.listed(HEAD + rows + "\nThe next section\n================\n")
        return {str(each): reason for each, reason in found.items()}

    def test_each_row_is_a_difference_and_its_reason(self):
        rows = """\
   * - ``wsgi``
     - ``Server.dup_socket``
     - ``missing``
     - Nothing is
       duplicated.
   * - ``service``
     - ``launch``, ``Launcher``
     - ``no parameter x``
     - Because.
"""
        assert self.listed(rows) == {
            "wsgi: Server.dup_socket: missing": "Nothing is duplicated.",
            "service: launch: no parameter x": "Because.",
            "service: Launcher: no parameter x": "Because.",
        }

    def test_a_row_without_a_reason_is_refused(self):
        with pytest.raises(ValueError, match="four cells"):
            self.listed("   * - ``wsgi``\n     - ``Server``\n     - ``missing``\n")

    def test_a_row_that_is_there_twice_is_refused(self):
        row = "   * - ``wsgi``\n     - ``Server``\n     - ``missing``\n     - No.\n"
        with pytest.raises(ValueError, match="twice"):
            self.listed(row + row)

    def test_a_page_without_the_table_is_refused(self):
        with pytest.raises(ValueError, match="no list-table"):
            page.listed("nothing\n")
