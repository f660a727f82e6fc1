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
"""Periodic tasks in processes of their own, and what becomes of these."""

import os
import select
import signal

import pytest

from oslo_asyncio.tests.functional import program as program_module

SOURCE = """
from oslo_asyncio import periodic_task

class Duties(periodic_task.PeriodicTasks):
    @periodic_task.periodic_task(run_immediately=True)
    def work(self, context):
        say("working", os.getpid())
        signal.pause()

class Agent(service.Service):
    def start(self):
        self.tg.add_thread(Duties(CONF).run_periodic_tasks_in_parallel, None)

if __name__ == "__main__":
    sys.exit(service.launch(CONF, Agent()).wait())
"""


@pytest.fixture
def hub_name():
    """One with native threads."""
    return "asyncio"


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_they_end_with_the_process_that_has_started_them(start, signum):
    program = start(SOURCE, default="graceful_shutdown_timeout = 1")
    _working, pid = program.expect("working ").split()
    pidfd = os.pidfd_open(int(pid))
    try:
        program.signal(signum)
        program.exit()
        assert select.select([pidfd], [], [], program_module.LIMIT)[0]
    finally:
        os.close(pidfd)
