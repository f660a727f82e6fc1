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

"""From threads to the loop: one wake-up per burst."""

import asyncio
import gc
import os

import pytest

from oslo_asyncio import _completions
from oslo_asyncio import _unpatched
from oslo_asyncio import executor


@pytest.fixture
def writes(monkeypatch):
    """Each write to an eventfd of this process."""
    seen = []
    write = os.eventfd_write

    def count(fd, value):
        seen.append(fd)
        write(fd, value)

    monkeypatch.setattr(os, "eventfd_write", count)
    return seen


def test_a_burst_of_results_costs_one_wake_up(run, loop, writes):
    first, rest = (_unpatched.threading.Event() for _ in range(2))
    completions = _completions.of(loop)

    def block_the_loop_until(condition):
        while not condition():
            os.sched_yield()

    async def main():
        leader = asyncio.ensure_future(executor.run_blocking(first.wait, 30))
        others = [executor.run_blocking(rest.wait, 30) for _ in range(49)]
        others = asyncio.gather(*others)
        await asyncio.sleep(0)
        first.set()
        block_the_loop_until(lambda: len(completions._done) == 1 and writes)
        rest.set()
        block_the_loop_until(lambda: len(completions._done) == 50)
        return [await leader, *await others]

    assert run(main) == [True] * 50
    assert len(writes) == 1


def test_each_later_result_wakes_the_loop_again(run, writes):
    async def main():
        for _ in range(20):
            await executor.run_blocking(len, "abc")

    run(main)
    assert len(writes) == 20


def test_results_of_ten_thousand_calls_all_arrive(run):
    async def main():
        calls = [executor.run_blocking(abs, -number) for number in range(10_000)]
        return await asyncio.gather(*calls)

    assert run(main) == list(range(10_000))


def test_closed_loops_keep_no_descriptors(hub):
    def open_descriptors():
        gc.collect()
        return len(os.listdir("/proc/self/fd"))

    def use_a_loop():
        loop = hub.new_event_loop()
        loop.run_until_complete(executor.run_blocking(len, "abc"))
        loop.run_until_complete(loop.getaddrinfo("localhost", 80))
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()

    use_a_loop()
    before = open_descriptors()
    for _ in range(20):
        use_a_loop()
    # a pool's thread may be about to drop the last loop's call
    assert open_descriptors() - before <= 2
