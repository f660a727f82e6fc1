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

"""One launcher that runs, with its workers, as seen from outside."""

from collections.abc import Callable
import dataclasses
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from typing import Any

from bench.faults import events
from bench.faults import kernel
from bench.faults import spawn
from bench.faults.contenders import _plan
from bench.faults.roster import Contender

#: how long a launcher may take for something that is not what is measured
PATIENCE = 20.0

_CONFIG = """\
[DEFAULT]
value = {value}
graceful_shutdown_timeout = {grace}
log_options = false

[oslo_asyncio]
worker_heartbeat_timeout = {heartbeat}
"""


class NotPlayed(Exception):
    """The scenario did not even get to the point that it is about."""


class Launched:
    """A program that runs; as a context manager, it is gone afterwards.

    :param contender: which program.
    :param grace: graceful_shutdown_timeout in the config file, seconds.
    :param heartbeat: the heartbeat's timeout in the config file, seconds; 0
        means none.  Only who has such an option reads it.
    :param popen: more arguments for subprocess.Popen.
    :param environment: more environment variables.
    :param plan: fields of the plan that differ from their defaults.
    """

    def __init__(
        self,
        contender: Contender,
        grace: int = 10,
        heartbeat: int = 0,
        popen: dict[str, Any] | None = None,
        environment: dict[str, str] | None = None,
        **plan: Any,
    ) -> None:
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="faults-"))
        self.config = self._folder / "service.conf"
        self.grace = grace
        self.heartbeat = heartbeat
        self.configure(1)
        reading, writing = os.pipe()
        self._pipe = os.fstat(reading).st_ino
        self.plan = _plan.Plan(events=writing, config=str(self.config), **plan)
        self._process = self._start(contender, popen or {}, environment or {})
        os.close(writing)
        self.pid = self._process.pid
        self._known: set[int] = set()
        self.events = events.Events(reading)

    def _start(
        self,
        contender: Contender,
        popen: dict[str, Any],
        environment: dict[str, str],
    ) -> subprocess.Popen[bytes]:
        module = f"bench.faults.contenders.{contender.program}"
        plan = json.dumps(dataclasses.asdict(self.plan))
        environment = {**contender.environment, **environment, _plan.VARIABLE: plan}
        with open(self._folder / "log", "wb") as log:
            return spawn.start(
                [sys.executable, "-W", "ignore", "-m", module],
                env=_clean(os.environ) | environment,
                pass_fds=[self.plan.events],
                # as under systemd: the leader of a session without a terminal
                **{
                    "start_new_session": True,
                    "stdin": subprocess.DEVNULL,
                    "stdout": log,
                    "stderr": log,
                    **popen,
                },
            )

    def configure(self, value: int) -> None:
        """Write the config file, in one piece."""
        numbers = {"grace": self.grace, "heartbeat": self.heartbeat}
        self.write_config(_CONFIG.format(value=value, **numbers))

    def write_config(self, text: str) -> None:
        new = self.config.with_suffix(".new")
        new.write_text(text)
        new.rename(self.config)

    @property
    def log(self) -> str:
        """What it has written to stdout and stderr."""
        return (self._folder / "log").read_text(errors="replace")

    # --- who is there

    def workers(self) -> list[int]:
        """The worker processes, those included that are not ready yet."""
        strangers = {int(event.value) for event in self.events.all("stranger")}
        found = [pid for pid in kernel.children(self.pid) if pid not in strangers]
        self._known.update(found)
        return [pid for pid in found if kernel.runs(pid)]

    def ready(self) -> list[int]:
        """The processes whose service is ready, oldest first."""
        latest: dict[int, str] = {}
        for event in self.events.all("ready", "stop"):
            latest[event.pid] = event.name
        return [
            pid for pid, name in latest.items() if name == "ready" and kernel.runs(pid)
        ]

    def alive(self) -> bool:
        """Whether the launcher itself runs."""
        return self._process.poll() is None

    def settled(self, quiet: float) -> bool:
        """Whether all workers are ready, and nothing has happened for a while.

        :param quiet: for so many seconds.
        """
        latest = max((event.ns for event in self.events.all()), default=0)
        calm = time.monotonic_ns() - latest > quiet * 1e9
        return calm and len(self.ready()) == self.plan.workers

    def ended(self, seconds: float) -> bool:
        """Whether the launcher itself ends by then."""
        return self.until(lambda: not self.alive(), seconds)

    def zombies(self) -> list[int]:
        """Ended children that the launcher has not waited for."""
        return [pid for pid in kernel.children(self.pid) if kernel.state(pid) == "Z"]

    def size(self) -> tuple[int, int]:
        """Open file descriptors and threads of the launcher."""
        return kernel.count(self.pid, "fd"), kernel.count(self.pid, "task")

    # --- what it does

    def until(self, condition: Callable[[], object], seconds: float) -> bool:
        """Wait for something that no event announces."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def get_ready(self) -> list[int]:
        """Wait until all workers are ready.

        :raises NotPlayed: they are not.
        """
        wanted = 1 if self.plan.no_fork else self.plan.workers
        if not self.until(lambda: len(self.ready()) >= wanted, PATIENCE):
            raise NotPlayed(f"not ready within {PATIENCE:.0f} s")
        return self.ready()

    def wait_for(self, name: str, number: int = 1, seconds: float = PATIENCE) -> bool:
        """Wait until so many events with this name have come."""
        return self.events.wait(lambda: len(self.events.all(name)) >= number, seconds)

    def signal(self, number: signal.Signals) -> int:
        """Send a signal to the launcher.

        :returns: the time, in nanoseconds of the monotonic clock.
        """
        now = time.monotonic_ns()
        if self.alive():
            self._process.send_signal(number)
        return now

    def gone(self, seconds: float) -> float | None:
        """Wait until launcher and workers have ended.

        :returns: how long that took in seconds; None when it took too long.
        """
        start = time.monotonic()
        deadline = start + seconds
        # while a zombie waits for an absent parent, its pipe is closed already
        if not self.events.ended(seconds):
            return None
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return None
        return time.monotonic() - start

    def left(self) -> str:
        """Who is still there, in words."""
        there = [pid for pid in self._members() if kernel.runs(pid)]
        workers = len([pid for pid in there if pid != self.pid])
        names = ["the launcher"] if self.alive() else []
        names += [_plural(workers, "worker")] if workers else []
        return " and ".join(names)

    @property
    def status(self) -> int | None:
        """The launcher's exit status."""
        return self._process.poll()

    @property
    def port(self) -> int:
        """Where the service listens."""
        self.wait_for("listening")
        for event in self.events.all("listening"):
            return int(event.value)
        raise NotPlayed("the program has not even made its socket")

    def ask(self, seconds: float = 10.0) -> int:
        """Be a client.

        :returns: the pid of the worker that answered.
        :raises OSError: no answer, for whatever reason.
        """
        with socket.create_connection(("127.0.0.1", self.port), seconds) as sock:
            sock.sendall(b"who?\n")
            answer = sock.recv(100)
        if not answer:
            raise ConnectionError("closed without an answer")
        return int(answer)

    # --- the end

    def __enter__(self) -> "Launched":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End every process of the tree, at once and for certain."""
        while not self.events.ended(0.02) or self.alive():
            kernel.kill_and_reap([pid for pid in self._members() if pid != self.pid])
            self._process.kill()
            self._process.poll()
        # those without the pipe: the strangers, and zombies
        kernel.kill_and_reap([p for p in self._members() if p != self.pid])
        shutil.rmtree(self._folder, ignore_errors=True)

    def _members(self) -> list[int]:
        told = {int(event.value) for event in self.events.all("stranger")}
        told |= {event.pid for event in self.events.all()} | self._known
        roots = spawn.orphans(self._pipe, told)
        found = set(roots)
        for root in [*roots, self.pid]:
            found |= set(kernel.descendants(root))
        self._known |= found
        return [pid for pid in found | {self.pid} if kernel.state(pid)]


def _clean(environment: Any) -> dict[str, str]:
    # buffered output is what exit status 120 comes from
    dropped = ("PYTHONUNBUFFERED", "NOTIFY_SOCKET", "WATCHDOG_USEC", "LISTEN_FDS")
    return {key: value for key, value in environment.items() if key not in dropped}


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
