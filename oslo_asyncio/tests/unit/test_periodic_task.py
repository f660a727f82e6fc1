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
"""How periodic tasks are declared, and which class has which."""

from oslo_config import cfg
import pytest

from oslo_asyncio import exceptions
from oslo_asyncio import fixture
from oslo_asyncio import periodic_task
from oslo_asyncio.periodic_task import PeriodicTasks

task = periodic_task.periodic_task


def names(tasks):
    return [name for name, _function in tasks._periodic_tasks]


class TestDecorator:
    def test_plain_it_means_every_60_seconds(self):
        @task
        def plain(self, context): ...

        assert plain._periodic_task is True
        assert plain._periodic_spacing == periodic_task.DEFAULT_INTERVAL == 60.0
        assert plain._periodic_name == "plain"
        assert plain._periodic_enabled is True
        assert plain._periodic_immediate is False
        assert plain._periodic_external_ok is False
        assert plain._periodic_last_run is not None

    def test_each_argument_is_kept(self):
        @task(
            spacing=7,
            run_immediately=True,
            enabled=False,
            external_process_ok=True,
            name="other",
        )
        def some(self, context): ...

        assert some._periodic_spacing == 7
        assert some._periodic_immediate is True
        assert some._periodic_last_run is None
        assert some._periodic_enabled is False
        assert some._periodic_external_ok is True
        assert some._periodic_name == "other"

    def test_empty_parentheses_are_none(self):
        @task()
        def plain(self, context): ...

        assert plain._periodic_name == "plain"

    def test_it_can_be_kept_and_used_twice(self):
        often = task(spacing=1)
        assert often(lambda self, context: None)._periodic_spacing == 1
        assert often(lambda self, context: None)._periodic_spacing == 1

    def test_an_old_argument_is_refused_with_those_that_there_are(self):
        with pytest.raises(periodic_task.InvalidPeriodicTaskArg) as caught:
            task(ticks_between_runs=1)
        assert str(caught.value) == (
            "unexpected argument for periodic task creation: ticks_between_runs; it "
            "takes spacing (seconds), run_immediately, enabled, external_process_ok "
            "and name"
        )
        assert caught.value.arg == "ticks_between_runs"
        assert isinstance(caught.value, exceptions.OsloAsyncioError)

    @pytest.mark.parametrize(
        ("args", "kwargs"),
        [((60,), {}), ((print, 60), {}), ((print,), {"spacing": 60}), ((), {"x": 1})],
    )
    def test_an_argument_that_has_no_meaning_is_refused(self, args, kwargs):
        with pytest.raises(periodic_task.InvalidPeriodicTaskArg):
            task(*args, **kwargs)


class TestClasses:
    class Parent(PeriodicTasks):
        @task(spacing=1)
        def first(self, context): ...

        @task(spacing=2)
        def second(self, context): ...

    def test_a_subclass_inherits_and_adds(self, conf):
        class Child(self.Parent):
            @task(spacing=3)
            def third(self, context): ...

        assert names(Child(conf)) == ["first", "second", "third"]
        assert Child._periodic_spacing == {"first": 1, "second": 2, "third": 3}
        assert names(self.Parent) == ["first", "second"]
        assert self.Parent._periodic_spacing == {"first": 1, "second": 2}

    def test_a_task_that_is_defined_again_takes_the_place_of_the_old_one(self):
        class Child(self.Parent):
            @task(spacing=9)
            def first(self, context): ...

        assert dict(Child._periodic_tasks)["first"] is Child.first
        assert names(Child) == ["first", "second"]
        assert Child._periodic_spacing["first"] == 9
        assert dict(self.Parent._periodic_tasks)["first"] is self.Parent.first

    def test_a_subclass_can_switch_a_task_off_for_itself_and_its_own(self, caplog):
        caplog.set_level("INFO")

        class Child(self.Parent):
            @task(enabled=False)
            def first(self, context): ...

        class Grandchild(Child):
            @task(spacing=-1)
            def second(self, context): ...

        assert names(Child) == ["second"]
        assert names(Grandchild) == []
        assert names(self.Parent) == ["first", "second"]
        assert caplog.messages == [
            "Periodic task first is off: it is disabled",
            "Periodic task second is off: its spacing is negative",
        ]

    def test_every_base_contributes(self):
        class Other(PeriodicTasks):
            @task
            def third(self, context): ...

        class Child(self.Parent, Other): ...

        assert sorted(names(Child)) == ["first", "second", "third"]

    def test_the_first_base_wins(self):
        class Other(PeriodicTasks):
            @task(spacing=9)
            def first(self, context): ...

        class Child(self.Parent, Other): ...

        assert dict(Child._periodic_tasks)["first"] is self.Parent.first
        assert Child._periodic_spacing["first"] == 1

    def test_a_task_that_is_added_to_an_object_is_that_objects_alone(self, conf):
        class Child(self.Parent): ...

        @task(spacing=5)
        def added(self, context): ...

        one, other = Child(conf), Child(conf)
        one.add_periodic_task(added)
        assert names(one) == ["first", "second", "added"]
        assert one._periodic_spacing["added"] == 5
        assert "added" in one._periodic_last_run
        for somebody_else in (other, Child(conf), Child, self.Parent(conf)):
            assert names(somebody_else) == ["first", "second"]
            assert "added" not in somebody_else._periodic_spacing
        assert other.run_periodic_tasks(None) <= 1

    def test_a_task_that_is_off_cannot_be_added(self, conf):
        @task(enabled=False)
        def added(self, context): ...

        one = self.Parent(conf)
        one.add_periodic_task(added)
        assert names(one) == ["first", "second"]

    def test_the_first_run_counts_from_when_the_object_was_made(self, conf):
        with fixture.FakeClock(start=5000):
            one = self.Parent(conf)
            assert one._periodic_last_run == {"first": 5000, "second": 5000}


class TestNearestBoundary:
    """last run, spacing, now, a number drawn from 0 to 1, and what comes of it"""

    @pytest.mark.parametrize(
        ("last_run", "spacing", "now", "drawn", "boundary"),
        [
            (0, 7, 7, 0.0, 7),
            (0, 7, 9, 0.0, 7),
            (0, 7, 22, 0.0, 21),
            (3, 7, 22, 0.0, 17),
            (None, 7, 22, 0.9, 22),
            (0, 100, 120, 0.99, 104),
            (0, 100, 120, 0.5, 102),
            (0, 19, 25, 0.99, 19),
        ],
    )
    def test_it_is_a_multiple_of_the_spacing_and_some_jitter(
        self, monkeypatch, last_run, spacing, now, drawn, boundary
    ):
        monkeypatch.setattr("random.random", lambda: drawn)
        monkeypatch.setattr("oslo_asyncio.periodic_task.now", lambda: now)
        assert periodic_task._nearest_boundary(last_run, spacing) == boundary


def test_the_option_is_listed_for_the_sample_and_registered_by_the_first_object():
    [(group, [option])] = periodic_task.list_opts()
    assert (group, option.name) == (None, "run_external_periodic_tasks")
    conf = cfg.ConfigOpts()
    PeriodicTasks(conf)
    PeriodicTasks(conf)
    assert conf.run_external_periodic_tasks is True


def test_oslo_service_may_register_the_same_option():
    conf = cfg.ConfigOpts()
    theirs = cfg.BoolOpt("run_external_periodic_tasks", default=True, help="theirs")
    PeriodicTasks(conf)
    conf.register_opt(theirs)
    other = cfg.ConfigOpts()
    other.register_opt(theirs)
    PeriodicTasks(other)
