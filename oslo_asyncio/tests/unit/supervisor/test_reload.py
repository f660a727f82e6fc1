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

"""Reload and recycling: one worker at a time, and never for the worse."""

import logging

import pytest

from oslo_asyncio._supervisor import events
from oslo_asyncio._supervisor.events import Ask
from oslo_asyncio._supervisor.events import Command
from oslo_asyncio._supervisor.events import Config
from oslo_asyncio._supervisor.events import Configure
from oslo_asyncio._supervisor.events import Fork
from oslo_asyncio._supervisor.events import Kill
from oslo_asyncio._supervisor.events import Notice
from oslo_asyncio._supervisor.events import Report
from oslo_asyncio._supervisor.events import Word

MIB = 1 << 20


def kinds(actions):
    """What was done, without what was said."""
    return [each for each in actions if not isinstance(each, Report)]


def readings(kernel):
    """How often the configuration was read."""
    return kernel.actions.count(Configure(Config.READ))


def ready(kernel):
    """How many processes serve."""
    own = kernel.watch.lives.values()
    return sum(life.serving for life in own)


def reload_and_count(kernel, ask=Ask.RELOAD):
    """The least number of processes that served on the way."""
    least = ready(kernel)
    kernel.ask(ask)
    for _ in range(60):
        for process in list(kernel.processes.values()):
            least = min(least, ready(kernel))
            if process.status is None:
                kernel._behave(process)
                kernel.flush([process])
            least = min(least, ready(kernel))
    return least


# -- when ---------------------------------------------------------------------


def test_row_7_any_number_of_reloads_during_boot_are_one(boot):
    kernel = boot(4)
    for _ in range(200):
        kernel.ask(Ask.RELOAD)
        kernel.wait(0.005)
    assert readings(kernel) == 0
    kernel.cooperate(20)
    assert readings(kernel) == 1
    assert [each.config for each in kernel.processes.values()] == [1] * 4


def test_row_7_any_number_of_reloads_during_a_reload_are_one_more(run):
    kernel = run(2)
    kernel.ask(*[Ask.RELOAD] * 100)
    kernel.cooperate(30)
    assert readings(kernel) == 2
    assert [each.config for each in kernel.processes.values()] == [2] * 2


def test_a_reload_helps_a_worker_that_waits_for_its_next_try(boot):
    kernel = boot(1)
    kernel.curse(0)
    for _ in range(3):
        kernel.cooperate()
        kernel.wait(kernel.supervisor.deadline() - kernel.now)
    kernel.cooperate()
    kernel.cursed.clear()
    assert kernel.ask(Ask.RELOAD)[0].text == "Reload begins"
    kernel.of(0)[0].die(1)
    kernel.flush()
    assert kernel.texts()[-1].endswith("the next one starts in 0.5 s")
    kernel.wait(0.5)
    kernel.cooperate()
    assert kernel.notices() == [Notice.READY]


def test_a_worker_that_waits_for_its_next_try_is_forked_with_what_was_read(boot):
    kernel = boot(1)
    kernel.of(0)[0].die(1)
    kernel.flush()
    kernel.now += 100.0
    kernel.ask(Ask.RELOAD)
    assert kernel.of(0)[0].config == 1


# -- one at a time ------------------------------------------------------------


def test_row_28_two_workers_or_more_start_the_new_one_first(run):
    kernel = run(2)
    kernel.ask(Ask.RELOAD)
    fresh = kernel.of(0)[1]
    assert kinds(kernel.actions) == [Configure(Config.READ), Fork(3, 0, 0)]
    fresh.say(Word.READY)
    assert kinds(kernel.flush()) == [Kill(1, "TERM")]
    kernel.of(0)[0].die(0)
    assert kinds(kernel.flush()) == [Fork(4, 1, 0)]
    kernel.cooperate(3)
    assert kernel.texts()[-1] == "Reload ended after 0.0 s"
    assert kernel.texts(logging.WARNING) == []


def test_row_28_a_single_worker_stops_the_old_one_first(run):
    kernel = run(1)
    assert kinds(kernel.ask(Ask.RELOAD)) == [Configure(Config.READ), Kill(1, "TERM")]
    kernel.of(0)[0].die(0)
    assert kinds(kernel.flush()) == [Fork(2, 0, 0)]


@pytest.mark.parametrize(("order", "least"), [("start_first", 4), ("stop_first", 3)])
def test_row_28_a_reload_takes_at_most_one_worker_away(run, order, least):
    kernel = run(4, order=order)
    assert reload_and_count(kernel) == least
    assert [each.config for each in kernel.processes.values()] == [1] * 4


def test_a_worker_that_leaves_by_itself_is_not_replaced_but_followed(run):
    kernel = run(2)
    kernel.of(0)[0].say(Word.LEAVING)
    kernel.flush()
    kernel.ask(Ask.RELOAD)
    assert [len(kernel.of(0)), len(kernel.of(1))] == [1, 2]
    kernel.cooperate(5)
    assert [each.config for each in kernel.processes.values()] == [1] * 2


def test_the_service_manager_hears_of_a_reload(run):
    kernel = run(2)
    kernel.ask(Ask.RELOAD)
    kernel.cooperate(10)
    assert kernel.notices() == [Notice.RELOADING, Notice.READY]


def test_row_55_a_reload_before_all_are_ready_is_no_news_for_it(boot):
    kernel = boot(2)
    kernel.of(0)[0].say(Word.READY)
    kernel.of(1)[0].die(1)
    kernel.flush()
    kernel.ask(Ask.RELOAD)
    assert kernel.notices() == []
    kernel.cooperate(10)
    assert kernel.notices() == [Notice.READY]


def test_mutate_tells_the_workers_and_replaces_none(run):
    kernel = run(2, mutate=True)
    assert kinds(kernel.ask(Ask.RELOAD)) == [
        Configure(Config.READ),
        events.Send(1, Command.MUTATE),
        events.Send(2, Command.MUTATE),
    ]
    assert kernel.texts()[-1] == "Reload ended: 2 workers have been told"


def test_a_heartbeat_that_was_not_told_to_a_worker_does_not_end_it(run):
    kernel = run(2, heartbeat=60.0)
    kernel.file = events.Settings(heartbeat=4.0)
    kernel.ask(Ask.RELOAD)
    old = kernel.of(1)[0]
    old.say(Word.BEAT)
    kernel.flush()
    kernel.wait(15.0)
    assert old.signals == []


# -- for the worse ------------------------------------------------------------


def test_row_29_a_bad_file_changes_nothing(run):
    kernel = run(2)
    kernel.file = None
    assert kinds(kernel.ask(Ask.RELOAD)) == [Configure(Config.READ)]
    assert kernel.texts() == [
        "Reload begins",
        "Reload failed: the configuration is bad, the old one stays",
    ]
    assert kernel.notices() == [Notice.RELOADING, Notice.READY]


def test_row_29_a_replacement_that_fails_ends_the_reload(run):
    kernel = run(3)
    kernel.poison = True
    kernel.ask(Ask.RELOAD)
    kernel.cooperate(10)
    assert kernel.texts(logging.ERROR) == [
        "Reload failed: the replacement, Worker 0 of api (pid 103), exited with "
        "status 1 before it was ready; the workers that were not replaced go on "
        "with the old configuration"
    ]
    assert kernel.actions.count(Configure(Config.RESTORE)) == 1
    assert sorted(kernel.processes) == [1, 2, 3]
    assert kernel.notices() == [Notice.RELOADING, Notice.READY]


def test_row_29_a_replacement_that_never_gets_ready_ends_the_reload(run):
    kernel = run(3, start=20.0)
    kernel.ask(Ask.RELOAD)
    kernel.wait(30.0)
    kernel.flush()
    assert kernel.texts(logging.ERROR)[1].startswith(
        "Reload failed: the replacement, Worker 0 of api (pid 103), was ended by "
        "SIGABRT before it was ready;"
    )
    assert sorted(kernel.processes) == [1, 2, 3]


def test_row_29_a_replacement_that_cannot_be_forked_ends_the_reload(run):
    kernel = run(3)
    kernel.forks_fail = 1
    kernel.ask(Ask.RELOAD)
    assert kernel.texts(logging.ERROR)[0].startswith(
        "Reload failed: the replacement, Worker 0 of api, could not be forked: Try "
        "again;"
    )
    assert sorted(kernel.processes) == [1, 2, 3]


def test_row_29_a_worker_that_was_stopped_first_comes_back_with_the_old_file(run):
    kernel = run(1)
    kernel.poison = True
    kernel.ask(Ask.RELOAD)
    kernel.cooperate(2)
    assert kernel.of(0)[0].config == 0
    kernel.cooperate()
    assert ready(kernel) == 1


def test_row_29_what_was_replaced_stays_and_what_was_not_stays_as_well(run):
    kernel = run(3)
    kernel.ask(Ask.RELOAD)
    while len(kernel.of(1)) < 2:
        kernel.cooperate()
    kernel.of(1)[1].die(1)
    kernel.cooperate(20)
    assert [kernel.of(worker)[0].config for worker in range(3)] == [1, 0, 0]


def test_row_29_a_failed_reload_leaves_the_old_options_in_force(run):
    kernel = run(2, grace=60.0)
    kernel.file, kernel.poison = events.Settings(grace=5.0), True
    kernel.ask(Ask.RELOAD)
    kernel.cooperate(5)
    assert kernel.ask(Ask.STOP)[1].seconds == 63.0


def test_the_next_reload_replaces_all_of_them(run):
    kernel = run(2)
    kernel.poison = True
    kernel.ask(Ask.RELOAD)
    kernel.cooperate(5)
    kernel.poison = False
    kernel.ask(Ask.RELOAD)
    kernel.cooperate(10)
    assert [each.config for each in kernel.processes.values()] == [2, 2]


def test_row_25_a_stop_in_the_middle_of_a_reload_ends_it(run):
    kernel = run(4)
    kernel.ask(Ask.RELOAD)
    assert len(kernel.processes) == 5
    assert len(kinds(kernel.ask(Ask.STOP))) == 6
    kernel.cooperate()
    assert kernel.actions[-1] == events.Exit(0)
    assert kernel.notices() == [Notice.RELOADING, Notice.STOPPING]


# -- recycling ----------------------------------------------------------------


def test_row_31_workers_that_grow_old_together_are_replaced_one_by_one(run):
    kernel = run(8, lifetime=100.0)
    kernel.now += 101.0
    kernel.tick()
    assert len(kernel.processes) == 9
    assert reload_and_count(kernel, Ask.MORE) >= 8
    assert len(kernel.texts(logging.WARNING)) == 0


def test_row_31_lifetimes_differ(run):
    numbers = iter([0.0, 0.5, 1.0])
    kernel = run(3, lifetime=100.0, random=lambda: next(numbers, 0.0))
    ends = []
    for _ in range(3):
        kernel.wait(kernel.supervisor.deadline() - kernel.now)
        ends.append(round(kernel.now - 1000.0))
        kernel.cooperate(5, 0.0)
    assert ends == [90, 95, 100]


def test_row_31_memory_limits_differ(run):
    numbers = iter([0.0, 1.0])
    kernel = run(2, rss=100 * MIB, random=lambda: next(numbers, 0.0))
    for process in list(kernel.processes.values()):
        process.say(Word.BEAT, 95 * MIB)
    kernel.flush()
    assert kernel.texts()[0] == (
        "Worker 1 of api (pid 101) uses 95 MiB of memory and is replaced"
    )
    assert [len(kernel.of(0)), len(kernel.of(1))] == [1, 2]


def test_one_that_cannot_be_replaced_goes_on_and_is_tried_again_in_a_minute(run):
    kernel = run(2, lifetime=100.0, start=0.0)
    kernel.curse(0)
    kernel.wait(100.0)
    kernel.cooperate(2, 0.0)
    first = kernel.texts(logging.ERROR)
    assert first == [
        "Worker 0 of api is not replaced: the replacement, Worker 0 of api "
        "(pid 102), exited with status 1 before it was ready",
        "Worker 1 of api is not replaced: the replacement, Worker 1 of api "
        "(pid 102), exited with status 1 before it was ready",
    ]
    kernel.wait(59.0)
    assert sorted(kernel.processes) == [1, 2]
    kernel.wait(2.0)
    assert len(kernel.processes) == 3


def test_one_whose_replacement_takes_long_is_asked_for_once(run):
    kernel = run(2, lifetime=100.0, start=600.0)
    kernel.wait(300.0)
    for process in kernel.of(0)[1:]:
        process.die(1)
    kernel.flush()
    assert [len(kernel.of(0)), len(kernel.of(1))] == [1, 2]
    for process in kernel.of(1)[1:]:
        process.die(1)
    kernel.flush()
    assert [len(kernel.of(0)), len(kernel.of(1))] == [1, 1]
    assert len(kernel.texts(logging.ERROR)) == 2


def test_one_that_died_before_its_turn_is_not_replaced_once_more(run):
    kernel = run(3, lifetime=100.0)
    kernel.wait(100.0)
    kernel.of(1)[0].die(0)
    kernel.cooperate(20)
    orders = [each.worker for each in kernel.actions if isinstance(each, Fork)]
    assert sorted(orders) == [0, 1, 2]


def test_a_reload_comes_before_those_that_wait_to_be_recycled(run):
    kernel = run(3, lifetime=100.0)
    kernel.wait(101.0)
    kernel.ask(Ask.RELOAD)
    kernel.file = events.Settings()
    kernel.cooperate(30, 0.0)
    assert [each.config for each in kernel.processes.values()] == [1] * 3
    assert kernel.texts()[-1].startswith("Reload ended")
