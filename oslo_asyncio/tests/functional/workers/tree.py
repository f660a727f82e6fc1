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

"""A launcher with its workers, seen from outside."""

from collections.abc import Iterator
from dataclasses import dataclass
import os
import pathlib
import select
import signal

from oslo_asyncio.tests.functional import program as program_module

#: What a source may build on.  A worker says that it is ready in wait(), which
#: begins when the launcher has been told so.
SERVICES = """\
import ctypes
import oslo_asyncio
from oslo_asyncio._supervisor import restarts


def tell_all(word):
    say(word, oslo_asyncio.worker_id(), os.getpid())


def hold_the_gil():
    # for ever, whatever signals come: a deadlock in C
    lock = ctypes.create_string_buffer(64)
    for _ in range(2):
        ctypes.PyDLL(None).pthread_mutex_lock(lock)


class Idle(service.Service):
    async def wait(self):
        tell_all("ready")

    async def stop(self):
        tell_all("stopped")


def run(made, workers=2, **options):
    sys.exit(service.launch(CONF, made, workers, **options).wait())


"""


@dataclass(frozen=True)
class Worker:
    """One process, known by its pidfd from the moment it spoke."""

    number: int
    pid: int
    pidfd: int

    def signal(self, signum: int) -> None:
        """Send it a signal, if it still lives."""
        try:
            signal.pidfd_send_signal(self.pidfd, signum)
        except ProcessLookupError:
            pass

    def has_ended(self) -> bool:
        """Whether it has, now."""
        return bool(select.select([self.pidfd], [], [], 0)[0])

    def wait(self) -> None:
        """Wait for its end."""
        ended = select.select([self.pidfd], [], [], program_module.LIMIT)[0]
        assert ended, f"worker {self.number} (pid {self.pid}) does not end"


class Tree:
    """A program, and the workers that have spoken so far.

    :ivar workers: the last process of each worker, by the worker's number.
    """

    def __init__(self, program: program_module.Program) -> None:
        self.program = program
        self.pid = program.pid
        self.workers: dict[int, Worker] = {}
        self._met: list[Worker] = []

    def meet(self, word: str = "ready") -> Worker:
        """Skip what is said until a worker says this word, number and pid."""
        _word, number, pid = self.program.wait_for(f"{word} ").split()
        for known in self._met:
            if known.pid == int(pid) and not known.has_ended():
                return known
        made = Worker(int(number), int(pid), os.pidfd_open(int(pid)))
        self._met.append(made)
        self.workers[made.number] = made
        return made

    def meet_all(self, count: int = 2, word: str = "ready") -> list[Worker]:
        """So many different workers, by number."""
        met = [self.meet(word) for _ in range(count)]
        return sorted(met, key=lambda worker: worker.number)

    def logged(self, text: str, times: int = 1) -> None:
        """Wait until so many lines contain this, those that were skipped included.

        Of the log, if its stderr goes to the same pipe.
        """
        while sum(text in line for line in self.program.lines) < times:
            self.program.next_line()

    def exit(self) -> int:
        """Wait for the end of all; returns the exit status of the launcher."""
        status = self.program.exit()
        for worker in self._met:
            worker.wait()
        return status

    def stop(self) -> int:
        """SIGTERM, then :meth:`exit`."""
        self.program.signal(signal.SIGTERM)
        return self.exit()

    def close(self) -> None:
        """End what is left, wherever it hangs."""
        process = self.program.process
        if process.poll() is None:  # it must not fork while we look
            process.send_signal(signal.SIGSTOP)
            stopped = os.WSTOPPED | os.WEXITED | os.WNOWAIT
            os.waitid(os.P_PID, process.pid, stopped)
            for pid in children(process.pid):
                self._met.append(Worker(-1, pid, os.pidfd_open(pid)))
            process.kill()
        for worker in self._met:
            worker.signal(signal.SIGKILL)
            os.close(worker.pidfd)


def children(parent: int) -> Iterator[int]:
    """The processes whose parent this is, zombies included."""
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        if status(int(path.name))[1:2] == [str(parent)]:
            yield int(path.name)


def status(pid: int) -> list[str]:
    """State, parent, group, session and so on of a process; [] without one."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return text.rpartition(")")[2].split()
