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

"""Records behave like frozen dataclasses, as far as the library uses them."""

import pytest

from oslo_asyncio import _record


class Point(_record.Record):
    x: int
    y: int = 0


class Other(_record.Record):
    x: int
    y: int = 0


def test_fields_come_by_place_by_name_and_by_default():
    assert Point(1) == Point(x=1, y=0) == Point(1, 0)
    assert repr(Point(1, y=2)) == "Point(x=1, y=2)"


def test_another_class_or_another_value_is_not_equal():
    assert Point(1) != Point(2)
    assert Point(1) != Other(1)
    assert {Point(1), Point(1), Other(1)} == {Point(1), Other(1)}


def test_they_cannot_be_changed():
    with pytest.raises(AttributeError, match="Point cannot be changed"):
        Point(1).x = 2
    with pytest.raises(AttributeError, match="Point cannot be changed"):
        del Point(1).x


def test_match_takes_them_apart():
    match Point(1, 2):
        case Point(x, y):
            assert (x, y) == (1, 2)


@pytest.mark.parametrize(
    ("values", "named"), [((), {}), ((1, 2, 3), {}), ((1,), {"x": 1}), ((1,), {"z": 1})]
)
def test_what_does_not_fit_is_refused(values, named):
    with pytest.raises(TypeError, match="Point is made of"):
        Point(*values, **named)
