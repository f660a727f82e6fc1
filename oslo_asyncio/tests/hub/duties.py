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
"""Periodic tasks that other processes can run: each leaves a file."""

import asyncio
import os
import pathlib
import signal

from oslo_asyncio import hub
from oslo_asyncio import periodic_task

now = periodic_task.periodic_task(run_immediately=True)


class Duties(periodic_task.PeriodicTasks):
    """Their context is the name of a folder."""

    def leave(self, folder, name, text):
        (pathlib.Path(folder) / name).write_text(f"{os.getpid()} {text}")


class Both(Duties):
    @now
    def sync(self, folder):
        self.leave(folder, "sync", hub.current().name)

    @now
    async def on_loop(self, folder):
        await asyncio.sleep(0)
        self.leave(folder, "async", await hub.run_sync(lambda: hub.current().name))

    @periodic_task.periodic_task(spacing=600)
    def later(self, folder):
        self.leave(folder, "later", "")


class Meeting(Duties):
    """Neither ends before the other has begun."""

    @now
    def first(self, fifo):
        with open(fifo, "w") as file:
            file.write("hello")

    @now
    def second(self, fifo):
        with open(fifo) as file:
            assert file.read() == "hello"


class Failing(Duties):
    @now
    def fail(self, folder):
        raise LookupError("oops")

    @now
    def fail_in_a_way_of_its_own(self, folder):
        raise Odd("one", "two")

    @now
    def work(self, folder):
        self.leave(folder, "work", "")


class Odd(Exception):
    """An error that cannot be pickled: it is made of other things than it says."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


class Dying(Duties):
    @now
    def die(self, folder):
        os.kill(os.getpid(), signal.SIGKILL)
