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


"""Calls as the projects make them that moved from oslo.service."""

import threading

import pytest

from oslo_asyncio import loopingcall
from oslo_asyncio import periodic_task
from oslo_asyncio import service
from oslo_asyncio import threadgroup


@pytest.fixture(autouse=True)
def _current(hub):
    """The hub that a launcher would have loaded."""


class OwnThread(threading.Thread):
    """A thread that a project makes itself."""

    def link(self, func, *args):
        func(self, *args)


class OwnThreads(threadgroup.ThreadGroup):
    """As heat: other threads, in the list of the group."""

    def add_thread(self, func, *args, **kwargs):
        assert len(self.threads) < self.thread_pool_size
        with self._lock:
            thread = OwnThread(target=func, args=args, kwargs=kwargs)
            thread.start()
            self.threads.append(thread)
        return thread


class TestHeat:
    def test_a_group_waits_for_threads_of_the_projects_own(self):
        group, ended, done = OwnThreads(), threading.Event(), []
        group.add_thread(lambda: (ended.wait(), done.append("stack")))
        ended.set()
        group.stop(True)
        group.wait()
        assert done == ["stack"]

    def test_a_group_stops_with_threads_of_the_projects_own(self):
        group, ended = OwnThreads(), threading.Event()
        thread = group.add_thread(ended.wait)
        group.stop()
        ended.set()
        thread.join()


class TestNova:
    def test_a_retry_takes_one_exception_without_a_tuple(self):
        calls = []

        @loopingcall.RetryDecorator(
            max_retry_count=2, inc_sleep_time=0, exceptions=OSError
        )
        def recheck(path):
            calls.append(path)
            raise OSError(path)

        with pytest.raises(OSError, match="/dev/sda"):
            recheck("/dev/sda")
        assert calls == ["/dev/sda"] * 3

    def test_a_metaclass_of_the_projects_own_goes_with_periodic_tasks(self):
        class Traced(type):
            pass

        class Meta(Traced, type(periodic_task.PeriodicTasks)):
            pass

        class Manager(periodic_task.PeriodicTasks, metaclass=Meta):
            @periodic_task.periodic_task
            def report(self, context):
                pass

        assert [name for name, _task in Manager._periodic_tasks] == ["report"]


class TestNeutron:
    def test_a_looping_call_starts_again_after_it_was_stopped(self):
        calls, called = [], threading.Event()

        def check():
            calls.append("check")
            called.set()

        looping = loopingcall.FixedIntervalLoopingCall(f=check)
        for _again in range(2):
            called.clear()
            looping.start(interval=3600, initial_delay=None)
            called.wait()
            looping.stop()
            looping.wait()
        assert calls == ["check"] * 2


class TestDesignate:
    def test_what_is_called_may_be_an_object(self):
        class Task:
            def __call__(self):
                raise loopingcall.LoopingCallDone("called")

        group = threadgroup.ThreadGroup()
        timer = group.add_timer_args(3600, Task(), stop_on_exception=False)
        assert timer.wait() == "called"
        group.stop()


class TestMistral:
    def test_a_dynamic_timer_runs_periodic_tasks_with_a_context(self):
        contexts, ran = [], threading.Event()

        class Tasks(periodic_task.PeriodicTasks):
            pass

        @periodic_task.periodic_task(spacing=3600, run_immediately=True)
        def process(self, context):
            contexts.append(context)
            ran.set()

        class Conf:
            run_external_periodic_tasks = True

            def register_opts(self, opts):
                pass

        tasks, group = Tasks(Conf()), threadgroup.ThreadGroup()
        tasks.add_periodic_task(process)
        with pytest.warns(DeprecationWarning, match="add_dynamic_timer"):
            group.add_dynamic_timer(
                tasks.run_periodic_tasks,
                initial_delay=None,
                periodic_interval_max=1,
                context="admin",
            )
        ran.wait()
        group.stop()
        assert contexts == ["admin"]


class TestBarbican:
    def test_a_service_has_other_bases_whose_constructors_take_arguments(self):
        class Endpoint:
            def __init__(self, conf):
                self.conf = conf

        class Before(Endpoint, service.Service):
            def __init__(self, conf):
                Endpoint.__init__(self, conf)
                service.Service.__init__(self, threads=10)

        assert Before("conf").tg.thread_pool_size == 10
