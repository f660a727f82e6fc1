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

"""Which messages have come already."""

from oslo_asyncio._messaging import seen


def test_what_has_come_among_the_last_is_known():
    last = seen.Seen(size=1000)
    assert all(last.add(str(number)) for number in range(1000))
    assert not any(last.add(str(number)) for number in range(1000))


def test_what_has_come_before_them_is_forgotten():
    last = seen.Seen(size=2)
    for name in ("a", "b", "c"):
        assert last.add(name)
    assert not last.add("c")
    assert not last.add("b")
    assert last.add("a")
