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

"""Start, stop, force: what the supervisor answers, and in which order."""

import logging

import pytest

from oslo_asyncio._supervisor import crew
from oslo_asyncio._supervisor import events
from oslo_asyncio._supervisor.events import Ask
from oslo_asyncio._supervisor.events import Kill
from oslo_asyncio._supervisor.events import Notice
from oslo_asyncio._supervisor.events import Report
from oslo_asyncio._supervisor.events import Word


def kinds(actions):
    """What was done, without what was said."""
    return [each for each in actions if not isinstance(each, Report)]


# -- start --------------------------------------------------------------------


def test_every_worker_of_every_service_is_forked_once(boot):
    kernel = boot(2, 1)
    assert kinds(kernel.actions) == [
        events.Fork(1, 0, 0),
        events.Fork(2, 1, 0),
        events.Fork(3, 2, 1),
    ]


def test_all_that_are_wanted_are_forked_in_one_go(boot):
    first = boot(3).supervisor.start(0.0)
    assert len([each for each in first if isinstance(each, events.Fork)]) == 3


def test_those_that_died_together_are_replaced_together(run):
    kernel = run(4)
    for process in list(kernel.processes.values()):
        process.die(-9)
    actions = kernel.flush_together()
    kinds = [type(each) for each in actions if not isinstance(each, Report)]
    assert kinds == [events.Fork] * 4
    reports = [each for each in actions if isinstance(each, Report)]
    assert len([each for each in reports if "has started" in each.text]) == 4


def test_row_55_ready_is_said_when_all_workers_are(boot):
    kernel = boot(3)
    for worker in range(3):
        assert kernel.notices() == []
        kernel.of(worker)[0].say(Word.READY)
        kernel.flush()
    assert kernel.notices() == [Notice.READY]
    last = kernel.actions[-1]
    assert last == Report(
        "3 of 3 workers are ready, after 0 ms", logging.INFO, Notice.READY
    )


def test_row_55_on_the_way_there_the_service_manager_hears_how_many_are(boot):
    kernel = boot(2)
    kernel.of(1)[0].say(Word.READY)
    assert Report("1 of 2 workers are ready", 0, Notice.STATUS) in kernel.flush()


def test_row_55_a_worker_that_has_left_does_not_count_as_ready(boot):
    kernel = boot(2)
    kernel.of(0)[0].say(Word.READY)
    kernel.of(0)[0].say(Word.LEAVING)
    kernel.of(1)[0].say(Word.READY)
    kernel.flush()
    assert kernel.notices() == []


def test_a_worker_that_says_twice_that_it_is_ready_is_as_old_as_before(run):
    kernel = run(1, lifetime=100.0)
    kernel.wait(50)
    kernel.of(0)[0].say(Word.READY)
    kernel.flush()
    assert kernel.texts() == []
    kernel.wait(51)
    assert "Worker 0 of api (pid 100) has lived for 100 s and is replaced" in (
        kernel.texts()
    )


# -- liveness -----------------------------------------------------------------


def test_row_21_a_worker_that_boots_owes_no_beats(boot):
    kernel = boot(1, heartbeat=2.0, start=60.0)
    kernel.wait(59.9)
    assert kernel.of(0)[0].signals == []


def test_row_21_a_worker_that_does_not_get_ready_in_time_is_ended(boot):
    kernel = boot(1, start=60.0)
    kernel.wait(60)
    assert kernel.texts(logging.ERROR) == [
        "Worker 0 of api (pid 100) is not ready after 60 s: SIGABRT"
    ]


def test_row_21_a_start_without_a_limit_may_take_for_ever(boot):
    kernel = boot(1, start=0.0)
    assert kernel.supervisor.deadline() is None


def test_a_worker_that_is_silent_dumps_its_stacks_and_is_replaced(run):
    kernel = run(1, heartbeat=2.0)
    kernel.wait(2.0)
    assert kernel.texts() == [
        "Worker 0 of api (pid 100) has been silent for 2 s: SIGABRT"
    ]
    kernel.flush()
    assert kernel.texts(logging.WARNING)[1:] == [
        "Worker 0 of api (pid 100) was ended by SIGABRT; the next one starts at once"
    ]
    assert len(kernel.of(0)) == 1


def test_a_silent_worker_that_cannot_dump_its_stacks_is_killed(run):
    kernel = run(1, heartbeat=2.0)
    kernel.of(0)[0].frozen = True
    kernel.wait(2.0 + crew.ABORT)
    assert kernel.texts()[1:] == [
        "Worker 0 of api (pid 100) has not stopped in time: SIGKILL"
    ]


def test_a_worker_whose_own_watchdog_was_faster_counts_as_hung(run):
    kernel = run(1, heartbeat=2.0)
    kernel.now += 2.5
    kernel.of(0)[0].die(1)
    kernel.flush()
    assert kernel.texts() == [
        "Worker 0 of api (pid 100) hung, and ended itself with status 1; "
        "the next one starts at once",
        "Worker 0 of api (pid 100) has started",
    ]


def test_beats_that_wait_to_be_read_count_when_the_parent_was_busy(run):
    kernel = run(4, heartbeat=2.0)
    kernel.now += 2.0 + crew.LATE / 2
    for process in kernel.processes.values():
        process.say(Word.BEAT)
    kernel.flush()
    kernel.tick()
    assert kernel.texts() == []


def test_beats_that_wait_to_be_read_count_when_the_parent_was_held_up(run):
    kernel = run(4, heartbeat=2.0)
    kernel.now += 3600.0
    for process in kernel.processes.values():
        process.say(Word.BEAT)
    kernel.flush()
    kernel.tick()
    assert kernel.texts() == []


def test_silence_does_not_count_while_the_parent_was_held_up(run):
    kernel = run(4, heartbeat=2.0)
    kernel.now += 3600.0
    kernel.tick()
    assert kernel.texts() == []
    kernel.wait(2.0)
    assert len(kernel.texts()) == 4


# -- stop ---------------------------------------------------------------------


def test_a_stop_closes_the_listeners_and_then_tells_everybody(run):
    kernel = run(2, grace=60.0)
    assert kernel.ask(Ask.STOP) == [
        events.CloseListeners(),
        Report("Stopping 2 workers", logging.INFO, Notice.STOPPING, 63.0),
        Kill(1, "TERM"),
        Kill(2, "TERM"),
    ]


def test_the_launcher_leaves_with_the_last_worker(run):
    kernel = run(2)
    kernel.ask(Ask.STOP)
    kernel.cooperate()
    assert kernel.actions[-1] == events.Exit(0)


def test_a_worker_that_fails_in_its_stop_fails_the_launcher(run):
    kernel = run(2)
    kernel.ask(Ask.STOP)
    kernel.of(0)[0].die(1)
    kernel.cooperate()
    assert kernel.status == 1


def test_a_stop_between_two_tries_leaves_at_once(boot):
    kernel = boot(1)
    kernel.of(0)[0].die(1)
    kernel.flush()
    assert kernel.ask(Ask.STOP)[-1] == events.Exit(0)


def test_row_24_term_then_stacks_then_force_and_the_parent_owns_the_time(run):
    kernel = run(1, grace=60.0)
    kernel.of(0)[0].frozen = True
    asked = kernel.now
    kernel.ask(Ask.STOP)
    pushed = []
    while kernel.status is None:
        due = kernel.supervisor.deadline()
        for action in kernel.wait(due - kernel.now):
            if isinstance(action, Kill):
                pushed.append((action.name, kernel.now - asked))
        kernel.flush()
    assert pushed == [("ABRT", 62.0), ("KILL", 63.0)]
    assert kernel.status == 1


def test_row_24_without_a_limit_a_stop_takes_as_long_as_it_takes(run):
    kernel = run(1, grace=0.0)
    assert kernel.ask(Ask.STOP)[1].seconds is None
    assert kernel.supervisor.deadline() is None


def test_row_24_a_limit_that_came_later_counts_for_one_that_leaves_already(run):
    kernel = run(2, grace=0.0)
    stuck = kernel.of(0)[0]
    stuck.say(Word.LEAVING)
    stuck.frozen = True
    kernel.flush()
    kernel.file = events.Settings(grace=5.0, mutate=True)
    kernel.ask(Ask.RELOAD)
    kernel.ask(Ask.STOP)
    kernel.wait(5.0 + crew.MARGIN + crew.ABORT)
    assert stuck.signals == ["ABRT", "KILL"]


def test_row_25_a_second_stop_hurries_and_a_third_one_kills(run):
    kernel = run(1)
    (process,) = kernel.of(0)
    process.deaf = True
    kernel.ask(Ask.STOP)
    kernel.ask(Ask.STOP)
    assert process.commands == [events.Command.HURRY]
    assert process.signals == ["TERM"]
    assert kernel.supervisor.deadline() == kernel.now + crew.HURRY + crew.MARGIN
    kernel.ask(Ask.STOP)
    assert process.signals == ["TERM", "KILL"]
    kernel.flush()
    assert kernel.status == 1
    assert kernel.texts()[:3] == [
        "Stopping 1 workers",
        "Stopping at once 1 workers",
        "Killing 1 workers",
    ]


def test_row_25_a_hurry_is_one_at_once_and_two_kill(run):
    kernel = run(1)
    (process,) = kernel.of(0)
    process.deaf = True
    kernel.ask(Ask.HURRY)
    assert process.commands == [events.Command.HURRY]
    assert process.signals == ["TERM"]
    kernel.ask(Ask.HURRY)
    assert process.signals == ["TERM", "KILL"]


def test_row_25_a_worker_that_was_told_to_dump_its_stacks_gets_no_term(run):
    kernel = run(1, heartbeat=2.0)
    (process,) = kernel.of(0)
    process.stubborn = True
    kernel.wait(2.0)
    kernel.ask(Ask.STOP)
    assert process.signals == ["ABRT"]
    kernel.wait(crew.ABORT)
    assert process.signals == ["ABRT", "KILL"]


def test_row_24_a_worker_that_stops_owes_no_beats(run):
    kernel = run(1, heartbeat=2.0, grace=60.0)
    kernel.ask(Ask.STOP)
    kernel.wait(61.0)
    assert kernel.of(0)[0].signals == ["TERM"]


def test_row_25_a_worker_that_leaves_by_itself_gets_no_second_term(run):
    kernel = run(1)
    (process,) = kernel.of(0)
    process.say(Word.LEAVING)
    kernel.flush()
    kernel.ask(Ask.STOP)
    assert process.signals == []
    kernel.wait(62.0)
    assert process.signals == ["ABRT"]


def test_row_27_whatever_dies_while_stopping_is_not_started_again(run):
    kernel = run(4)
    kernel.ask(Ask.STOP)
    for process in kernel.processes.values():
        process.die(-9)
    actions = kernel.flush()
    assert not [each for each in actions if isinstance(each, events.Fork)]
    assert kernel.status == 1


def test_row_27_ready_after_term_changes_nothing(boot):
    kernel = boot(1)
    kernel.ask(Ask.STOP)
    kernel.of(0)[0].say(Word.READY)
    kernel.flush()
    assert kernel.notices() == [Notice.STOPPING]


def test_row_16_words_and_ends_of_a_reaped_worker_are_nobodys(run):
    kernel = run(1)
    kernel.of(0)[0].die(0)
    kernel.flush()
    (successor,) = kernel.of(0)
    assert (successor.pid, successor.key) == (100, 2)
    assert kernel.supervisor.take(events.Said(1, Word.READY), kernel.now) == []
    assert kernel.supervisor.take(events.Ended(1, 0), kernel.now) == []


# -- signs of life ------------------------------------------------------------


def alive(actions):
    return [each for each in actions if getattr(each, "notice", 0) is Notice.ALIVE]


def test_the_service_manager_gets_signs_of_life_while_workers_are(run):
    kernel = run(2, watchdog=5.0)
    assert len(alive(kernel.wait(50.0))) == 10


def test_the_service_manager_gets_none_while_a_service_has_no_worker(run):
    kernel = run(1, 2, watchdog=5.0)
    for _ in range(7):
        for process in kernel.of(0):
            process.die(1)
        kernel.cooperate(pause=1.0)
    for process in kernel.of(0):
        process.die(1)
    kernel.flush()
    assert not kernel.of(0)
    assert alive(kernel.wait(1.5)) == []


@pytest.mark.parametrize("ask", [Ask.RELOAD, Ask.MORE, Ask.FEWER])
def test_wishes_while_stopping_come_to_nothing(run, ask):
    kernel = run(2)
    kernel.ask(Ask.STOP)
    assert kernel.ask(ask) == []
