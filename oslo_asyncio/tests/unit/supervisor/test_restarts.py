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

"""When a worker that died is started again."""

import logging

import hypothesis
from hypothesis import strategies as st
import pytest

from oslo_asyncio._supervisor import crew
from oslo_asyncio._supervisor import events
from oslo_asyncio._supervisor import restarts
from oslo_asyncio.tests.unit.supervisor import kernel as kernel_module
from oslo_asyncio.tests.unit.supervisor import promises

#: Seconds between the tries of a service that never gets ready.
DELAYS = [0.5, 1.0, 2.0, 4.0]


# -- the policy ---------------------------------------------------------------


def test_row_20_one_that_does_not_get_ready_is_tried_later_and_later():
    policy = restarts.RestartPolicy()
    found = [policy.died(None) for _ in range(9)]
    assert found == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_row_20_waits_do_not_grow_for_ever():
    policy = restarts.RestartPolicy()
    assert [policy.died(None) for _ in range(5000)][-1] == 30.0


def test_one_that_was_ready_is_started_at_once_unless_that_goes_on():
    policy = restarts.RestartPolicy()
    found = [policy.died(1.0) for _ in range(restarts.BURST + 3)]
    assert found == [0.0] * restarts.BURST + [0.5, 1.0, 2.0]


def test_one_that_served_for_a_while_starts_counting_anew():
    policy = restarts.RestartPolicy()
    for _ in range(20):
        policy.died(1.0)
    assert policy.died(restarts.STABLE) == 0.0
    assert policy.failures == 0


def test_row_20_a_service_that_was_never_ready_has_five_chances_else_ten():
    policy = restarts.RestartPolicy()
    spent = []
    for _ in range(10):
        policy.died(None)
        spent.append((policy.spent(False), policy.spent(True)))
    never, before = zip(*spent, strict=True)
    assert never.index(True) == restarts.BURST - 1
    assert before.index(True) == 2 * restarts.BURST - 1


def test_a_new_configuration_is_a_new_chance():
    policy = restarts.RestartPolicy()
    for _ in range(10):
        policy.died(None)
    policy.forgive()
    assert not policy.spent(False)
    assert policy.died(None) == 0.5


# -- in the supervisor --------------------------------------------------------


def test_row_20_a_worker_that_had_been_ready_is_started_again_at_once(run):
    kernel = run(2)
    kernel.of(0)[0].die(-9)
    assert [type(each) for each in kernel.flush()][:2] == [events.Report, events.Fork]
    assert kernel.texts(logging.WARNING) == [
        "Worker 0 of api (pid 100) was ended by SIGKILL; the next one starts at once"
    ]


def test_row_20_one_that_fails_to_start_waits_and_says_how_long(boot):
    kernel = boot(1)
    kernel.of(0)[0].die(1)
    kernel.flush()
    assert kernel.texts(logging.WARNING) == [
        "Worker 0 of api (pid 100) exited with status 1 before it was ready; "
        "the next one starts in 0.5 s"
    ]
    assert kernel.supervisor.deadline() == kernel.now + 0.5


def test_row_20_healthy_workers_do_not_notice_that_others_fail(run):
    kernel = run(3)
    healthy = kernel.of(1) + kernel.of(2)
    kernel.curse(0)
    kernel.of(0)[0].die(1)
    kernel.cooperate(100, 10.0)
    assert kernel.status is None
    assert [each.signals for each in healthy] == [[], []]
    assert kernel.of(1) + kernel.of(2) == healthy
    assert len(kernel.texts(logging.WARNING)) < 60


def test_row_20_a_service_that_never_gets_ready_ends_the_launcher(boot):
    kernel = boot(1, 1)
    kernel.curse(0)
    kernel.cooperate(50, 1.0)
    assert kernel.status == 1
    assert kernel.texts(logging.ERROR) == [
        "api does not stay up, giving up after 5 tries in a row; the last one, "
        "Worker 0 of api (pid 100), exited with status 1 before it was ready"
    ]
    assert kernel.notices() == [events.Notice.STOPPING]


def test_row_20_too_many_processes_end_the_launcher_and_nothing_is_left(boot):
    kernel = boot(1)
    for process in kernel.processes.values():
        process.die(1)
    kernel.forks_fail = 100
    kernel.flush()
    kernel.wait(60.0)
    assert kernel.status == 1
    assert kernel.texts(logging.ERROR) == [
        "api does not stay up, giving up after 5 tries in a row; the last one, "
        "Worker 0 of api, could not be forked: Try again"
    ]


def fails_once_more_than_it_may(kernel, forks_that_fail):
    """Let workers that never start fail, and then so many of their last forks."""
    for process in list(kernel.processes.values()):
        process.die(1)
    kernel.forks_fail = 100
    kernel.flush_together()
    while kernel.supervisor.crew.slots[0].policy.failures < 4:
        kernel.wait(kernel.supervisor.deadline() - kernel.now)
    kernel.forks_fail = forks_that_fail
    kernel.actions.clear()
    kernel.wait(60.0)


def test_row_20_the_last_tries_of_two_workers_fail_together(boot):
    kernel = boot(2)
    fails_once_more_than_it_may(kernel, 2)
    assert kernel.status == 1
    assert not [each for each in kernel.actions if isinstance(each, events.Kill)]


def test_row_20_a_worker_that_is_forked_while_another_gives_up_is_told_to_stop(boot):
    kernel = boot(2)
    fails_once_more_than_it_may(kernel, 1)
    (process,) = kernel.processes.values()
    assert process.signals == ["TERM"]
    kernel.cooperate()
    assert kernel.status == 1


def test_row_20_a_service_that_has_run_before_gets_two_minutes(run):
    kernel = run(1)
    kernel.wait(60.0)
    kernel.curse(0)
    died = kernel.now
    kernel.of(0)[0].die(1)
    while kernel.status is None:
        kernel.cooperate(1, 0.5)
    assert 110 < kernel.now - died < 140


def test_one_that_dies_young_again_and_again_is_slowed_down(run):
    kernel = run(2)
    for _ in range(restarts.BURST + 1):
        kernel.of(0)[0].die(1)
        kernel.cooperate(2, 0.0)
    assert not kernel.of(0)
    assert kernel.supervisor.deadline() == kernel.now + 0.5


def test_one_that_dies_young_during_its_replacement_is_slowed_down_as_well(run):
    kernel = run(2, rss=100)
    for _ in range(restarts.BURST):
        kernel.of(0)[0].die(1)
        kernel.cooperate(2, 0.0)
    kernel.of(0)[0].say(events.Word.BEAT, 200)
    kernel.flush()
    old, fresh = kernel.of(0)
    fresh.say(events.Word.READY)
    fresh.die(1)
    kernel.flush([fresh])
    old.die(0)
    kernel.flush([old])
    assert not kernel.of(0)
    kernel.wait(0.5)
    assert len(kernel.of(0)) == 1


FAULTS = st.sampled_from(["exit", "crash", "hang", "fork", "stubborn"])


@hypothesis.settings(max_examples=200, deadline=None, database=None)
@hypothesis.given(
    workers=st.integers(1, 4), faults=st.lists(FAULTS, min_size=1, max_size=20)
)
def test_row_20_whatever_it_fails_by_the_end_comes_in_time(workers, faults):
    start = 20.0
    kernel = kernel_module.Kernel(
        [("api", workers)],
        events.Settings(start=start, grace=5.0),
        watch=promises.Promises,
    )
    began, turn = kernel.now, 0
    while kernel.status is None:
        for process in kernel.processes.values():
            fault = faults[(process.key + turn) % len(faults)]
            if fault in ("exit", "crash"):
                process.die(1 if fault == "exit" else -11)
            elif fault == "fork":
                process.die(1)
                kernel.forks_fail = 1
            process.stubborn |= fault == "stubborn"
        kernel.flush()
        kernel.wait(0.5)
        turn += 1
    assert kernel.status == 1
    tries = restarts.BURST * (start + crew.ABORT)
    stop = 5.0 + crew.MARGIN + crew.ABORT
    assert kernel.now - began <= tries + sum(DELAYS) + stop + 10 * 0.5


def test_the_promise_about_delays_is_the_policys():
    policy = restarts.RestartPolicy()
    assert [policy.died(None) for _ in promises.DELAYS] == list(promises.DELAYS)


@pytest.mark.parametrize(
    ("status", "name", "text"),
    [
        (0, "", "exited with status 0"),
        (-11, "SIGSEGV", "was ended by SIGSEGV"),
        (-40, "", "was ended by signal 40"),
    ],
)
def test_the_end_of_a_worker_is_told_in_words(run, status, name, text):
    kernel = run(1)
    del kernel.processes[1]
    kernel.tell(events.Ended(1, status, name))
    assert kernel.texts()[0] == (
        f"Worker 0 of api (pid 100) {text}; the next one starts at once"
    )
