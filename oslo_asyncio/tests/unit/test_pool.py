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

"""What a pool says about itself before anybody uses it."""


import pytest

from oslo_asyncio import _call
from oslo_asyncio import _pool
from oslo_asyncio import executor


@pytest.fixture(autouse=True)
def _pools_of_its_own():
    executor._pools.clear()
    executor.configure({}, 10.0)
    yield
    executor._pools.clear()
    executor.configure({}, 10.0)


def test_a_new_pool_does_nothing():
    pool = _pool.Pool("new", 3)
    assert pool.figures() == _call.Figures(
        name="new", threads=0, queued=0, running=0, abandoned=0, oldest=0.0
    )
    assert pool.abandoned() == []


def test_figures_cannot_be_changed():
    figures = _pool.Pool("new", 3).figures()
    with pytest.raises(AttributeError, match="Figures cannot be changed"):
        figures.threads = 1


def test_a_pool_is_added_once():
    first = executor.add_pool("images", 2)
    assert executor.add_pool("images", 5) is first
    assert first.max_threads == 2
    assert executor.get_pool("images") is first


@pytest.mark.parametrize("name", ["default", "resolver"])
def test_the_built_in_pools_exist_when_asked_for(name):
    assert executor.pools() == []
    pool = executor.get_pool(name)
    assert (pool.name, pool.max_threads, pool.idle_timeout) == (name, 64, 10.0)
    assert executor.pools() == [pool]


def test_every_pool_has_figures():
    executor.add_pool("images")
    executor.get_pool()
    assert [figures.name for figures in executor.figures()] == ["images", "default"]


def test_sizes_and_idle_time_apply_to_pools_of_before_and_after():
    before = executor.add_pool("before", 1)
    executor.configure({"before": 2, "after": 3}, 0.5)
    after = executor.add_pool("after", 1)
    assert [(pool.max_threads, pool.idle_timeout) for pool in (before, after)] == [
        (2, 0.5),
        (3, 0.5),
    ]


def test_a_pool_that_is_not_configured_any_more_has_its_own_size_again():
    pool = executor.add_pool("images", 1)
    executor.configure({"images": 2}, 10.0)
    executor.configure({}, 10.0)
    assert pool.max_threads == 1


def test_no_call_runs_outside_a_pool():
    assert _pool.current_call() is None
