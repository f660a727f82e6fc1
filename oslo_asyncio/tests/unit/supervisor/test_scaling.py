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

"""One worker more, one worker fewer."""

from oslo_asyncio._supervisor import events
from oslo_asyncio._supervisor.events import Ask
from oslo_asyncio._supervisor.events import Fork
from oslo_asyncio._supervisor.events import Kill


def numbers(kernel):
    """Of the workers that live."""
    return sorted(process.worker for process in kernel.processes.values())


def test_one_more_is_forked_and_gets_the_next_number(run):
    kernel = run(2)
    assert kernel.ask(Ask.MORE)[:2] == [
        events.Report("api is to have 3 workers", 20),
        Fork(3, 2, 0),
    ]


def test_one_fewer_is_the_youngest_and_is_not_replaced(run):
    kernel = run(3)
    assert kernel.ask(Ask.FEWER)[0] == Kill(3, "TERM")
    kernel.cooperate(3)
    assert numbers(kernel) == [0, 1]
    assert kernel.texts()[-1] == "Worker 2 of api (pid 102) exited with status 0"


def test_ready_after_it_was_told_to_go_is_too_late(boot):
    kernel = boot(2)
    kernel.ask(Ask.FEWER)
    for process in kernel.processes.values():
        process.say(events.Word.READY)
    kernel.flush()
    found = [text for text in kernel.texts() if "is ready" in text]
    assert found == ["Worker 0 of api (pid 100) is ready after 0 ms"]


def test_the_last_one_stays(run):
    kernel = run(1)
    kernel.ask(Ask.FEWER, Ask.FEWER)
    assert numbers(kernel) == [0]


def test_the_number_of_one_that_still_leaves_is_not_given_away(run):
    kernel = run(3)
    kernel.ask(Ask.FEWER, Ask.MORE)
    assert numbers(kernel) == [0, 1, 2, 3]
    kernel.cooperate(3)
    kernel.ask(Ask.MORE)
    assert numbers(kernel) == [0, 1, 2, 3]


def test_of_several_services_one_that_was_made_for_one_worker_keeps_it(run):
    kernel = run(1, 2)
    kernel.ask(Ask.MORE)
    assert [each.service for each in kernel.processes.values()].count(0) == 1
    assert kernel.texts()[0] == "agent is to have 3 workers"


def test_a_single_service_with_one_worker_may_get_more(run):
    kernel = run(1)
    kernel.ask(Ask.MORE)
    assert numbers(kernel) == [0, 1]


def test_one_that_is_being_replaced_may_be_the_one_too_many(run):
    kernel = run(2)
    kernel.of(0)[0].say(events.Word.LEAVING)
    kernel.flush()
    kernel.ask(Ask.RELOAD)
    assert len(kernel.of(1)) == 2
    kernel.ask(Ask.FEWER)
    assert [each.signals for each in kernel.of(1)] == [["TERM"], ["TERM"]]
    kernel.cooperate(5)
    assert numbers(kernel) == [0]
    assert "Reload ended after 0.0 s" in kernel.texts()


def test_a_worker_that_waits_for_its_next_try_may_be_the_one_too_many(run):
    kernel = run(2)
    kernel.forks_fail = 1
    kernel.of(1)[0].die(1)
    kernel.flush()
    kernel.ask(Ask.FEWER)
    kernel.wait(100.0)
    assert numbers(kernel) == [0]
