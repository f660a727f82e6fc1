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

"""Pools on both sides of a fork."""

import asyncio
import os
import traceback

import pytest

from oslo_asyncio import executor

pytestmark = [
    pytest.mark.timeout(60),
    # that there are threads in the parent is what the tests are about
    pytest.mark.filterwarnings("ignore:.*fork\\(\\):DeprecationWarning"),
]


@pytest.fixture
def in_child():
    """Run a function in a forked child; what it returns, as text."""

    def in_child(func):
        reader, writer = os.pipe()
        pid = os.fork()
        if not pid:
            try:
                os.write(writer, str(func()).encode())
            except BaseException:
                os.write(writer, traceback.format_exc().encode())
            finally:
                os._exit(0)
        os.close(writer)
        with open(reader, "rb", buffering=0) as pipe:
            text = pipe.read()
        os.waitpid(pid, 0)
        return text.decode()

    return in_child


def use_pools(hub):
    loop = hub.new_event_loop()

    async def main():
        return await asyncio.gather(
            executor.run_blocking(len, "abc"),
            asyncio.to_thread(len, "abcd"),
            loop.getaddrinfo("localhost", 80),
        )

    try:
        first, second, addresses = loop.run_until_complete(main())
    finally:
        loop.close()
    return first, second, bool(addresses)


def test_row_37_pools_work_before_and_after_a_fork(hub, in_child):
    assert use_pools(hub) == (3, 4, True)
    assert in_child(lambda: use_pools(hub)) == "(3, 4, True)"
    assert use_pools(hub) == (3, 4, True)


def test_row_37_a_child_inherits_no_threads_and_no_calls(hub, loop, hang, in_child):
    pool = executor.add_pool("default", 1)

    async def fill():
        tasks = [asyncio.ensure_future(executor.run_blocking(hang)) for _ in range(3)]
        await hang.inside()
        return tasks

    async def finish(tasks):
        hang.release()
        await asyncio.gather(*tasks)

    def figures_and_use():
        figures = pool.figures()
        counts = figures.threads, figures.queued, figures.running
        return counts, use_pools(hub)

    tasks = loop.run_until_complete(fill())
    assert in_child(figures_and_use) == "((0, 0, 0), (3, 4, True))"
    loop.run_until_complete(finish(tasks))
    assert hang.calls == 3
