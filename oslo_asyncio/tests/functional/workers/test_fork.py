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

"""A service forks a process of its own, which ends by sys.exit()."""

import pytest

FORKING = """
class Forking(Idle):
    {how} start(self):
        pid = os.fork()
        if not pid:
            sys.exit(5)
        await_end(pid)

    async def stop(self):
        tell_all("stopped")

def await_end(pid):
    # natively: the loop may wait for a moment, it is not what this is about
    say("child", os.waitstatus_to_exitcode(_unpatched.os.waitpid(pid, 0)[1]))

run(Forking())
"""


@pytest.mark.parametrize("how", ["def", "async def"])
def test_the_child_ends_with_its_status_and_the_worker_goes_on(grow, how):
    tree = grow(FORKING.format(how=how), own="worker_heartbeat_timeout = 30")
    workers = tree.meet_all()
    assert tree.program.lines.count("child 5") == len(workers)
    assert tree.stop() == 0
    stopped = [line for line in tree.program.rest() if line.startswith("stopped")]
    assert len(stopped) == len(workers)


RAISING = """
class Raising(Idle):
    {how} work(self):
        pid = os.fork()
        if not pid:
            sys.exit("no more")
        say("child", os.waitstatus_to_exitcode(_unpatched.os.waitpid(pid, 0)[1]))

    async def start(self):
        {run}

run(Raising())
"""


@pytest.mark.parametrize(
    ("how", "run"),
    [
        ("async def", "await asyncio.create_task(self.work())"),
        ("def", "await hub.run_sync(self.work)"),
        ("def", "await executor.run_blocking(self.work)"),
    ],
)
def test_it_ends_wherever_it_was_forked(grow, how, run):
    tree = grow(RAISING.format(how=how, run=run))
    workers = tree.meet_all()
    assert tree.program.lines.count("child 1") == len(workers)
    assert tree.stop() == 0
    assert "no more" in tree.program.stderr
