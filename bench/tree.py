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

"""A program that runs with its workers, as seen from outside."""

from collections.abc import Callable
import os
import pathlib
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

from bench import rounds
from bench.faults import kernel

#: seconds for what is not measured
PATIENCE = 30.0

_ROOT = pathlib.Path(__file__).parents[1]

#: contender -> module in bench.programs and its arguments
_PROGRAMS = {
    "bare": ["bare"],
    "bare with libraries": ["bare", "with-libraries"],
    "ours asyncio": ["ours", "asyncio"],
    "ours uvloop": ["ours", "uvloop"],
    "ours eventlet": ["ours", "eventlet"],
    "cotyledon": ["cotyledon"],
    "oslo.service eventlet": ["oslo_service"],
}


class Event(NamedTuple):
    """What a process has told: when, in nanoseconds of the monotonic clock."""

    word: str
    pid: int
    ns: int
    value: int


class Tree:
    """A launched program; as a context manager, it is gone afterwards.

    :param contender: which program.
    :param method: what SIGHUP means to those who know two meanings.
    :param listens: whether the service answers connections.
    :param delay: seconds that each request takes.
    """

    def __init__(
        self,
        contender: str,
        workers: int,
        method: str = "reload",
        listens: bool = False,
        delay: float = 0.0,
    ) -> None:
        self.workers = workers
        self.events: list[Event] = []
        self._rest = b""
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-"))
        self._config = self._folder / "service.conf"
        self.configure(1)
        self._reading, writing = os.pipe()
        os.set_blocking(self._reading, False)
        self._inode = os.fstat(writing).st_ino
        plan = {
            "BENCH_EVENTS": writing,
            "BENCH_WORKERS": workers,
            "BENCH_CONFIG": self._config,
            "BENCH_METHOD": method,
            "BENCH_LISTENS": int(listens),
            "BENCH_DELAY": delay,
        }
        self._start(contender, {key: str(value) for key, value in plan.items()})
        os.close(writing)

    def _start(self, contender: str, plan: dict[str, str]) -> None:
        program, *arguments = _PROGRAMS[contender]
        module = f"bench.programs.{program}"
        with open(self._folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", module, *arguments],
                env={**clean_environment(), **plan},
                pass_fds=[int(plan["BENCH_EVENTS"])],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=_ROOT,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def port(self) -> int:
        """Where the service listens."""
        return next(each.value for each in self.events if each.word == "listening")

    def configure(self, value: int) -> None:
        """Write the config file, in one piece."""
        text = f"[DEFAULT]\nvalue = {value}\nlog_options = false\n"
        new = self._config.with_suffix(".new")
        new.write_text(text)
        new.rename(self._config)
        self.value = value

    def read(self, seconds: float) -> bool:
        """Read what has been told; wait for it, if nothing has, so long."""
        if not select.select([self._reading], [], [], seconds)[0]:
            return False
        told = self._rest + os.read(self._reading, 1 << 16)
        *lines, self._rest = told.split(b"\n")
        for line in lines:
            word, pid, ns, value = line.decode().split()
            self.events.append(Event(word, int(pid), int(ns), int(value)))
        return bool(told)

    def forget(self) -> None:
        """Read what is there, and forget that anybody got ready."""
        while self.read(0):
            pass
        self.events = [each for each in self.events if each.word != "ready"]

    def ready(self) -> dict[int, Event]:
        """By pid, the first time that a process got ready with this config."""
        found: dict[int, Event] = {}
        for each in self.events:
            if each.word == "ready" and each.value == self.value:
                found.setdefault(each.pid, each)
        return found

    def get_ready(self, number: int | None = None, seconds: float = PATIENCE) -> int:
        """Wait for so many workers that are ready with the present config.

        :returns: when the last of them was, in nanoseconds.
        :raises NotPlayed: they are not.
        """
        wanted = number or self.workers
        self.until(lambda: len(self.ready()) >= wanted, seconds, "ready workers")
        return sorted(each.ns for each in self.ready().values())[wanted - 1]

    def until(self, met: Callable[[], bool], seconds: float, what: str) -> None:
        deadline = time.monotonic() + seconds
        while not met():
            left = deadline - time.monotonic()
            if left <= 0 or (self.process.poll() is not None and not self.read(0.1)):
                log = (self._folder / "log").read_text(errors="replace")
                reason = (log.strip().splitlines() or ["no word"])[-1][:100]
                raise rounds.NotPlayed(f"waited for {what} in vain: {reason}")
            self.read(min(left, 0.2))

    def alive(self) -> list[int]:
        """The workers that are ready and run, oldest first."""
        return [pid for pid in self.ready() if kernel.runs(pid)]

    def signal(self, number: signal.Signals) -> int:
        """Send a signal to the parent; returns the time in nanoseconds."""
        now = time.monotonic_ns()
        self.process.send_signal(number)
        return now

    def stop(self) -> float:
        """SIGTERM to the parent; seconds until the whole tree has gone.

        :raises NotPlayed: somebody stays.
        """
        members = [kernel.Watch(pid) for pid in self._members()]
        began = self.signal(signal.SIGTERM)
        late = [watch for watch in members if not watch.ended(PATIENCE)]
        took = (time.monotonic_ns() - began) / 1e9
        for watch in members:
            watch.close()
        if late:
            raise rounds.NotPlayed("it does not stop")
        return took

    def _members(self) -> list[int]:
        told = {each.pid for each in self.events} | {self.pid}
        known = told | set(kernel.descendants(self.pid))
        return [pid for pid in known if kernel.holds(pid, self._inode)]

    def __enter__(self) -> "Tree":
        return self

    def __exit__(self, *_exception: object) -> None:
        while members := self._members():
            kernel.kill_and_reap([pid for pid in members if pid != self.pid])
            self.process.kill()
            self.read(0.01)
        self.process.wait()
        os.close(self._reading)
        shutil.rmtree(self._folder, ignore_errors=True)


def clean_environment() -> dict[str, str]:
    """The environment without what some contender would read."""
    dropped = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "LISTEN_FDS", "PYTHONUNBUFFERED"}
    dropped.add("PYTHONDONTWRITEBYTECODE")  # each would compile what it imports
    return {key: value for key, value in os.environ.items() if key not in dropped}
